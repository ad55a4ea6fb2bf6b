"""Every module says what it is and what it may import; every public name says what it does."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from typing import get_origin

import pytest

from source_tree import files

MODULES = [name for name in files() if name != "refluid.__main__"]


def test_module_says_what_it_may_import(tree):
    wrong = []
    for module in tree.modules.values():
        docstring = ast.get_docstring(module.tree) or ""
        if not re.search(r"(May import:|imports nothing)[^:]*\Z", docstring, re.S):
            wrong.append(module.place)
    assert wrong == []


@pytest.mark.parametrize("name", MODULES)
def test_public_names_exist_once_and_have_docstrings(name):
    module = importlib.import_module(name)
    public = getattr(module, "__all__", [])
    assert len(set(public)) == len(public)
    for entry in public:
        value = getattr(module, entry)
        # an alias of a type is neither, whatever Python 3.10 says
        if get_origin(value) is None and (inspect.isclass(value) or inspect.isroutine(value)):
            assert inspect.getdoc(value), f"{name}.{entry} has no docstring"


def test_modules_with_public_names_list_them(tree):
    wrong = []
    for module in tree.modules.values():
        names = [
            node.name
            for node in module.tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"
        ]
        lists = any(
            isinstance(target, ast.Name) and target.id == "__all__"
            for node in module.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        )
        if names and not lists:
            wrong.append(module.place)
    assert wrong == []
