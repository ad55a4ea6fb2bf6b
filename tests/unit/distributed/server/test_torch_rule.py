from __future__ import annotations

import pickle

import pytest
import torch

from refluid.distributed.server.torch_rule import TorchRule
from refluid.errors import DistributedError


def parameters(count=3):
    generator = torch.Generator().manual_seed(1)
    return [torch.nn.Parameter(torch.randn(k + 2, generator=generator)) for k in range(count)]


def gradients(params, seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(p.shape, generator=generator) for p in params]


class Own(torch.optim.Adam):
    @torch.no_grad()
    def step(self, closure=None):
        super().step()
        for group in self.param_groups:
            for param in group["params"]:
                param.clamp_(-1, 1)


OPTIMIZERS = [
    lambda params: torch.optim.Adam(params, lr=0.01),
    lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=0.1),
    lambda params: torch.optim.RMSprop([{"params": params[:1]}, {"params": params[1:], "lr": 0.3}]),
    lambda params: torch.optim.AdamW(params, amsgrad=True),
    lambda params: torch.optim.Adagrad(params),
    lambda params: torch.optim.NAdam(params),
    lambda params: Own(params, lr=0.01),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_parts_together_do_what_the_optimizer_does(make):
    plain, split = parameters(), parameters()
    optimizer, rule = make(plain), TorchRule(make(split), split)
    parts = [pickle.loads(pickle.dumps(rule.part(indices))) for indices in ([0, 2], [1])]
    for step in range(5):
        grads = gradients(plain, step)
        for param, grad in zip(plain, grads, strict=True):
            param.grad = grad.clone()
        optimizer.step()
        parts[0].apply([grads[0], grads[2]], rule.settings())
        parts[1].apply([grads[1]], rule.settings())
    found = [parts[0].values()[0], parts[1].values()[0], parts[0].values()[1]]
    assert all(torch.equal(a, b) for a, b in zip(plain, found, strict=True))
    assert torch.equal(split[0], parameters()[0])  # the program's own are not touched


def test_a_part_that_takes_over_the_state_goes_on_with_the_same_bits():
    params = parameters()
    rule = TorchRule(OPTIMIZERS[0](params), params)
    first = rule.part([0, 1, 2])
    first.apply(gradients(params, 0), rule.settings())
    second = rule.part([0, 1, 2])
    with torch.no_grad():
        for value, current in zip(second.values(), first.values(), strict=True):
            value.copy_(current)
    second.load(first.state())
    for part in (first, second):
        part.apply(gradients(params, 1), rule.settings())
    for a, b in zip(first.values(), second.values(), strict=True):
        assert torch.equal(a, b)


def test_the_learning_rate_of_the_program_counts():
    params = parameters()
    optimizer = OPTIMIZERS[1](params)
    rule = TorchRule(optimizer, params)
    part = rule.part([0])
    optimizer.param_groups[0]["lr"] = 0.0
    part.apply(gradients(params[:1], 0), rule.settings())
    assert torch.equal(part.values()[0], params[0])


def test_a_parameter_without_gradient_stays():
    params = parameters()
    rule = TorchRule(OPTIMIZERS[1](params), params)
    part = rule.part([0, 1])
    part.apply([None, torch.ones(3)], rule.settings())
    assert torch.equal(part.values()[0], params[0])
    assert not torch.equal(part.values()[1], params[1])


def test_an_optimizer_of_another_model_is_refused():
    params = parameters()
    with pytest.raises(DistributedError, match=r"`optimizer` has a parameter of shape \[2\]"):
        TorchRule(torch.optim.SGD(parameters(), lr=0.1), params)
