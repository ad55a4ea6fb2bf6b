"""Files and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast
from statistics import median

MAX_FILE, MAX_FUNCTION = 500, 60
# The usual case, which the exceptions must not become.
MEDIAN_FILE, MEDIAN_FUNCTION = 150, 10

# What is longer, and why it has to be: {"refluid.module": "reason"}
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}


def test_files_are_short(tree):
    lines = {name: module.text.count("\n") for name, module in tree.modules.items()}
    assert {name for name, count in lines.items() if count > MAX_FILE} == set(LONG_FILES)
    assert median(lines.values()) <= MEDIAN_FILE


def _code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function's body without its docstring; long signatures are Paddle's."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_functions_are_short(tree):
    lines = {
        f"{name}.{node.name}": _code_lines(node)
        for name, module in tree.modules.items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name for name, count in lines.items() if count > MAX_FUNCTION} == set(LONG_FUNCTIONS)
    assert median(lines.values()) <= MEDIAN_FUNCTION
