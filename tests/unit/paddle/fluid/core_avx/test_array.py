"""Arrays of one element convert to numbers as they did in 2020, with every NumPy."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx.array import Array


@pytest.fixture
def loss() -> Array:
    return np.array([0.5], "float32").view(Array)


def test_one_element_converts_to_a_number(loss):
    assert float(loss) == 0.5
    assert int(loss * 6) == 3
    assert "%.2f" % loss == "0.50"
    assert "%d" % (loss * 4) == "2"
    assert math.sqrt(loss * 8) == 2.0
    assert complex(loss) == 0.5
    assert float(np.array([[[3.0]]]).view(Array)) == 3.0


def test_several_elements_do_not_convert():
    with pytest.raises(TypeError, match=r"one element .* to float, but this one has shape \[2\]"):
        float(np.ones(2).view(Array))


def test_what_is_computed_from_it_converts_too(loss):
    assert float(loss * 2 + 1) == 2.0
    assert float(np.exp(loss)) == pytest.approx(math.exp(0.5))
    best = np.argmax(np.array([[1.0, 3.0, 2.0]]).view(Array), axis=1)
    assert int(best) == 1


def test_reductions_and_items_are_plain_numbers(loss):
    for number in (loss[0], loss.sum(), loss.mean(), np.max(loss)):
        assert type(number) is np.float32


def test_it_fits_into_lists_and_elements_of_arrays(loss):
    values = np.zeros(3)
    values[1] = loss
    assert values.tolist() == [0.0, 0.5, 0.0]
    assert np.array([loss, loss]).shape == (2, 1)
    assert "{}".format(loss) == "[0.5]"


def test_it_is_pickled_as_a_plain_array(loss):
    code = (
        "import pickle, sys; a = pickle.load(sys.stdin.buffer);"
        "print(type(a), a, sys.modules.get('refluid'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(loss), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "<class 'numpy.ndarray'> [0.5] None"


def test_a_copy_converts_as_well(loss):
    assert float(copy.deepcopy(loss)) == float(copy.copy(loss)) == 0.5
