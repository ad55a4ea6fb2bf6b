"""What describes a reader's data is a variable without values, as Paddle 1.8.5 gives it."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import EnforceNotMet


@pytest.fixture(autouse=True)
def _graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: fluid.layers.data("x", [3, 4]), [-1, 3, 4]),
        (lambda: fluid.layers.data("x", [-1, 4]), [-1, 4]),
        (lambda: fluid.layers.data("x", [3, 4], append_batch_size=False), [3, 4]),
        (lambda: fluid.data("x", [None, 4]), [-1, 4]),
        (lambda: fluid.Program().global_block().create_var(name="x", shape=[-1, 4]), [-1, 4]),
    ],
)
def test_it_has_a_name_a_shape_and_a_type(make, shape):
    made = make()
    assert isinstance(made, fluid.Variable)
    assert (made.name, made.shape) == ("x", shape)
    assert made.dtype == fluid.core.VarDesc.VarType.FP32
    assert made.stop_gradient
    assert made.gradient() is None
    assert str(made) == f"name x, shape: {shape}, not inited"


def test_it_has_no_values():
    made = fluid.layers.data("x", [3], dtype="float64")
    assert made.dtype == fluid.core.VarDesc.VarType.FP64
    for use in (made.numpy, lambda: fluid.layers.relu(made), lambda: fluid.layers.concat([made])):
        with pytest.raises(EnforceNotMet, match="the variable `x` is empty"):
            use()


def test_a_reader_takes_it_and_gives_others():
    ids = fluid.layers.data("ids", [-1, 3], append_batch_size=False, dtype="int64")
    reader = fluid.io.PyReader(feed_list=[ids], capacity=2, iterable=True)
    rows = [np.full((2, 3), k, "int64") for k in range(3)]
    reader.decorate_batch_generator(lambda: ([row] for row in rows), places=fluid.CPUPlace())
    assert [batch[0].numpy().tolist() for batch in reader()] == [row.tolist() for row in rows]
    assert ids.shape == [-1, 3]
