from __future__ import annotations

import pytest

from refluid.hook import name


@pytest.mark.parametrize(
    ("paddle", "engine"),
    [
        ("paddle", "refluid.paddle"),
        ("paddle.fluid", "refluid.paddle.fluid"),
        ("paddle.fluid.dygraph.nn", "refluid.paddle.fluid.dygraph.nn"),
        ("visualdl", "refluid.visualdl"),
        ("visualdl.writer.writer", "refluid.visualdl.writer.writer"),
    ],
)
def test_names_are_translated_both_ways(paddle: str, engine: str) -> None:
    assert name.engine_name(paddle) == engine
    assert name.paddle_name(engine) == paddle
    assert name.paddle_name(paddle) == paddle


def test_only_whole_parts_of_a_name_count() -> None:
    assert name.is_within("paddle", "paddle")
    assert name.is_within("paddle.fluid", "paddle")
    assert not name.is_within("paddlehub", "paddle")
    assert not name.is_within("refluid.paddled", name.ENGINE)
