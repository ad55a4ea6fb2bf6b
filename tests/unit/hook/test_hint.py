from __future__ import annotations

import importlib
import re

import pytest

from refluid.hook import catalog, hint


def test_hints_are_for_names_that_paddle_has() -> None:
    known = catalog.load()
    names = {name for entries in known.names.values() for name in entries}
    for module, more in known.modules.items():
        names.update(more)
        names.add(module.rpartition(".")[2])
    for key in hint.HINTS:
        assert key in known if "." in key else key in names, key


def test_hints_name_only_what_works() -> None:
    fluid = importlib.import_module("refluid.paddle.fluid")
    for text in set(hint.HINTS.values()):
        for dotted in re.findall(r"`(fluid(?:\.\w+)+)", text.replace("with ", "")):
            value: object = fluid
            for part in dotted.split(".")[1:]:
                value = getattr(value, part)


@pytest.mark.parametrize(
    ("dotted", "words"),
    [
        ("paddle.fluid.Executor", "fluid.dygraph.guard()"),
        ("paddle.fluid.executor.Executor", "fluid.dygraph.guard()"),
        ("paddle.fluid.layers.While", "`while`"),
        ("paddle.fluid.layers.layer_norm", "fluid.dygraph.LayerNorm"),
    ],
)
def test_names_of_the_static_graph_have_an_answer(dotted: str, words: str) -> None:
    answer = hint.nearest(dotted)
    assert answer is not None
    assert words in answer


def test_same_name_elsewhere_comes_next() -> None:
    importlib.import_module("refluid.paddle.fluid")
    assert hint.nearest("paddle.fluid.layers.Linear") == "`paddle.fluid.Linear`"


def test_similar_names_that_work_come_last() -> None:
    importlib.import_module("refluid.paddle.fluid")
    answer = hint.nearest("paddle.fluid.dygraph.Linea")
    assert answer is not None
    assert "`paddle.fluid.dygraph.Linear`" in answer.split(" or ")


def test_nothing_close_is_no_answer() -> None:
    assert hint.nearest("paddle.fluid.zzzzzzzz") is None


def test_names_of_paddle_2_are_not_names_of_paddle_1() -> None:
    known = catalog.load()
    assert not {name for name in hint.PADDLE_2 if f"paddle.{name}" in known}
