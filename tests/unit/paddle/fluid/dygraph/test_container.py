"""Containers register what they hold, under Paddle's names."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph.base import guard, to_variable
from refluid.paddle.fluid.dygraph.container import LayerList, ParameterList, Sequential
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn import Linear


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


def held(container):
    return {name: layer.full_name() for name, layer in container.named_sublayers()}


def test_layers_run_one_after_another():
    model = Sequential(Linear(4, 3), Linear(3, 2))
    x = to_variable(np.ones((5, 4), "float32"))
    assert held(model) == {"0": "linear_0", "1": "linear_1"}
    np.testing.assert_array_equal(model(x).numpy(), model[1](model["0"](x)).numpy())
    assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_a_sequence_may_have_names_and_be_changed():
    model = Sequential(("first", Linear(4, 3)), ("second", Linear(3, 2)))
    assert held(model) == {"first": "linear_0", "second": "linear_1"}
    model["third"] = Linear(2, 1)
    del model["second"]
    assert held(model) == {"first": "linear_0", "third": "linear_2"}
    assert len(model) == 2
    with pytest.raises(AssertionError, match="no layer 'second'"):
        del model["second"]


def test_an_empty_sequence_returns_its_input():
    x = to_variable(np.ones(3, "float32"))
    assert Sequential()(x) is x


@pytest.mark.parametrize("bad", [[[]], [3], [np.tanh]])
def test_only_layers_are_taken(bad):
    with pytest.raises(AssertionError, match="must be a Layer"):
        Sequential(*bad)
    with pytest.raises(AssertionError, match="must be a Layer"):
        LayerList(bad)


def test_a_list_of_layers_is_a_list():
    layers = LayerList([Linear(1, 1), Linear(2, 1), Linear(3, 1)])
    assert held(layers) == {"0": "linear_0", "1": "linear_1", "2": "linear_2"}
    assert [layer.full_name() for layer in layers] == ["linear_0", "linear_1", "linear_2"]
    assert layers[0] is layers["0"] is layers[-3]
    assert held(layers[1:]) == {"0": "linear_1", "1": "linear_2"}
    layers[-1] = Linear(4, 1)
    layers.insert(0, Linear(5, 1))
    assert layers.append(Linear(6, 1)).extend([Linear(7, 1)]) is layers
    assert list(held(layers).values()) == [f"linear_{k}" for k in (4, 0, 1, 3, 5, 6)]
    assert list(held(layers)) == [str(k) for k in range(6)]
    del layers[0]
    del layers[1:3]
    assert held(layers) == {"0": "linear_0", "1": "linear_5", "2": "linear_6"}


def test_places_outside_of_a_list_are_refused():
    layers = LayerList([Linear(1, 1)])
    for place in (1, -2):
        with pytest.raises(IndexError, match="out of range for a LayerList of 1"):
            layers[place]
    for place in (1, -1, "0"):
        with pytest.raises(AssertionError, match="`index` must be in the range 0 to 0"):
            layers.insert(place, Linear(1, 1))


def test_a_new_number_is_taken_as_in_paddle():
    layers = LayerList([Linear(1, 1)])
    layers[5] = Linear(2, 1)
    assert held(layers) == {"0": "linear_0", "5": "linear_1"}
    assert layers[5] is layers[-1]


def test_a_list_of_parameters_registers_them():
    make = Layer("maker").create_parameter
    params = ParameterList([make([2]), make([3])])
    assert [(n, p.shape) for n, p in params.named_parameters()] == [("0", [2]), ("1", [3])]
    assert len(params.append(make([4]))) == 3
    assert [p.shape for p in params] == [[2], [3], [4]]
    params[0] = make([5])
    assert params[0].shape == [5]


def test_only_parameters_are_taken():
    parameter = Layer("maker").create_parameter([2])
    for bad in ([3], [parameter, None], parameter):
        with pytest.raises(AssertionError, match="Parameter"):
            ParameterList(bad)
    with pytest.raises(TypeError, match="`parameter` must be a Parameter"):
        ParameterList().append(3)
