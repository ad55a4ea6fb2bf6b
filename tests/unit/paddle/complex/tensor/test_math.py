"""Arithmetic of complex variables, against NumPy's and against gradients of Paddle 1.8.5."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from refluid.paddle import complex as cpx
from refluid.paddle.fluid import dygraph, layers
from refluid.paddle.fluid.core_avx import EnforceNotMet

A = np.array([[1 + 1j, 2 - 1j], [3 + 1j, 4 + 0j]])
B = np.array([[5 + 2j, 6 + 2j], [7 + 2j, 8 - 2j]])
R = np.array([[1.0, 2.0], [3.0, 4.0]])

FORMULAS = {
    "elementwise_add": np.add,
    "elementwise_sub": np.subtract,
    "elementwise_mul": np.multiply,
    "elementwise_div": np.divide,
    "kron": np.kron,
    "matmul": np.matmul,
}
# of sum(real * real + 3 * imag) of f(A, B), with respect to the parts of A and of B
GRADIENTS = {
    "elementwise_add": [
        [[12.0, 16.0], [20.0, 24.0]],
        [[3.0, 3.0], [3.0, 3.0]],
        [[12.0, 16.0], [20.0, 24.0]],
        [[3.0, 3.0], [3.0, 3.0]],
    ],
    "elementwise_sub": [
        [[-8.0, -8.0], [-8.0, -8.0]],
        [[3.0, 3.0], [3.0, 3.0]],
        [[8.0, 8.0], [8.0, 8.0]],
        [[-3.0, -3.0], [-3.0, -3.0]],
    ],
    "elementwise_mul": [
        [[36.0, 174.0], [272.0, 506.0]],
        [[3.0, -38.0], [-55.0, 152.0]],
        [[9.0, 53.0], [117.0, 256.0]],
        [[-3.0, 34.0], [-29.0, 12.0]],
    ],
    "elementwise_div": [
        [[-0.123662, -0.075], [0.001424, 0.198962]],
        [[0.550535, 0.475], [0.428978, 0.32526]],
        [[-0.027102, 0.1375], [-0.008712, -0.131895]],
        [[-0.14568, -0.1], [-0.186134, -0.129656]],
    ],
    "kron": [
        [[320.0, 748.0], [1016.0, 1404.0]],
        [[70.0, -34.0], [-10.0, -82.0]],
        [[295.0, 355.0], [415.0, 491.0]],
        [[22.0, 18.0], [14.0, -14.0]],
    ],
    "matmul": [
        [[418.0, 554.0], [998.0, 1342.0]],
        [[-115.0, 41.0], [-323.0, 73.0]],
        [[290.0, 330.0], [401.0, 453.0]],
        [[-108.0, -120.0], [56.0, 54.0]],
    ],
}


@pytest.fixture(autouse=True)
def _guard() -> Iterator[None]:
    with dygraph.guard():
        yield


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize(("x", "y"), [(A, B), (A, R), (R, B)], ids=["both", "left", "right"])
def test_values_are_those_of_numpy(name: str, x: np.ndarray, y: np.ndarray) -> None:
    result = getattr(cpx, name)(dygraph.to_variable(x), dygraph.to_variable(y))
    assert result.dtype == "complex128"
    np.testing.assert_allclose(result.numpy(), FORMULAS[name](x, y), rtol=1e-12)


@pytest.mark.parametrize("name", ["elementwise_add", "elementwise_mul", "elementwise_div"])
def test_smaller_operand_is_broadcast(name: str) -> None:
    y = np.array([1j, 2.0])
    result = getattr(cpx, name)(dygraph.to_variable(A), dygraph.to_variable(y))
    np.testing.assert_allclose(result.numpy(), FORMULAS[name](A, y), rtol=1e-12)


def test_axis_places_the_smaller_operand() -> None:
    x, y = dygraph.to_variable(A), dygraph.to_variable(np.array([1j, 2.0]))
    result = cpx.elementwise_mul(x, y, axis=0)
    np.testing.assert_allclose(result.numpy(), A * np.array([[1j], [2.0]]))


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_are_those_of_paddle(name: str) -> None:
    x, y = dygraph.to_variable(A), dygraph.to_variable(B)
    parts = (x.real, x.imag, y.real, y.imag)
    for part in parts:
        part.stop_gradient = False
    result = getattr(cpx, name)(x, y)
    layers.reduce_sum(result.real * result.real + 3 * result.imag).backward()
    np.testing.assert_allclose([part.gradient() for part in parts], GRADIENTS[name], atol=1e-6)


@pytest.mark.parametrize("name", FORMULAS)
def test_real_operands_and_other_things_are_refused(name: str) -> None:
    function = getattr(cpx, name)
    x, real = dygraph.to_variable(A), dygraph.to_variable(R)
    with pytest.raises(ValueError, match=rf"paddle\.complex\.{name} needs a ComplexVariable"):
        function(real, real)
    with pytest.raises(TypeError, match="`y` must be a Variable or a ComplexVariable"):
        function(x, 2.0)
    with pytest.raises(EnforceNotMet):
        function(x, dygraph.to_variable(A.astype("complex64")))


def test_sum_and_trace_are_those_of_numpy() -> None:
    x = dygraph.to_variable(A)
    assert cpx.sum(x).shape == [1]
    assert cpx.sum(x).numpy()[0] == A.sum()
    assert cpx.sum(x, dim=0, keep_dim=True).numpy().tolist() == [[4 + 2j, 6 - 1j]]
    assert cpx.trace(x).numpy().tolist() == [5 + 1j]
    assert cpx.trace(x, offset=1).numpy().tolist() == [2 - 1j]
    with pytest.raises(ValueError, match=r"paddle\.complex\.sum needs"):
        cpx.sum(dygraph.to_variable(R))
    with pytest.raises(ValueError, match=r"paddle\.complex\.trace needs"):
        cpx.trace(dygraph.to_variable(R))
