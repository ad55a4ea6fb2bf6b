"""Programs and blocks in the dynamic graph, as measured on Paddle 1.8.5."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx.dtype import VarType
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.program import Block, NameScope, Program
from refluid.paddle.fluid.dygraph import Linear, guard, to_variable
from refluid.paddle.fluid.framework import ParamBase, default_main_program
from refluid.paddle.fluid.initializer import Constant


@pytest.fixture
def _seed_of_new() -> Iterator[None]:
    yield
    Program().global_seed(0)


def test_program_stays_empty() -> None:
    with guard():
        program = default_main_program()
        Linear(2, 2)
        assert program.all_parameters() == []
        assert list(program.list_vars()) == []
        assert program.num_blocks == 1
        assert program.block(0) is program.global_block() is program.current_block()
        assert program.global_block().program is program
        assert program.global_block().ops == []
        with pytest.raises(IndexError):
            program.block(1)


def test_decays_of_a_program_s_own_may_mark_their_operators() -> None:
    with guard(), default_main_program()._lr_schedule_guard():
        assert Linear(2, 2)(to_variable(np.ones((1, 2), "float32"))).shape == [1, 2]


def test_program_prints_as_in_paddle() -> None:
    program = Program()
    assert str(program.global_block()) == "idx: 0\nparent_idx: -1\n"
    assert program.to_string(True) == repr(program)
    assert str(program) == (
        "blocks {\n  idx: 0\n  parent_idx: -1\n}\nversion {\n  version: 1008005\n}\n"
    )


@pytest.mark.usefixtures("_seed_of_new")
def test_global_seed_is_that_of_later_programs() -> None:
    Program().global_seed(5)
    assert Program().random_seed == 5
    with guard():
        assert default_main_program().random_seed == 5


def test_clone_keeps_the_seed() -> None:
    program = Program()
    program.random_seed = 7
    assert program.clone(for_test=True).random_seed == 7


def test_block_makes_variables() -> None:
    with guard():
        block = default_main_program().global_block()
        made = block.create_var(name="a", shape=[2, 3], dtype="int64", persistable=True)
        assert (made.name, made.shape, made.dtype) == ("a", [2, 3], VarType.INT64)
        assert made.persistable
        assert made.stop_gradient
        plain = block.create_var()
        assert plain.dtype == VarType.FP32
        assert plain.name.startswith("generated_var_")
        assert block.vars == {}


def test_block_makes_parameters() -> None:
    with guard():
        block = default_main_program().global_block()
        made = block.create_parameter(
            name="w", shape=[2, 3], dtype="float32", initializer=Constant(2.0)
        )
        assert isinstance(made, ParamBase)
        assert made.name == "w"
        assert made.numpy().tolist() == [[2.0] * 3] * 2
        assert not made.stop_gradient


def test_block_runs_operators() -> None:
    with guard():
        block = default_main_program().global_block()
        made = block.create_var(shape=[1])
        x = to_variable(np.array([-1.0, 2.0], "float32"))
        assert block.append_op(type="relu", inputs={"X": [x]}, outputs={"Out": [made]}) is None
        assert made.numpy().tolist() == [0.0, 2.0]
        assert block.ops == []
        with pytest.raises(EnforceNotMet):
            block.append_op("no_such_operator", {"X": [x]}, {"Out": [made]})
        with pytest.raises(TypeError):
            block.append_op(inputs={"X": [x]}, outputs={"Out": [made]})


def test_block_knows_nothing_of_what_it_made() -> None:
    block = Program().global_block()
    block.create_var(name="a", shape=[1])
    assert not block.has_var("a")
    with pytest.raises(ValueError, match="`name`: no variable 'a' in this block"):
        block.var("a")
    with pytest.raises(TypeError, match="`name` must be a str"):
        block.var(3)
    with pytest.raises(TypeError, match="`program` must be a Program"):
        Block(3, 0)


def test_scopes_of_one_name_are_numbered() -> None:
    outer = NameScope("a")
    inner = outer.child("b")
    assert inner.parent() is outer
    names = [
        inner.name(),
        outer.child("b").name(),
        outer.child("b").name(),
        outer.child("c").name(),
    ]
    assert names == ["b", "b_1", "b_2", "c"]
