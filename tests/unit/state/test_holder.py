"""Fresh objects with a restored state go on exactly as the originals would have."""

from __future__ import annotations

import random
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as schedules

from refluid.errors import CheckpointError, RefluidWarning, StateError
from refluid.state.digest import digests
from refluid.state.holder import capture, check, restore
from refluid.state.tree import pack, unpack


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # the models are too small for more
    yield
    torch.set_num_threads(before)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 4, 3)
        self.norm = torch.nn.BatchNorm2d(4)
        self.out = torch.nn.Linear(4 * 36, 5)
        self.rare = torch.nn.Linear(4 * 36, 5)  # has a gradient in some steps only

    def forward(self, x, step):
        hidden = self.norm(self.conv(x)).relu().flatten(1)
        return (self.rare if step % 3 == 2 else self.out)(hidden)


class Program:
    """Objects and a loop: `run` makes steps whose data depend on the step's number alone."""

    def __init__(self, optimizer, schedule=None, dtype=torch.float32):
        torch.manual_seed(1)
        self.model = Net().to(dtype).to(memory_format=torch.channels_last)
        self.optimizer = optimizer(self.model.parameters())
        self.schedule = schedule(self.optimizer) if schedule else None
        self.dtype = dtype

    def objects(self):
        found = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}
        return {name: obj for name, obj in found.items() if obj is not None}

    def run(self, first, last):
        losses = []
        for step in range(first, last):
            draw = torch.Generator().manual_seed(step)
            x = torch.rand(6, 1, 8, 8, generator=draw).to(self.dtype)
            y = torch.randint(5, (6,), generator=draw)

            def loss_of(x=x, y=y, step=step):
                self.optimizer.zero_grad(set_to_none=step % 2 == 0)
                loss = torch.nn.functional.cross_entropy(self.model(x, step).float(), y)
                loss.backward()
                return loss

            loss = self.optimizer.step(loss_of)
            if isinstance(self.schedule, schedules.ReduceLROnPlateau):
                self.schedule.step(1.0 + step // 4)
            elif self.schedule is not None:
                self.schedule.step()
            losses.append(float(loss.detach()).hex())
        return losses


def state_of(objects):
    value = {}
    for name, obj in objects.items():
        check(name, obj)
        value[name] = capture(obj)
    return pack(value)


def put_back(objects, packed):
    value = unpack(packed)
    for name, obj in objects.items():
        restore(name, obj, value[name])


def assert_goes_on_exactly(make, steps=8, total=14):
    whole = make()
    expected = whole.run(0, total)
    assert len(set(expected[3:])) > 3, "the model is dead, so nothing is tested"
    killed = make()
    killed.run(0, steps)
    packed = state_of(killed.objects())
    killed.run(steps, total)  # a pack does not change with what it was made of
    fresh = make()
    put_back(fresh.objects(), packed)
    assert digests(state_of(fresh.objects())) == digests(packed)
    assert fresh.run(steps, total) == expected[steps:]
    assert digests(state_of(fresh.objects())) == digests(state_of(whole.objects()))


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, 0.05),
    "momentum": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
    "Adam": lambda p: torch.optim.Adam(p, 0.01),
    "Adam amsgrad": lambda p: torch.optim.Adam(p, 0.01, amsgrad=True),
    "Adam fused": lambda p: torch.optim.Adam(p, 0.01, fused=True),
    "Adam foreach": lambda p: torch.optim.Adam(p, 0.01, foreach=True),
    "Adam tensor lr": lambda p: torch.optim.Adam(p, torch.tensor(0.01)),
    "AdamW": lambda p: torch.optim.AdamW(p, 0.01),
    "AdamW two groups": lambda p: torch.optim.AdamW(
        [{"params": list(p)[:3], "lr": 0.02}, {"params": [torch.nn.Parameter(torch.ones(2))]}]
    ),
    "Adamax": lambda p: torch.optim.Adamax(p, 0.01),
    "NAdam": lambda p: torch.optim.NAdam(p, 0.01),
    "RAdam": lambda p: torch.optim.RAdam(p, 0.01),
    "RMSprop": lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.9, centered=True),
    "Rprop": lambda p: torch.optim.Rprop(p, 0.01),
    "Adagrad": lambda p: torch.optim.Adagrad(p, 0.01),
    "Adadelta": lambda p: torch.optim.Adadelta(p, 0.5),
    "ASGD": lambda p: torch.optim.ASGD(p, 0.05, t0=5),
    "Adafactor": lambda p: torch.optim.Adafactor(p, 0.05),
    "LBFGS": lambda p: torch.optim.LBFGS(p, 0.05, max_iter=2, history_size=4),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_of_torch_goes_on_exactly(name, dtype):
    assert_goes_on_exactly(lambda: Program(OPTIMIZERS[name], dtype=dtype))


def sequential(optimizer):
    return schedules.SequentialLR(
        optimizer,
        [
            schedules.LinearLR(optimizer, 0.1, total_iters=5),
            schedules.ExponentialLR(optimizer, 0.9),
        ],
        milestones=[11],
    )


def chained(optimizer):
    parts = [schedules.ConstantLR(optimizer, 0.5, 12), schedules.ExponentialLR(optimizer, 0.9)]
    return schedules.ChainedScheduler(parts, optimizer=optimizer)


SCHEDULES = {
    "LambdaLR": lambda o: schedules.LambdaLR(o, lambda n: 0.9**n),
    "MultiplicativeLR": lambda o: schedules.MultiplicativeLR(o, lambda n: 0.95),
    "StepLR": lambda o: schedules.StepLR(o, 4),
    "MultiStepLR": lambda o: schedules.MultiStepLR(o, [3, 8, 8, 12]),
    "ConstantLR": lambda o: schedules.ConstantLR(o, 0.5, 12),
    "LinearLR": lambda o: schedules.LinearLR(o, 0.1, total_iters=15),
    "ExponentialLR": lambda o: schedules.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda o: schedules.PolynomialLR(o, 18, 2),
    "CosineAnnealingLR": lambda o: schedules.CosineAnnealingLR(o, 7),
    "CosineAnnealingWarmRestarts": lambda o: schedules.CosineAnnealingWarmRestarts(o, 4, 2),
    "OneCycleLR": lambda o: schedules.OneCycleLR(o, 0.1, total_steps=25),
    "CyclicLR": lambda o: schedules.CyclicLR(o, 0.001, 0.1, 4),
    "ReduceLROnPlateau": lambda o: schedules.ReduceLROnPlateau(o, patience=1),
    "SequentialLR": sequential,
    "ChainedScheduler": chained,
    "SWALR": lambda o: torch.optim.swa_utils.SWALR(o, 0.01, anneal_epochs=15),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_of_torch_goes_on_exactly(name):
    assert_goes_on_exactly(lambda: Program(OPTIMIZERS["momentum"], SCHEDULES[name]))


def test_states_of_an_optimizer_keep_types_that_torch_would_convert():
    class Master(torch.optim.SGD):
        """Keeps a float32 copy and an integer beside each bfloat16 weight."""

        def step(self, closure=None):
            for p in self.param_groups[0]["params"]:
                state = self.state[p]
                state.setdefault("master", p.detach().float() + 1e-6)
                state.setdefault("count", torch.tensor(2**40))

    def make():
        return Master([torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))], 0.1)

    old, new = make(), make()
    old.step()
    packed = state_of({"o": old})
    put_back({"o": new}, packed)
    (state,) = new.state.values()
    assert (state["master"].dtype, state["count"].dtype) == (torch.float32, torch.int64)
    assert digests(state_of({"o": new})) == digests(packed)


def test_gradients_added_up_over_steps_go_on():
    def make():
        torch.manual_seed(0)
        return torch.nn.Linear(2, 1)

    old, new = make(), make()
    old(torch.ones(1, 2)).sum().backward()
    new.bias.grad = torch.ones(1)
    old.bias.grad = None
    packed = state_of({"m": old})
    put_back({"m": new}, packed)
    assert new.weight.grad.tolist() == [[1, 1]]
    assert new.bias.grad is None


def test_sparse_gradients_go_on():
    old, new = torch.nn.Embedding(5, 2, sparse=True), torch.nn.Embedding(5, 2, sparse=True)
    old(torch.tensor([1, 3, 3])).sum().backward()
    put_back({"m": new}, state_of({"m": old}))
    assert new.weight.grad.layout == torch.sparse_coo
    assert torch.equal(new.weight.grad.to_dense(), old.weight.grad.to_dense())
    assert new.weight.grad.is_coalesced() == old.weight.grad.is_coalesced()


def test_the_version_of_a_modules_state_reaches_it():
    class Versioned(torch.nn.Linear):
        _version = 7
        got = None

        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
            self.got = local_metadata.get("version")
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    new = Versioned(1, 1)
    put_back({"m": new}, state_of({"m": Versioned(1, 1)}))
    assert new.got == 7


def test_tied_weights_stay_tied():
    def make():
        model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
        model[1].weight = model[0].weight
        return model

    old, new = make(), make()
    put_back({"m": new}, state_of({"m": old}))
    assert new[1].weight is new[0].weight
    assert torch.equal(new[0].weight, old[0].weight)


def test_an_average_of_weights_goes_on():
    def make():
        torch.manual_seed(0)
        return torch.optim.swa_utils.AveragedModel(torch.nn.Linear(2, 2))

    old, new = make(), make()
    old.update_parameters(torch.nn.Linear(2, 2))
    packed = state_of({"m": old})
    put_back({"m": new}, packed)
    assert digests(state_of({"m": new})) == digests(packed)


def test_a_gradient_scaler_goes_on():
    old = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=7)
    new = torch.amp.GradScaler("cpu")
    put_back({"s": new}, state_of({"s": old}))
    assert new.state_dict() == old.state_dict()


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.random.default_rng(3),
        lambda: np.random.Generator(np.random.Philox(3)),
        lambda: np.random.Generator(np.random.MT19937(3)),
        lambda: np.random.RandomState(3),
    ],
)
def test_generators_of_numpy_go_on(make):
    old, new = make(), make()
    old.normal(size=5)
    old.integers(9, dtype="i4") if hasattr(old, "integers") else old.normal()
    packed = state_of({"g": old})
    expected = old.normal(size=3).tolist(), old.bytes(3)
    put_back({"g": new}, packed)
    assert (new.normal(size=3).tolist(), new.bytes(3)) == expected


def test_generators_of_python_and_torch_go_on():
    old = {"p": random.Random(1), "t": torch.Generator().manual_seed(4)}
    old["p"].gauss(0, 1)
    packed = state_of(old)
    expected = old["p"].gauss(0, 1), torch.rand(3, generator=old["t"]).tolist()
    new = {"p": random.Random(), "t": torch.Generator()}
    put_back(new, packed)
    assert (new["p"].gauss(0, 1), torch.rand(3, generator=new["t"]).tolist()) == expected


def test_tensors_dicts_and_lists_are_restored_in_place():
    old = {
        "t": torch.arange(3.0, requires_grad=True),
        "d": {"best": 0.5, "history": [1, 2]},
        "o": OrderedDict(a=1),
        "l": [1, "x", np.ones(2)],
    }
    (old["t"] * 2).sum().backward()
    packed = state_of(old)
    weight = torch.zeros(3, requires_grad=True)
    new = {"t": weight, "d": {"other": 1}, "o": OrderedDict(), "l": []}
    kept = dict(new)
    put_back(new, packed)
    assert all(new[name] is kept[name] for name in new)
    assert weight.tolist() == [0, 1, 2]
    assert weight.grad.tolist() == [2, 2, 2]
    assert weight.requires_grad
    assert new["d"] == old["d"]
    assert new["l"][2].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (object(), "`thing` is a object, which has no state"),
        (3, "no state"), (None, "no state"), (lambda: 1, "no state"), ((1, 2), "no state"),
        (random.SystemRandom(), "`thing` cannot be captured"),
        ({"a": {"b": object()}}, r"`thing\.a\.b`"), ([1, object()], r"`thing\.1`"),
        (torch.eye(2).to_sparse(), r"`thing\.value` is a sparse_coo tensor"),
        (torch.nn.Linear(2, 2, device="meta"), r"`thing\.weight` is a meta tensor"),
    ],
)  # fmt: skip
def test_what_has_no_state_is_refused_by_name(obj, message):
    with pytest.raises(StateError, match=message):
        check("thing", obj)


def value_of(obj):
    return unpack(state_of({"x": obj}))["x"]


def adam_state(steps=1):
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(steps):
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
    return value_of(optimizer)


def parameters(*shapes):
    return [torch.nn.Parameter(torch.ones(shape)) for shape in shapes]


def step_schedule(make):
    return make(torch.optim.SGD(parameters(2), 0.1))


MISFITS = {
    "shape": (
        lambda: value_of(torch.nn.Linear(2, 3)), lambda: torch.nn.Linear(4, 3),
        r"`weight` had shape \[3, 2\] and has \[3, 4\]",
    ),
    "dtype": (
        lambda: value_of(torch.nn.Linear(2, 3)), lambda: torch.nn.Linear(2, 3).double(),
        "`weight` had dtype torch.float32 and has torch.float64; `bias`",
    ),
    "missing and unexpected": (
        lambda: value_of(torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1))),
        lambda: torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1)),
        r"`1\.running_mean` is not in the checkpoint",
    ),
    "fewer": (
        lambda: value_of(torch.nn.Linear(1, 1)), lambda: torch.nn.Linear(1, 1, bias=False),
        "`bias` is only in the checkpoint",
    ),
    "tensor": (lambda: value_of(torch.ones(2)), lambda: torch.ones(3), r"had shape \[2\]"),
    "another optimizer": (
        adam_state, lambda: torch.optim.SGD(parameters((2, 2), 2), 0.1), "group 0 has no 'momentum'"
    ),
    "another number of parameters": (
        adam_state, lambda: torch.optim.Adam(parameters((2, 2))), "size of optimizer's group"
    ),
    "another schedule": (
        lambda: value_of(step_schedule(lambda o: schedules.StepLR(o, 3))),
        lambda: step_schedule(lambda o: schedules.ExponentialLR(o, 0.9)),
        "`step_size` is only in the checkpoint",
    ),
    "schedule of a plainer kind": (
        lambda: value_of(step_schedule(lambda o: schedules.ExponentialLR(o, 0.9))),
        lambda: step_schedule(lambda o: schedules.StepLR(o, 3)),
        "`step_size` is not in the checkpoint",
    ),
    "a module for a dict": (lambda: {"a": 1}, lambda: torch.nn.Linear(1, 1), "is not in the"),
    "a number for a module": (lambda: 3, lambda: torch.nn.Linear(1, 1), "does not fit"),
    "a number for an optimizer": (
        lambda: 3, lambda: torch.optim.SGD(parameters(2), 0.1), "does not fit"
    ),
    "a number for a list": (lambda: 3, list, "does not fit"),
    "a list for a dict": (lambda: [3], dict, "does not fit"),
    "a number for a generator": (lambda: 3, torch.Generator, "does not fit"),
    "another generator of numpy's": (
        lambda: value_of(np.random.Generator(np.random.Philox(1))), np.random.default_rng,
        "does not fit",
    ),
    "none for a generator": (lambda: None, random.Random, "does not fit"),
    "a dict for a generator": (lambda: {}, np.random.RandomState, "does not fit"),
    "position outside of numpy's buffer": (
        lambda: {"bit_generator": "MT19937", "state": {"key": np.zeros(624, "u4"), "pos": 10**6},
                 "has_gauss": 0, "gauss": 0.0},
        np.random.RandomState, "no state of MT19937",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISFITS)
def test_a_state_that_does_not_fit_is_an_error_that_names_it(case):
    make_value, make_object, message = MISFITS[case]
    obj = make_object()
    with pytest.raises(CheckpointError, match=message) as caught:
        restore("thing", obj, make_value())
    assert "`thing`" in str(caught.value)


def test_a_module_is_unchanged_where_the_state_does_not_fit():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    before = digests(state_of({"m": model}))
    other = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 3))
    with pytest.raises(CheckpointError):
        restore("m", model, value_of(other))
    assert digests(state_of({"m": model})) == before


class Forgetful:
    """Its `load_state_dict` loses a part of the state."""

    def __init__(self, forget):
        self.count, self.forget = 0, forget

    def state_dict(self):
        return {"count": self.count, "scale": 0.1, **({} if self.forget else {"more": 1})}

    def load_state_dict(self, state):
        self.count = state["count"] // 2


def test_an_object_that_gives_back_other_bits_is_warned_of():
    obj = Forgetful(forget=False)
    with pytest.warns(RefluidWarning, match="`thing` does not give back .*`count` has other bits"):
        restore("thing", obj, {"count": 8, "scale": 0.1, "more": 1})


def test_an_object_that_loses_a_key_is_an_error():
    with pytest.raises(CheckpointError, match="`more` is only in the checkpoint"):
        restore("thing", Forgetful(forget=True), {"count": 0, "scale": 0.1, "more": 1})


def test_errors_of_an_objects_own_method_are_named_and_kept():
    class Broken(Forgetful):
        def load_state_dict(self, state):
            raise KeyError("inner")

    with pytest.raises(CheckpointError, match="`thing` .*KeyError: 'inner'") as caught:
        restore("thing", Broken(forget=False), {})
    assert isinstance(caught.value.__cause__, KeyError)
