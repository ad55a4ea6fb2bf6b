"""`dygraph.grad(create_graph=True)` gives the second gradients that Paddle 1.8.5 gave.

`second_recordings.npz` was written by second_cases.py under PaddlePaddle 1.8.5 (CPU, Python 3.7,
NumPy 1.21). Of operators that Paddle has no second gradient of, torch's is compared with a
difference quotient.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import recorded
from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L

FOLDER = Path(__file__).parent
second = recorded.program(FOLDER / "second_cases.py")
INPUTS = recorded.program(FOLDER / "cases.py").INPUTS
RECORDED = recorded.read(FOLDER / "second_recordings.npz")


@pytest.mark.parametrize("expression", second.expressions())
def test_second_gradients_agree_with_paddle(expression):
    found = second.run(fluid, expression, INPUTS)
    recorded.check(found, RECORDED[expression], atol=1e-4)


V = fluid.dygraph.to_variable
SMOOTH = {
    "tanh": L.tanh,
    "sigmoid": L.sigmoid,
    "softmax": L.softmax,
    "log": lambda x: L.log(x * x + 1.0),
    "pow": lambda x: L.pow(x * x, 1.5),
    "matmul": lambda x: L.matmul(x, x, transpose_y=True),
    "layout": lambda x: L.concat([L.transpose(x, [1, 0]), L.gather(x, V(ROWS))], 0),
    "extremum": lambda x: L.reduce_max(x * x, 1),
    "overwritten rows": lambda x: L.gather(x * x, V(ROWS)),
    "cross entropy": lambda x: L.softmax_with_cross_entropy(x, V(LABELS)),
    "recurrent": lambda x: L.rnn(Cell(), L.reshape(x, [1, 3, 3]), V(X[:1]))[0],
}
X = np.random.RandomState(3).uniform(-1.0, 1.0, (3, 3)).astype("float64")
ROWS, LABELS = np.array([2, 0, 1], "int64"), np.array([[0], [2], [1]], "int64")


class Cell(L.RNNCell):
    def call(self, inputs, states):
        new = L.tanh(inputs + states * inputs)
        return new, new


def penalty(function, values, with_gradient=False):
    """Return the sum of the squared first gradients; with the gradient of that, if asked for."""
    x = fluid.dygraph.to_variable(values.copy())
    x.stop_gradient = False
    out = function(x)
    (first,) = fluid.dygraph.grad([L.reduce_sum(out * out)], [x], create_graph=True)
    total = L.reduce_sum(first * first)
    if not with_gradient:
        return float(total)
    return fluid.dygraph.grad([total], [x])[0].numpy()


@pytest.mark.parametrize("name", SMOOTH)
def test_a_second_gradient_is_the_slope_of_the_first(name):
    found = penalty(SMOOTH[name], X, with_gradient=True)
    along = np.random.RandomState(4).uniform(-1.0, 1.0, X.shape)
    ahead, behind = (penalty(SMOOTH[name], X + step * along) for step in (1e-5, -1e-5))
    np.testing.assert_allclose((found * along).sum(), (ahead - behind) / 2e-5, 1e-5)
