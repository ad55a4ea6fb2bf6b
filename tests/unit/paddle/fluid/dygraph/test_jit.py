"""Traced Layers and decorated functions: what they give, and what is fixed by a trace."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from refluid.errors import UnsupportedFluidAPI
from refluid.paddle.fluid import dygraph, layers
from refluid.paddle.fluid.compiler import BuildStrategy, ExecutionStrategy
from refluid.paddle.fluid.core_avx.tracer import use_tracer
from refluid.paddle.fluid.dygraph import TracedLayer, declarative, dygraph_to_static_func, jit

X = np.arange(8, dtype="float32").reshape(2, 4)


class Network(dygraph.Layer):
    """A matrix, and BatchNorm, which shows in its statistics whether it trains."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = dygraph.Linear(4, 3)
        self.norm = dygraph.BatchNorm(3)

    def forward(self, x, y=None):
        out = self.norm(self.linear(x))
        return out if y is None else (out, out + y)


@pytest.fixture(autouse=True)
def _guard() -> Iterator[None]:
    with dygraph.guard():
        yield


def test_trace_gives_outputs_and_a_layer_that_gives_them_again() -> None:
    network = Network()
    x = dygraph.to_variable(X)
    outputs, traced = TracedLayer.trace(network, inputs=[x])
    again = traced([x])
    assert isinstance(again, list)
    assert type(again[0]) is np.ndarray
    assert again[0].tolist() == outputs.numpy().tolist()


def test_outputs_of_trace_have_gradients() -> None:
    network = Network()
    outputs, _ = TracedLayer.trace(network, [dygraph.to_variable(X)])
    layers.reduce_sum(outputs * outputs).backward()
    assert network.linear.weight.gradient() is not None


def test_traced_layer_takes_other_inputs_and_new_weights() -> None:
    linear = dygraph.Linear(4, 3)
    _, traced = TracedLayer.trace(linear, [dygraph.to_variable(X)])
    linear.weight.set_value(np.ones((4, 3), "float32"))
    more = np.ones((5, 4), "float32")
    assert traced([dygraph.to_variable(more)])[0].tolist() == np.full((5, 3), 4.0).tolist()


def test_several_outputs_come_as_a_list() -> None:
    network = Network()
    x, y = dygraph.to_variable(X), dygraph.to_variable(np.ones((2, 3), "float32"))
    outputs, traced = TracedLayer.trace(network, [x, y])
    assert isinstance(outputs, tuple)
    first, second = traced((x, y))
    np.testing.assert_array_equal(second, first + 1)


def test_inputs_within_lists_are_filled_anew_and_others_stay() -> None:
    class Total(dygraph.Layer):
        def forward(self, pair, factor):
            return (pair[0] + pair[1][0]) * factor

    one = dygraph.to_variable(np.ones(2, "float32"))
    _, traced = TracedLayer.trace(Total(), [[one, (one,)], 3])
    two = dygraph.to_variable(np.full(2, 2.0, "float32"))
    assert traced([one, two])[0].tolist() == [9.0, 9.0]
    found = jit.extract_vars([one, [two, (one, 3)], {"a": one}])
    assert [id(variable) for variable in found] == [id(one), id(two), id(one)]


def test_mode_of_the_trace_is_kept() -> None:
    """As in Paddle 1.8.5, where these were the moving means after each of three calls."""
    network = Network()
    network.linear.weight.set_value(np.ones((4, 3), "float32"))
    x = dygraph.to_variable(np.ones((2, 4), "float32"))
    _, traced = TracedLayer.trace(network, [x])
    means = []
    for prepare in (network.train, network.eval):
        prepare()
        traced([x])
        means.append(network.norm._mean.numpy()[0])
    assert not network.norm.training
    with dygraph.no_grad():
        traced([x])
    means.append(network.norm._mean.numpy()[0])
    np.testing.assert_allclose(means, [0.76, 1.084, 1.3756], rtol=1e-6)
    network.train()


def test_trace_in_evaluation_stays_so() -> None:
    network = Network()
    network.eval()
    _, traced = TracedLayer.trace(network, [dygraph.to_variable(X)])
    network.train()
    before = network.norm._mean.numpy()
    traced([dygraph.to_variable(X)])
    assert network.norm._mean.numpy().tolist() == before.tolist()
    assert network.norm.training


def test_traced_layer_outside_of_a_guard_takes_arrays() -> None:
    linear = dygraph.Linear(4, 3)
    outputs, traced = TracedLayer.trace(linear, [dygraph.to_variable(X)])
    expected = outputs.numpy()
    with pytest.raises(TypeError, match="`inputs` must hold variables, but one is of type ndarray"):
        traced([X])
    with use_tracer(None):
        np.testing.assert_array_equal(traced([X])[0], expected)
        with pytest.raises(AssertionError, match="trace works in the dynamic graph only"):
            TracedLayer.trace(linear, [X])


def test_wrong_arguments_of_a_trace_are_refused() -> None:
    x = dygraph.to_variable(X)
    _, traced = TracedLayer.trace(dygraph.Linear(4, 3), x)
    with pytest.raises(AssertionError, match="`inputs` must be a list or tuple"):
        traced(x)
    with pytest.raises(AssertionError, match="`inputs` must hold 1 variables"):
        traced([x, x])
    with pytest.raises(AssertionError, match="`layer` must be a Layer, but received function"):
        TracedLayer.trace(lambda x: x, [x])

    class Number(dygraph.Layer):
        def forward(self, x):
            return 3.0

    with pytest.raises(TypeError, match="must return variables"):
        TracedLayer.trace(Number(), [x])


def test_strategy_is_accepted_before_the_first_call_only() -> None:
    x = dygraph.to_variable(X)
    _, traced = TracedLayer.trace(dygraph.Linear(4, 3), [x])
    traced.set_strategy(BuildStrategy(), ExecutionStrategy())
    traced.set_strategy()
    with pytest.raises(TypeError, match=r"`build_strategy` must be a fluid\.BuildStrategy"):
        traced.set_strategy(3)
    traced([x])
    with pytest.raises(AssertionError, match="set_strategy must be called before"):
        traced.set_strategy()


def test_what_needs_the_static_graph_is_refused() -> None:
    _, traced = TracedLayer.trace(dygraph.Linear(4, 3), [dygraph.to_variable(X)])
    with pytest.raises(UnsupportedFluidAPI, match=r"Instead: `fluid\.dygraph\.save_dygraph"):
        traced.save_inference_model("folder")
    with pytest.raises(UnsupportedFluidAPI, match=r"`TracedLayer\.program` is"):
        _ = traced.program
    with pytest.raises(UnsupportedFluidAPI, match=r"`TracedLayer\.trace\(layer, inputs\)` makes"):
        TracedLayer(None, [], [], [])


def test_decorated_functions_run_in_the_dynamic_graph() -> None:
    @declarative
    def branch(x):
        """What it does."""
        x = dygraph.to_variable(x)
        if layers.mean(x) < 0:
            return x - 1
        return x + 1

    assert branch(np.ones([1, 2])).numpy().tolist() == [[2.0, 2.0]]
    assert branch(x=-np.ones([1, 2])).numpy().tolist() == [[-2.0, -2.0]]
    assert (branch.__name__, branch.__doc__) == ("branch", "What it does.")


def test_decorated_methods_have_gradients() -> None:
    class Model(dygraph.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.linear = dygraph.Linear(4, 3)

        @declarative
        def forward(self, x):
            return self.linear(x)

    model = Model()
    layers.reduce_sum(model(dygraph.to_variable(X))).backward()
    assert model.linear.weight.gradient()[:, 0].tolist() == [4.0, 6.0, 8.0, 10.0]


def test_other_decorator_leaves_functions_as_they_are() -> None:
    @dygraph_to_static_func
    def double(x):
        return x * 2

    assert double(dygraph.to_variable(X)).numpy().tolist() == (2 * X).tolist()
    for decorate in (declarative, dygraph_to_static_func):
        with pytest.raises(TypeError, match="`func` must be a function, but received int"):
            decorate(3)
