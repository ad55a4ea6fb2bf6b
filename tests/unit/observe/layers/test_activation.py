"""Units whose output stays 0 are found, and named by the layer that they are of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from refluid.observe.layers import DeadUnits, inspect
from refluid.paddle import fluid
from refluid.paddle.fluid.dygraph import BatchNorm, Conv2D, Linear


def kill(bias, *units):
    with torch.no_grad():
        values = bias.detach().clone() if type(bias) is nn.Parameter else torch.zeros(len(bias))
        values.fill_(100.0)
        values[list(units)] = -1000.0
        bias.data.copy_(values)


def sentences(model, *batches):
    with inspect(model) as look:
        for batch in batches:
            model(batch)
    return [found.sentence for found in look.dead()]


class Net(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.conv2 = nn.Conv2d(1, 20, 3)
        self.activation = activation
        kill(self.conv2.bias, 3, 5)

    def forward(self, x):
        return self.activation(self.conv2(x))


@pytest.mark.parametrize(
    "activation",
    [
        nn.ReLU(),
        nn.ReLU(inplace=True),
        nn.ReLU6(),
        nn.Hardswish(),
        nn.GELU(),
        functional.relu,
        lambda x: functional.relu(x, inplace=True),
        torch.relu,
        torch.relu_,
        torch.Tensor.relu,
        lambda x: x.relu_(),
        lambda x: x.clamp(min=0),
        lambda x: torch.clamp(x, 0),
        lambda x: x.clamp_min(0),
        lambda x: functional.dropout(torch.relu(x), 0.1, training=False),
    ],
)
def test_activation_is_counted_to_the_layer_before_it(activation):
    found = sentences(Net(activation), torch.rand(4, 1, 6, 6))
    assert found == ["conv2: 2 of 20 channels always 0 (3, 5)"]


@pytest.mark.parametrize(
    "other", [lambda x: x, torch.tanh, lambda x: x.clamp(0, 1), lambda x: x.clamp(min=0.5)]
)
def test_what_rectifies_nothing_has_no_dead_units(other):
    assert sentences(Net(other), torch.rand(4, 1, 6, 6)) == []


def test_healthy_layer_has_no_finding():
    model = Net(torch.relu)
    kill(model.conv2.bias)
    assert sentences(model, torch.rand(4, 1, 6, 6)) == []


def test_many_units_are_shortened():
    model = Net(torch.relu)
    kill(model.conv2.bias, *range(1, 11))
    assert sentences(model, torch.rand(1, 1, 6, 6)) == [
        "conv2: 10 of 20 channels always 0 (1, 2, 3, 4, 5, 6, 7, 8, ...)"
    ]


def test_unit_that_answered_once_is_alive():
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU())
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(3))
    rows = [torch.tensor([row], dtype=torch.float32) for row in [(1, -1, -1), (-1, 1, -1)]]
    assert sentences(model, rows[0]) == ["0: 2 of 3 features always 0 (1, 2)"]
    assert sentences(model, *rows) == ["0: 1 of 3 features always 0 (2)"]
    assert sentences(model, rows[1], rows[0], rows[1]) == ["0: 1 of 3 features always 0 (2)"]


def test_features_of_sequences_are_in_the_last_dimension():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU())
    kill(model[0].bias, 1)
    assert sentences(model, torch.rand(3, 7, 2)) == ["0: 1 of 4 features always 0 (1)"]


def test_one_sample_without_a_batch_has_its_channels_first():
    assert sentences(Net(torch.relu), torch.rand(1, 6, 6)) == [
        "conv2: 2 of 20 channels always 0 (3, 5)"
    ]


class Residual(nn.Module):
    """As in a ResNet: what the second activation is applied to is no layer's output."""

    def __init__(self, last):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.last = last
        kill(self.norm1.bias, 2)
        kill(self.conv2.bias, 0)

    def forward(self, x):
        y = self.conv2(self.relu(self.norm1(self.conv1(x))))
        y += x
        return self.last(self, y)


@pytest.mark.parametrize(
    ("last", "name"),
    [
        (lambda block, y: block.relu(y), "1.relu"),
        (lambda block, y: functional.relu(y), "1"),
        (lambda block, y: functional.relu(y) + 0, "1.relu()"),
        (lambda block, y: functional.relu(functional.relu(y) * 1) + 0, "1.relu()"),
    ],
)
def test_activation_of_a_sum_is_named_by_itself_or_by_the_block(last, name):
    model = nn.Sequential(nn.Identity(), Residual(last))
    found = sentences(model, torch.rand(4, 4, 6, 6))
    assert "1.norm1: 1 of 4 channels always 0 (2)" in found
    assert f"{name}: 1 of 4 channels always 0 (0)" in found
    assert not [each for each in found if each.startswith("1.conv2")]


def test_module_shared_by_two_layers_is_counted_to_each():
    relu = nn.ReLU()
    model = nn.Sequential(nn.Linear(2, 3), relu, nn.Linear(3, 5), relu)
    kill(model[0].bias, 1)
    kill(model[2].bias, 0, 4)
    assert sentences(model, torch.rand(4, 2)) == [
        "0: 1 of 3 features always 0 (1)",
        "2: 2 of 5 features always 0 (0, 4)",
    ]


def test_activation_of_the_input_is_named_by_itself():
    assert sentences(nn.Sequential(nn.ReLU()), torch.tensor([[-1.0, 1.0]])) == [
        "0: 1 of 2 features always 0 (0)"
    ]


def test_one_activation_for_several_widths_is_told_apart():
    class Wide(nn.Module):
        def forward(self, x):
            return functional.relu(-x[:, :2]).sum() + functional.relu(-x[:, 2:] + 0).sum()

    model = Wide()
    with inspect(model) as look:
        model(torch.rand(3, 5))
    assert [found.layer for found in look.dead()] == ["relu()", "relu#2()"]

    with inspect(relu := nn.ReLU()) as look:
        relu(-torch.rand(3, 5))
        relu(-torch.rand(3, 4))
    assert [found.layer for found in look.dead()] == ["(model)", "(model)[4]"]


# --- fluid ------------------------------------------------------------------------------------


class Fluid(fluid.dygraph.Layer):
    def __init__(self, act, then):
        super().__init__()
        self.conv = Conv2D(1, 6, 3, act=act)
        self.norm = BatchNorm(6, act=act)
        self.fc = Linear(96, 5, act=act)
        self.then = then
        for layer, unit in ((self.conv, 1), (self.norm, 2), (self.fc, 3)):
            kill(layer.bias, unit)
        self.fc.weight.data.zero_()

    def forward(self, x):
        x = self.then(self.norm(self.then(self.conv(x))))
        return self.then(self.fc(fluid.layers.reshape(x, [-1, 96])))


@pytest.mark.parametrize(
    ("act", "then"),
    [("relu", lambda x: x), (None, fluid.layers.relu), (None, lambda x: fluid.layers.relu6(x))],
)
@pytest.mark.parametrize("training", [True, False])
def test_activations_of_fluid_are_counted_to_their_layers(act, then, training):
    with fluid.dygraph.guard():
        model = Fluid(act, then)
        if not training:
            model.eval()
        images = np.random.default_rng(1).random((4, 1, 6, 6), dtype=np.float32)
        assert sentences(model, fluid.dygraph.to_variable(images)) == [
            "conv: 1 of 6 channels always 0 (1)",
            "norm: 1 of 6 channels always 0 (2)",
            "fc: 1 of 5 features always 0 (3)",
        ]


def test_sum_of_fluid_with_an_activation_is_named_by_its_block():
    class Block(fluid.dygraph.Layer):
        def forward(self, x):
            return fluid.layers.elementwise_add(x, x, act="relu")

    with fluid.dygraph.guard():
        x = fluid.dygraph.to_variable(np.array([[1.0, -1.0]], np.float32))
        assert sentences(Block(), x) == ["(model): 1 of 2 features always 0 (1)"]


def test_finding_is_its_sentence():
    found = DeadUnits("conv2", "relu", (3, 5), 20, "channels")
    assert str(found) == found.sentence == "conv2: 2 of 20 channels always 0 (3, 5)"
