"""Branches and loops run at once; arrays are lists; counters change in place."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L


@pytest.mark.parametrize(("value", "expected"), [(1.0, 2.0), (3.0, 2.0)])
def test_cond_calls_one_branch_only(variable, value, expected):
    x, called = variable([value]), []

    def branch(name, result):
        called.append(name)
        return result

    out = L.cond(x < 2.0, lambda: branch("less", x + 1.0), lambda: branch("more", x - 1.0))
    assert out.numpy() == expected
    assert called == ["less" if value < 2 else "more"]


def test_cond_without_a_function_returns_none(variable):
    assert L.cond(variable([1.0]) > 2.0, lambda: 1) is None


def test_case_takes_the_first_true_condition_or_the_last_function(variable):
    x = variable([1.0])
    pairs = [(x > 2.0, lambda: "big"), (x > 0.0, lambda: "some"), (x > -1.0, lambda: "any")]
    assert L.case(pairs) == "some"
    assert L.case([(x > 2.0, lambda: "big"), (x > 3.0, lambda: "bigger")]) == "bigger"
    assert L.case([(x > 2.0, lambda: "big")], lambda: "default") == "default"


def test_switch_case_takes_dictionaries_pairs_and_lists(variable):
    two = variable([2], "int64")
    functions = [lambda: "zero", lambda: "one", lambda: "two"]
    assert L.switch_case(two, functions) == "two"
    assert L.switch_case(two, dict(enumerate(functions))) == "two"
    assert L.switch_case(two, [(2, functions[2]), (5, functions[0])]) == "two"
    assert L.switch_case(variable([9], "int64"), {1: functions[1], 4: functions[0]}) == "zero"
    assert L.switch_case(variable([9], "int64"), {1: functions[1]}, lambda: "none") == "none"


def test_while_loop_carries_gradients(variable):
    x = variable([1.0])
    i = L.fill_constant([1], "float32", 0.0)
    _, y = L.while_loop(lambda i, y: i < 3.0, lambda i, y: [i + 1.0, y * 2.0], [i, x])
    y.backward()
    assert y.numpy() == 8.0
    assert x.gradient() == 8.0


def test_while_loop_refuses_another_number_of_variables(variable):
    x = variable([1.0])
    with pytest.raises(ValueError, match="must return 1 variables"):
        L.while_loop(lambda x: x < 2.0, lambda x: [x, x], [x])


def test_increment_in_place_returns_the_variable_itself(variable):
    x = variable([3.0])
    assert L.increment(x, 2.0) is x
    assert x.numpy() == 5.0
    copy = L.increment(x, 1.0, in_place=False)
    assert copy is not x
    assert (x.numpy(), copy.numpy()) == (5.0, 6.0)


def test_array_grows_by_one_place_and_is_overwritten(variable):
    zero, one = variable([0], "int64"), variable([1], "int64")
    array = L.array_write(variable([1.0]), zero)
    L.array_write(variable([2.0]), one, array)
    L.array_write(variable([3.0]), zero, array)
    assert L.array_length(array) == 2
    assert L.array_read(array, zero).numpy() == 3.0
    with pytest.raises(AssertionError, match="must not be above the length 2"):
        L.array_write(variable([1.0]), variable([3], "int64"), array)


def test_array_is_joined_or_stacked(variable):
    array = [variable(np.ones((2, 3))), variable(np.zeros((2, 1)))]
    joined, sizes = L.tensor_array_to_tensor(array, 1)
    assert joined.shape == [2, 4]
    assert sizes.numpy().tolist() == [3, 1]
    stacked, _ = L.tensor_array_to_tensor(array[:1], 0, use_stack=True)
    assert stacked.shape == [1, 2, 3]


def test_comparison_writes_to_cond(variable):
    cond = L.create_tensor("bool")
    out = L.less_than(variable([1.0, 3.0]), variable([2.0, 2.0]), cond=cond)
    assert out is cond
    assert cond.numpy().tolist() == [True, False]
