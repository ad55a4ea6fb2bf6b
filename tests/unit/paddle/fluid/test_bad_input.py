"""Every operator refuses what is not a variable, or not of its element types, by name."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
import torch

from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import OPERATORS

# importing fluid has filled the table; other tests add operators of their own
NAMES = sorted(name for name in OPERATORS if not name.startswith("test_"))
CASES = [(name, argument) for name in NAMES for argument in OPERATORS[name].kinds]
DTYPES = (torch.float32, torch.int64, torch.int32, torch.bool, torch.uint8)


def call_with(name: str, argument: str, value: Any) -> None:
    """Call an operator with `value` for one variable and admissible ones for the others."""
    operator = OPERATORS[name]
    arguments = dict.fromkeys(inspect.signature(operator).parameters)
    for other, kind in operator.kinds.items():
        dtype = next(d for d in DTYPES if d in kind.dtypes)
        arguments[other] = torch.ones(1, dtype=dtype)
    operator(**arguments | {argument: value})


def test_there_are_operators_to_test():
    assert len(NAMES) > 150
    assert fluid.layers.relu.kinds.keys() == {"x"}


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_what_is_no_variable_is_a_type_error(name, argument):
    for value in (np.ones(2, "float32"), 3.5, "text", object()):
        expected = rf"`{argument}` must be a Variable.*received .*to_variable"
        with pytest.raises(TypeError, match=expected):
            call_with(name, argument, value)


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_another_element_type_is_not_met(name, argument):
    refused = [d for d in DTYPES if d not in OPERATORS[name].kinds[argument].dtypes]
    for dtype in refused:
        kind = str(dtype).removeprefix("torch.")
        expected = rf"`{argument}` must be of .*received {re.escape(kind)} \[1\]"
        with pytest.raises(EnforceNotMet, match=expected):
            call_with(name, argument, torch.ones(1, dtype=dtype))
