"""A Watch gives its numbers every so many steps, and training never knows of it."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from refluid.errors import CheckpointError
from refluid.observe.layers import Watch
from refluid.observe.record import Table
from refluid.paddle import fluid
from refluid.paddle.fluid.dygraph import BatchNorm, Conv2D, Dropout, Linear, Pool2D


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.norm = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 6, 3)
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(24, 5)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.norm(self.conv1(x))), 2)
        x = functional.max_pool2d(torch.relu_(self.conv2(x)), 2)
        return self.fc(self.drop(x.flatten(1)))


class TorchTraining:
    names = frozenset(["conv1", "norm", "conv2", "drop", "fc"])

    def __init__(self):
        torch.manual_seed(7)
        self.model = Net()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)

    def step(self, number):
        draw = torch.Generator().manual_seed(number)
        x = torch.rand(8, 1, 12, 12, generator=draw)
        y = torch.randint(0, 5, (8,), generator=draw)
        loss = functional.cross_entropy(self.model(x), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def values(self):
        return self.model.state_dict().values()


class FluidNet(fluid.dygraph.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = Conv2D(1, 6, 5, padding=2, act="relu")
        self.pool1 = Pool2D(2, "max", 2)
        self.norm = BatchNorm(6, act="relu")
        self.conv2 = Conv2D(6, 6, 3)
        self.drop = Dropout(0.3)
        self.fc = Linear(96, 5, act="softmax")

    def forward(self, x):
        x = self.norm(self.pool1(self.conv1(x)))
        x = fluid.layers.relu(self.conv2(x))
        return self.fc(self.drop(fluid.layers.reshape(x, [-1, 96])))


class FluidTraining:
    names = frozenset(["conv1", "pool1", "norm", "conv2", "drop", "fc"])

    def __init__(self):
        torch.manual_seed(7)
        self.model = FluidNet()
        decay = fluid.layers.exponential_decay(0.1, 5, 0.5)
        self.optimizer = fluid.optimizer.Momentum(
            decay, 0.9, parameter_list=self.model.parameters()
        )

    def step(self, number):
        draw = np.random.default_rng(number)
        x = fluid.dygraph.to_variable(draw.random((8, 1, 12, 12), dtype=np.float32))
        y = fluid.dygraph.to_variable(draw.integers(5, size=(8, 1)))
        loss = fluid.layers.mean(fluid.layers.cross_entropy(self.model(x), y))
        loss.backward()
        self.optimizer.minimize(loss)
        self.model.clear_gradients()
        return float(loss.numpy()[0])

    def values(self):
        return self.model.parameters()


@pytest.fixture(params=[TorchTraining, FluidTraining])
def training(request):
    with fluid.dygraph.guard():
        yield request.param


def trained(training, every, steps=20):
    """Losses, weights and generator after some steps, as bytes; and what the watch gave."""
    program = training()
    watch = Watch(program.model, program.optimizer, every) if every else None
    losses, found = [], {}
    for number in range(steps):
        if watch:
            watch.begin(number)
        losses.append(program.step(number).hex())
        if watch:
            found[number] = watch.end(number)
    weights = [torch.Tensor.detach(v).numpy().tobytes() for v in program.values()]
    return (losses, weights, torch.get_rng_state().numpy().tobytes()), found


@pytest.mark.parametrize("every", [1, 3])
def test_watching_changes_no_bit_of_training(training, every):
    alone, _ = trained(training, None)
    watched, found = trained(training, every)
    assert watched == alone
    assert [number for number, (metrics, _) in found.items() if metrics] == [*range(0, 20, every)]


def test_metrics_of_a_step_are_all_there(training):
    metrics, records = trained(training, 1, steps=1)[1][0]
    names = training.names
    assert {name for name in metrics if "/" not in name} == {
        "lr",
        "grad_norm",
        "param_norm",
        "update_ratio",
    }
    for kind, expected in {
        "zeros": names,
        "std": names,
        "dead": names - {"drop", "pool1", "fc"} - ({"conv1"} if "pool1" not in names else set()),
        "grad_norm": {
            f"{name}.{part}" for name in names - {"drop", "pool1"} for part in ("weight", "bias")
        },
    }.items():
        assert {
            name.split("/")[1] for name in metrics if name.startswith(f"{kind}/")
        } == expected, kind
    assert all(math.isfinite(value) for value in metrics.values())
    assert metrics["lr"] == pytest.approx(0.1, rel=1e-6)
    table = records["layers"]
    assert isinstance(table, Table)
    assert {row[0] for row in table.rows} == names


def test_table_comes_with_the_first_watched_step_only(training):
    _, found = trained(training, 2, steps=6)
    assert [number for number, (_, records) in found.items() if records] == [0]


def test_gradient_norms_are_those_of_the_gradients():
    program = TorchTraining()
    watch = Watch(program.model, program.optimizer)
    watch.begin(0)
    before = [p.detach().clone() for p in program.model.parameters()]
    program.step(0)
    gradients = {name: p.grad.double() for name, p in program.model.named_parameters()}
    metrics, _ = watch.end(0)
    for name, gradient in gradients.items():
        norm = float(gradient.norm())
        assert metrics[f"grad_norm/{name}"] == pytest.approx(norm, rel=1e-5, abs=1e-9)
    every = torch.cat([gradient.flatten() for gradient in gradients.values()])
    assert metrics["grad_norm"] == pytest.approx(float(every.norm()), rel=1e-5)
    weights = torch.cat([p.flatten() for p in before]).double()
    assert metrics["param_norm"] == pytest.approx(float(weights.norm()), rel=1e-5)
    # the first step of SGD with momentum
    expected = 0.1 * float(every.norm()) / float(weights.norm())
    assert metrics["update_ratio"] == pytest.approx(expected, rel=1e-4)


def test_gradients_that_add_up_count_together():
    layer = nn.Linear(2, 1, bias=False)
    watch = Watch(layer)
    watch.begin(0)
    for value in (3.0, 4.0):
        layer(torch.tensor([[value, 0.0]])).sum().backward()
    assert watch.end(0)[0]["grad_norm"] == 7.0


def test_gradients_of_fluid_are_replaced_so_that_the_last_counts():
    with fluid.dygraph.guard():
        layer = Linear(2, 1, bias_attr=False)
        watch = Watch(layer)
        watch.begin(0)
        for value in (3.0, 4.0):
            x = fluid.dygraph.to_variable(np.array([[value, 0.0]], np.float32))
            fluid.layers.mean(layer(x)).backward()
        layer.clear_gradients()
        assert watch.end(0)[0]["grad_norm"] == 4.0


def test_sparse_gradients_are_measured():
    layer = nn.Embedding(10, 3, sparse=True)
    watch = Watch(layer)
    watch.begin(0)
    layer(torch.tensor([1, 1, 2])).sum().backward()
    assert watch.end(0)[0]["grad_norm"] == pytest.approx(math.sqrt(3 * (4 + 1)))


def test_rate_is_that_of_the_watched_step():
    program = TorchTraining()
    schedule = torch.optim.lr_scheduler.StepLR(program.optimizer, 1, 0.5)
    watch = Watch(program.model, program.optimizer, 1)
    found = []
    for number in range(3):
        watch.begin(number)
        program.step(number)
        schedule.step()
        found.append(watch.end(number)[0]["lr"])
    assert found == [0.1, 0.05, 0.025]


def test_fluid_rate_follows_its_decay():
    with fluid.dygraph.guard():
        _, found = trained(FluidTraining, 1, steps=4)
    rates = [metrics["lr"] for metrics, _ in found.values()]
    assert rates == pytest.approx([0.1 * 0.5 ** (n / 5) for n in range(4)], rel=1e-5)


def test_validation_within_a_step_is_left_out():
    program = TorchTraining()
    watch = Watch(program.model)
    watch.begin(0)
    with torch.no_grad():
        program.model(torch.full((8, 1, 12, 12), torch.nan))
    metrics, records = watch.end(0)
    assert not records
    assert not [name for name in metrics if name.startswith(("zeros", "std", "dead"))]


def test_dead_are_those_silent_in_the_last_three_looks():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU())
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    watch = Watch(model, every=1)
    found = []
    for number, row in enumerate([(1, 1), (-1, 1), (-1, 1), (-1, 1), (1, -1), (-1, -1)]):
        watch.begin(number)
        model(torch.tensor([row], dtype=torch.float32))
        found.append(watch.end(number)[0]["dead/0"])
    assert found == [0, 0, 0, 1, 0, 0]


def test_first_look_says_what_it_can():
    model = nn.Sequential(nn.Linear(1, 3), nn.ReLU())
    with torch.no_grad():
        model[0].bias.copy_(torch.tensor([-100.0, 100.0, -100.0]))
    watch = Watch(model)
    watch.begin(0)
    model(torch.ones(4, 1))
    metrics, _ = watch.end(0)
    assert (metrics["dead/0"], metrics["zeros/0"]) == (2, 2 / 3)


def test_run_that_goes_on_gives_the_same_numbers(training):
    whole = training()
    watch = Watch(whole.model, whole.optimizer, 2)
    found = []
    for number in range(12):
        watch.begin(number)
        whole.step(number)
        found.append(watch.end(number))
        if number == 4:
            captured = pickle.loads(pickle.dumps(watch.state_dict()))
    again = training()
    other = Watch(again.model, again.optimizer, 2)
    for number in range(5):
        again.step(number)
    other.load_state_dict(captured)
    for number in range(5, 12):
        other.begin(number)
        again.step(number)
        metrics, records = other.end(number)
        assert hexed(metrics) == hexed(found[number][0])
        assert not records


def hexed(metrics):
    return {name: value.hex() for name, value in metrics.items()}


def hooks(model):
    placed = [hook for m in model.modules() for hook in (m._forward_hooks, m._forward_pre_hooks)]
    placed += [p._post_accumulate_grad_hooks for p in model.parameters()]
    return sum(len(each or ()) for each in placed)


def test_hooks_are_there_in_watched_steps_only(training):
    program = training()
    watch = Watch(program.model, program.optimizer, 2)
    found = []
    for number in range(3):
        watch.begin(number)
        found.append(hooks(program.model) > 0)
        program.step(number)
        watch.end(number)
        assert not hooks(program.model)
    assert found == [True, False, True]


def test_step_that_raised_leaves_nothing():
    program = TorchTraining()
    watch = Watch(program.model, program.optimizer, 1)
    watch.begin(0)
    with pytest.raises(RuntimeError):
        program.model(torch.rand(8, 3, 12, 12))
    watch.close()
    assert not hooks(program.model)
    assert watch.end(0) == ({}, {})
    assert torch.overrides._len_torch_function_stack() == 0


def test_step_begun_twice_has_its_hooks_once():
    program = TorchTraining()
    watch = Watch(program.model)
    watch.begin(0)
    first = hooks(program.model)
    watch.begin(0)
    assert hooks(program.model) == first
    watch.close()
    assert not hooks(program.model)


def test_model_copied_in_a_watched_step_is_not_watched():
    program = TorchTraining()
    watch = Watch(program.model)
    watch.begin(0)
    for other in (copy.deepcopy(program.model), pickle.loads(pickle.dumps(program.model))):
        other(torch.full((8, 1, 12, 12), torch.nan)).sum().backward()
    assert watch.end(0)[1] == {}


def test_frozen_parameters_are_left_out():
    model = nn.Linear(2, 1)
    model.weight.requires_grad_(False)
    watch = Watch(model)
    watch.begin(0)
    model(torch.ones(1, 2)).sum().backward()
    metrics, _ = watch.end(0)
    assert [name for name in metrics if name.startswith("grad_norm/")] == ["grad_norm/bias"]


def test_layer_made_by_its_first_input_is_watched():
    model = nn.Sequential(nn.LazyLinear(3), nn.ReLU())
    watch = Watch(model, every=1)
    for number in range(2):
        watch.begin(number)
        model(torch.rand(2, 5)).sum().backward()
        metrics, records = watch.end(number)
        assert "dead/0" in metrics
        assert ("grad_norm" in metrics) == (number == 1)
        if records:
            assert records["layers"].rows[0][1] == "Linear"


def test_names_that_cannot_be_printed_are_escaped():
    model = nn.Sequential()
    model.add_module("a\nb", nn.Linear(1, 1))
    watch = Watch(model)
    watch.begin(0)
    model(torch.ones(1, 1)).sum().backward()
    assert all(name.isprintable() for name in watch.end(0)[0])


def test_plateau_has_no_rate_before_its_first_step():
    with fluid.dygraph.guard():
        layer = Linear(2, 1)
        rate = fluid.dygraph.ReduceLROnPlateau(0.1)
        optimizer = fluid.optimizer.SGD(rate, parameter_list=layer.parameters())
        watch = Watch(layer, optimizer)
        watch.begin(0)
        assert "lr" not in watch.end(0)[0]


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        (([],), TypeError, "`model`"),
        ((nn.ReLU(), 0.1), TypeError, "`optimizer`"),
        ((nn.ReLU(), None, 0), ValueError, "`every`"),
        ((nn.ReLU(), None, 1.5), ValueError, "`every`"),
        ((nn.ReLU(), None, True), ValueError, "`every`"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, named):
    with pytest.raises(error, match=named):
        Watch(*arguments)


@pytest.mark.parametrize(
    "state", [{}, {"has_table": 1, "silent": {}}, {"has_table": True, "silent": {"a": [1]}}]
)
def test_foreign_state_is_refused(state):
    with pytest.raises(CheckpointError, match="`state`"):
        Watch(nn.ReLU()).load_state_dict(state)
