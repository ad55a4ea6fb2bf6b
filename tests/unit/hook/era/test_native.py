"""Types in C get attributes and conversions, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

HEAD = """
import gc
import math
import numpy as np
from refluid.hook.era import native

old = np.ndarray.__float__
"""


def run(program: str) -> str:
    command = [sys.executable, "-c", HEAD + program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_method_is_there_for_arrays_that_are_there() -> None:
    program = """
array = np.arange(3)
assert native.put(np.ndarray, "total", lambda self: int(self.sum()))
print(array.total(), np.ones(4).total(), np.ma.ones(2).total(), hasattr(array, "another"))
"""
    assert run(program) == "3 4 2 False\n"


def test_a_conversion_asks_the_new_function_and_errors_come_through() -> None:
    program = """
def convert(array):
    if array.size > 1:
        raise ValueError("too many")
    return old(array.reshape(()))

assert native.put(np.ndarray, "__float__", convert)
print(float(np.full((1, 1), 2.5)), "%.1f" % np.full(1, 2.5), math.sqrt(np.full((1, 1), 4.0)))
try:
    float(np.ones(2))
except ValueError as error:
    print(error)
for _ in range(20000):
    float(np.ones(1))
gc.collect()
print(float(np.float64(1.5)), float(3), float("2"))
"""
    assert run(program) == "2.5 2.5 2.0\ntoo many\n1.5 3.0 2.0\n"


def test_a_type_that_is_not_as_expected_is_left_alone() -> None:
    program = """
native._WRAPPED = 2
print(native.put(np.ndarray, "__float__", lambda array: 1.0), float(np.array(2.0)))
native._WRAPPED, native._BASIC_SIZE = 6, 1
print(native.put(np.ndarray, "__float__", lambda array: 1.0), float(np.array(2.0)))
"""
    assert run(program) == "False 2.0\nFalse 2.0\n"
