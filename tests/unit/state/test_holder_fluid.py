"""Layers, optimizers and decays of fluid programs go on exactly as the originals would have."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.errors import CheckpointError
from refluid.paddle import fluid
from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.dygraph import BatchNorm, Conv2D, Embedding, Linear, Pool2D
from refluid.state.digest import digests
from refluid.state.holder import capture, check, restore
from refluid.state.tree import pack, unpack


class Net(fluid.dygraph.Layer):
    def __init__(self, classes=5):
        super().__init__()
        self.conv = Conv2D(1, 4, 3, padding=1)
        self.norm = BatchNorm(4, act="relu")
        self.pool = Pool2D(2, "max", 2)
        self.out = Linear(64, classes)
        self.rare = Linear(64, classes)

    def forward(self, x, step):
        hidden = fluid.layers.reshape(self.pool(self.norm(self.conv(x))), [-1, 64])
        hidden = fluid.layers.dropout(hidden, 0.2, dropout_implementation="upscale_in_train")
        return (self.rare if step % 5 == 4 else self.out)(hidden)


class Program:
    def __init__(self, optimizer, classes=5):
        with unique_name.guard():  # as in a process of its own
            torch.manual_seed(1)
            self.model = Net(classes)
            self.optimizer = optimizer(self.model.parameters())

    def objects(self):
        return {"model": self.model, "optimizer": self.optimizer}

    def run(self, first, last, clear=True):
        losses = []
        with unique_name.guard():
            for step in range(first, last):
                draw = np.random.default_rng(step)
                x = fluid.dygraph.to_variable(draw.random((6, 1, 8, 8), dtype=np.float32))
                y = fluid.dygraph.to_variable(draw.integers(5, size=(6, 1)))
                torch.manual_seed(step)  # of the dropout
                loss = fluid.layers.mean(
                    fluid.layers.softmax_with_cross_entropy(self.model(x, step), y)
                )
                loss.backward()
                self.optimizer.minimize(loss)
                if clear:
                    self.model.clear_gradients()
                losses.append(float(loss.numpy()[0]).hex())
        return losses


@pytest.fixture(autouse=True)
def _dygraph():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield
    torch.set_num_threads(before)


def state_of(objects):
    for name, obj in objects.items():
        check(name, obj)
    return pack({name: capture(obj) for name, obj in objects.items()})


def put_back(objects, packed):
    value = unpack(packed)
    for name, obj in objects.items():
        restore(name, obj, value[name])


POLYNOMIAL = {"decay_steps": 9, "end_learning_rate": 0.001}
decays = fluid.dygraph
DECAYS = {
    "constant": lambda: 0.01,
    "PolynomialDecay": lambda: decays.PolynomialDecay(0.01, **POLYNOMIAL),
    "PolynomialDecay in cycles": lambda: decays.PolynomialDecay(0.01, 4, cycle=True),
    "NoamDecay": lambda: decays.NoamDecay(64, 5),
    "PiecewiseDecay": lambda: decays.PiecewiseDecay([3, 9], [0.01, 0.005, 0.001], 0),
    "CosineDecay": lambda: decays.CosineDecay(0.01, 3, 4),
    "ExponentialDecay": lambda: decays.ExponentialDecay(0.01, 5, 0.5),
    "LinearLrWarmup": lambda: decays.LinearLrWarmup(
        decays.PolynomialDecay(0.01, **POLYNOMIAL), 4, 0.001, 0.01
    ),
}
o = fluid.optimizer
OPTIMIZERS = {
    "SGD": lambda rate, p: o.SGD(rate, parameter_list=p),
    "Momentum": lambda rate, p: o.Momentum(rate, 0.9, parameter_list=p),
    "Adam": lambda rate, p: o.Adam(rate, parameter_list=p),
    "Adamax": lambda rate, p: o.Adamax(rate, parameter_list=p),
    "Adagrad": lambda rate, p: o.Adagrad(rate, parameter_list=p),
    "RMSProp": lambda rate, p: o.RMSProp(rate, momentum=0.5, parameter_list=p),
    "Ftrl": lambda rate, p: o.Ftrl(rate, parameter_list=p),
}


def goes_on_exactly(make, steps, total, **how):
    whole = make()
    expected = whole.run(0, total, **how)
    assert len(set(expected)) == total, "the model is dead, so nothing is tested"
    killed = make()
    killed.run(0, steps, **how)
    packed = state_of(killed.objects())
    killed.run(steps, total, **how)
    fresh = make()
    put_back(fresh.objects(), packed)
    assert digests(state_of(fresh.objects())) == digests(packed)
    assert fresh.run(steps, total, **how) == expected[steps:]
    assert digests(state_of(fresh.objects())) == digests(state_of(whole.objects()))


@pytest.mark.parametrize("clear", [True, False], ids=["cleared", "kept gradients"])
@pytest.mark.parametrize("steps", [1, 6, 10])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on_exactly(name, steps, clear):
    def make():
        decay = DECAYS["PolynomialDecay"]()
        return Program(lambda parameters: OPTIMIZERS[name](decay, parameters))

    goes_on_exactly(make, steps, 12, clear=clear)


@pytest.mark.parametrize("name", DECAYS)
def test_every_decay_goes_on_exactly(name):
    def make():
        rate = DECAYS[name]()
        return Program(lambda parameters: OPTIMIZERS["Momentum"](rate, parameters))

    goes_on_exactly(make, 6, 12)


def adam():
    return Program(lambda parameters: o.Adam(0.01, parameter_list=parameters))


def test_nothing_is_lost_when_a_state_is_saved_again_before_it_was_used():
    old, new, newest = adam(), adam(), adam()
    old.run(0, 6)
    packed = state_of(old.objects())
    put_back(new.objects(), packed)
    new.run(6, 8)  # the layer `rare` has no gradient in these steps
    put_back(newest.objects(), state_of(new.objects()))
    assert newest.run(8, 12) == adam().run(0, 12)[8:]


def test_a_decay_can_be_tracked_alone():
    old, new = (decays.ReduceLROnPlateau(0.1, patience=1) for _ in range(2))
    for loss in (3.0, 2.0, 2.5, 2.6):
        old.step(fluid.dygraph.to_variable(np.array([loss], np.float32)))
    packed = state_of({"decay": old})
    put_back({"decay": new}, packed)
    for decay in (old, new):
        decay.step(fluid.dygraph.to_variable(np.array([2.7], np.float32)))
    assert new().numpy().tobytes() == old().numpy().tobytes()
    assert digests(state_of({"decay": new})) == digests(state_of({"decay": old}))


def test_sparse_gradients_go_on():
    old, new = Embedding([7, 3], is_sparse=True), Embedding([7, 3], is_sparse=True)
    ids = fluid.dygraph.to_variable(np.array([[1], [4], [1]]))
    fluid.layers.reduce_sum(old(ids)).backward()
    put_back({"layer": new}, state_of({"layer": old}))
    before, after = old.weight.gradient(), new.weight.gradient()
    assert [x.tobytes() for x in before] == [x.tobytes() for x in after]


def test_a_layer_of_another_shape_is_named_and_unchanged():
    old, new = adam(), Program(lambda p: o.Adam(0.01, parameter_list=p), classes=6)
    before = digests(state_of({"m": new.model}))
    value = unpack(state_of({"m": old.model}))["m"]
    with pytest.raises(
        CheckpointError, match=r"`out\.weight` had shape \[64, 5\] and has \[64, 6\]"
    ):
        restore("m", new.model, value)
    assert digests(state_of({"m": new.model})) == before


def test_a_layer_with_other_parameters_is_named():
    value = unpack(state_of({"m": Linear(2, 2)}))["m"]
    with pytest.raises(CheckpointError, match="`bias` is only in the checkpoint"):
        restore("m", Linear(2, 2, bias_attr=False), value)


def test_an_optimizer_of_other_parameters_is_named():
    old = adam()
    old.run(0, 1)
    value = unpack(state_of({"o": old.optimizer}))["o"]
    with unique_name.guard("other_"):
        model = Net()
    optimizer = o.Adam(0.01, parameter_list=model.parameters())
    with pytest.raises(CheckpointError, match="no such parameter"):
        restore("o", optimizer, value)


def test_an_optimizer_with_a_decay_needs_one_in_the_state():
    old = adam()
    old.run(0, 1)
    value = unpack(state_of({"o": old.optimizer}))["o"]
    new = Program(lambda p: o.Adam(DECAYS["PolynomialDecay"](), parameter_list=p))
    with pytest.raises(CheckpointError, match="LR_Scheduler"):
        restore("o", new.optimizer, value)


def test_an_optimizer_of_another_kind_is_named():
    old = adam()
    old.run(0, 1)
    value = unpack(state_of({"o": old.optimizer}))["o"]
    new = Program(lambda p: o.Momentum(0.01, 0.9, parameter_list=p))
    with pytest.raises(CheckpointError, match="moment1_0"):
        restore("o", new.optimizer, value)


def test_a_state_without_some_accumulators_of_a_parameter_is_refused():
    old = adam()
    old.run(0, 1)
    value = unpack(state_of({"o": old.optimizer}))["o"]
    del value["conv2d_0.w_0_moment2_0"]
    with pytest.raises(CheckpointError, match=r"no moment2 of conv2d_0\.w_0"):
        restore("o", adam().optimizer, value)


def test_an_accumulator_of_another_shape_is_refused():
    old = adam()
    old.run(0, 1)
    value = unpack(state_of({"o": old.optimizer}))["o"]
    value["conv2d_0.w_0_moment2_0"] = torch.zeros(3)
    with pytest.raises(CheckpointError, match=r"`o` .*shape"):
        restore("o", adam().optimizer, value)
