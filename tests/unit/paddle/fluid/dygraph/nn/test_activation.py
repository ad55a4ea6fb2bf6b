"""The layer PRelu."""

from __future__ import annotations

from refluid.paddle.fluid.dygraph.nn import PRelu


def test_prelu_starts_from_one_and_is_named_in_one_word():
    layer = PRelu("channel", channel=2)
    assert layer.weight.numpy().tolist() == [[[[1]], [[1]]]]
    assert layer.weight.name == "prelu_0.w_0"
