"""What Paddle 1.8.5 gave: how recordings are read, and numbers compared with them.

A `recordings.npz` is written under Paddle by the program beside it, and keeps each array as
"case|array".
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np

RTOL, ATOL = 1e-4, 1e-5
Arrays = dict[str, np.ndarray]


def program(path: Path) -> ModuleType:
    """Return the program that recorded; many have the same file name."""
    spec = importlib.util.spec_from_file_location("_".join(path.with_suffix("").parts[-3:]), path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path: Path) -> dict[str, Arrays]:
    """Return the arrays of each case."""
    cases: dict[str, Arrays] = {}
    with np.load(path) as arrays:
        for key in arrays.files:
            case, name = key.rsplit("|", 1)
            cases.setdefault(case, {})[name] = arrays[key]
    return cases


def check(found: Arrays, expected: Arrays, rtol: float = RTOL, atol: float = ATOL) -> None:
    """See to it that both are the same arrays in one order, numbers to within a tolerance."""
    assert list(found) == list(expected), f"{list(found)} are not {list(expected)}"
    for name, array in expected.items():
        mine = found[name]
        assert mine.shape == array.shape, f"{name}: shape {mine.shape} and not {array.shape}"
        assert mine.dtype == array.dtype, f"{name}: {mine.dtype} and not {array.dtype}"
        if array.dtype.kind == "U":
            assert (mine == array).all(), f"{name}: {mine} and not {array}"
        else:
            np.testing.assert_allclose(mine, array, rtol, atol, err_msg=name)
