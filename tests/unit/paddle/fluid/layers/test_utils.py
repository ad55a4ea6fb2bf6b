"""Nested structures: results and refusals are those of Paddle 1.8.5."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

from refluid.paddle.fluid.layers import utils

Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("nest", "flat"),
    [
        (3, [3]),
        ({"b": 1, "a": [2, (3, 4)]}, [2, 3, 4, 1]),
        (Pair(1, [2]), [1, 2]),
        ("abc", ["abc"]),
        ([], []),
        (["ab", range(2), OrderedDict([("z", 1), ("a", 2)]), None], ["ab", 0, 1, 2, 1, None]),
    ],
)
def test_flatten(nest, flat):
    assert utils.flatten(nest) == flat


def test_an_array_is_one_value():
    array = np.ones(2)
    assert utils.flatten(array)[0] is array
    assert not utils.is_sequence(array)


@pytest.mark.parametrize(
    ("structure", "flat", "packed"),
    [
        ({"b": 1, "a": [2, (3, 4)]}, [10, 20, 30, 40], {"b": 40, "a": [10, (20, 30)]}),
        (Pair(1, [2]), [10, 20], Pair(10, [20])),
        (3, [10], 10),
        (OrderedDict([("z", 1), ("a", 2)]), (10, 20), OrderedDict([("z", 20), ("a", 10)])),
    ],
)
def test_pack_sequence_as(structure, flat, packed):
    result = utils.pack_sequence_as(structure, flat)
    assert result == packed
    assert type(result) is type(packed)


@pytest.mark.parametrize(
    ("structure", "flat", "error"),
    [
        (3, [10, 20], ValueError),
        ([3], [10, 20], ValueError),
        ([3, 4], [10], ValueError),
        ([3], 10, TypeError),
        ({1: 2, "a": 3}, [1, 2], TypeError),
    ],
)
def test_what_cannot_be_packed_is_refused(structure, flat, error):
    with pytest.raises(error):
        utils.pack_sequence_as(structure, flat)


def test_map_structure_takes_the_shape_of_the_first():
    assert utils.map_structure(lambda x, y: x + y, Pair(1, [2]), [3, 4]) == Pair(4, [6])
    assert utils.map_structure(lambda x: -x, 3) == -3
    with pytest.raises(ValueError, match="2 values, but `flat_sequence` holds 1"):
        utils.map_structure(lambda x, y: x + y, [1, 2], 3)


@pytest.mark.parametrize(
    ("nests", "error"),
    [
        (([1, 2], [1]), ValueError),
        (({"a": 1}, {"b": 1}), ValueError),
        ((1, [2]), ValueError),
        (([1, [2]], [[1], 2]), ValueError),
        (([1, 2], (1, 2)), TypeError),
        ((Pair(1, 2), (1, 2)), TypeError),
    ],
)
def test_structures_that_differ_are_told(nests, error):
    with pytest.raises(error, match="`nest1` and `nest2` must"):
        utils.assert_same_structure(*nests)


def test_structures_that_are_the_same():
    utils.assert_same_structure([1, {"a": (2,)}], [3, {"a": (4,)}])
    utils.assert_same_structure([1, 2], (1, 2), check_types=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3, [3, 3]), ([3, 4], [3, 4]), ((1, 2), [1, 2]), ([1.5, 2], [1.5, 2])],
)
def test_convert_to_list(value, expected):
    assert utils.convert_to_list(value, 2, "x") == expected


@pytest.mark.parametrize("value", [[3], 3.5, "ab", None, ["a", 2]])
def test_convert_to_list_refuses(value):
    with pytest.raises(ValueError, match="`x` must be one int or a list of 2"):
        utils.convert_to_list(value, 2, "x")
