"""Attributes take the Python values that Paddle's pybind takes, and no others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.dtype import VarType
from refluid.paddle.fluid.core_avx.table.attribute import convert


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("f", 1, 1.0),
        ("f", True, 1.0),
        ("f", np.float32(0.5), 0.5),
        ("i", True, 1),
        ("i", np.int64(2), 2),
        ("i", VarType.INT64, 3),
        ("b", 1, True),
        ("b", None, False),
        ("b", np.bool_(True), True),
        ("s", "IOB", "IOB"),
        ("s", b"IOB", "IOB"),
        ("I", (1, np.int32(2)), [1, 2]),
        ("F", [1, 0.5], [1.0, 0.5]),
        ("L", np.array([1, 2]), [1, 2]),
        ("S", [], []),
    ],
)
def test_value_is_converted(kind, value, expected):
    made = convert("op", "name", kind, value)
    assert made == expected
    assert type(made) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("f", "a"),
        ("f", [0.5]),
        ("f", None),
        ("i", 1.0),
        ("i", "1"),
        ("b", "yes"),
        ("s", 3),
        ("I", 4),
        ("I", [1.5]),
        ("I", "12"),
        ("I", torch.ones(2)),
        ("F", ["a"]),
    ],
)
def test_value_of_another_kind_is_not_met(kind, value):
    with pytest.raises(EnforceNotMet, match="op: the attribute `alpha` must be"):
        convert("op", "alpha", kind, value)
