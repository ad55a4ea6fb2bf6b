"""`ProgramTranslator`: one object, whose switch changes no result."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from refluid.errors import UnsupportedFluidAPI
from refluid.paddle.fluid.dygraph import ProgramTranslator, declarative, guard, to_variable


@pytest.fixture(autouse=True)
def _switched_on() -> Iterator[None]:
    yield
    ProgramTranslator.reset()


def double(x):
    return x * 2


def test_there_is_one_object() -> None:
    translator = ProgramTranslator()
    assert translator is ProgramTranslator()
    assert translator is ProgramTranslator.get_instance()
    translator.enable(False)
    assert ProgramTranslator().enable_declarative is False
    ProgramTranslator.reset()
    assert translator.enable_declarative is True


@pytest.mark.parametrize("compiling", [True, False])
def test_switch_changes_no_result(compiling: bool) -> None:
    translator = ProgramTranslator()
    translator.enable(compiling)
    with guard():
        x = to_variable(np.ones(2, "float32"))
        for call in (declarative(double), translator.get_func(double)):
            assert call(x).numpy().tolist() == [2.0, 2.0]
        assert translator.get_output(double, x).numpy().tolist() == [2.0, 2.0]
        assert translator.get_output(double, x=x).numpy().tolist() == [2.0, 2.0]


def test_programs_and_code_are_refused() -> None:
    translator = ProgramTranslator()
    for attempt in (
        lambda: translator.get_program(double, 1),
        lambda: translator.get_code(double),
        lambda: translator.save_inference_model("folder"),
        translator.get_program_cache,
    ):
        with pytest.raises(UnsupportedFluidAPI, match="Paddle's static graph, which refluid does"):
            attempt()


def test_wrong_arguments_are_refused() -> None:
    translator = ProgramTranslator()
    with pytest.raises(TypeError, match="`enable_declarative` must be a bool, but received 1"):
        translator.enable(1)
    for method in (translator.get_output, translator.get_func):
        with pytest.raises(AssertionError, match="`dygraph_func` must be a function"):
            method(3)
