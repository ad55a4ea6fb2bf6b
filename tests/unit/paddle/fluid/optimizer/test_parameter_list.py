"""Which parameters are trained: those that `parameters()` found when the optimizer was made.

As in Paddle 1.8.5, of which the facts here were recorded.
"""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid import optimizer


class Network(fluid.dygraph.Layer):
    """Has Layers and parameters where Paddle does not look, and one that is made late."""

    def __init__(self):
        super().__init__()
        self.found = fluid.dygraph.Linear(2, 2)
        self.in_list = [fluid.dygraph.Linear(2, 2)]
        self.in_tuple = (fluid.dygraph.Linear(2, 2),)
        self.in_dict = {"x": fluid.dygraph.Linear(2, 2)}
        self.bare = [self.create_parameter([2, 2])]
        self.cell = L.GRUCell(2)
        self.late = None

    def forward(self, x):
        if self.late is None:
            self.late = fluid.dygraph.Linear(2, 2)
        for layer in (self.found, self.in_list[0], self.in_tuple[0], self.in_dict["x"], self.late):
            x = layer(x)
        return self.cell(L.matmul(x, self.bare[0]), x)[0]

    def weights(self):
        layers = (self.found, self.in_list[0], self.in_tuple[0], self.in_dict["x"], self.late)
        named = {f"{k}": layer.weight for k, layer in enumerate(layers)}
        return named | {"bare": self.bare[0], "cell": self.cell.gru_unit.parameters()[0]}


@pytest.fixture
def network():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield Network()


def step(network, optimizer):
    x = fluid.dygraph.to_variable(np.array([[1.0, 2.0], [0.5, -1.0]], "float32"))
    loss = L.mean(L.square(network(x)))
    loss.backward()
    before = {key: weight.numpy() for key, weight in network.weights().items()}
    optimizer.minimize(loss)
    after = network.weights()
    return {key for key in after if (after[key].numpy() != before[key]).any()}


def test_only_what_a_layer_has_as_attribute_when_the_optimizer_is_made_is_trained(network):
    sgd = optimizer.SGD(0.5, parameter_list=network.parameters())
    for _ in range(2):
        assert step(network, sgd) == {"0"}
        # the others have gradients all the same
        assert all(w.gradient() is not None for w in network.weights().values())
        network.clear_gradients()
    assert list(network.state_dict()) == ["found.weight", "found.bias", "late.weight", "late.bias"]


def test_an_optimizer_made_later_trains_what_came_later(network):
    network(fluid.dygraph.to_variable(np.ones((1, 2), "float32")))
    sgd = optimizer.SGD(0.5, parameter_list=network.parameters())
    assert step(network, sgd) == {"0", "4"}


def test_what_is_added_to_the_list_itself_is_trained(network):
    parameters = network.parameters()
    sgd = optimizer.SGD(0.5, parameter_list=parameters)
    parameters += [network.bare[0], *network.in_list[0].parameters()]
    assert step(network, sgd) == {"0", "1", "bare"}


def test_a_parameter_put_in_the_place_of_another_is_not_trained(network):
    sgd = optimizer.SGD(0.5, parameter_list=network.parameters())
    network.found.weight = network.create_parameter([2, 2])
    assert step(network, sgd) == set()
