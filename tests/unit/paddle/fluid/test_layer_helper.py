"""Parameters are numbered by the call that makes them."""

from __future__ import annotations

import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid.layer_helper import LayerHelper


@pytest.fixture(autouse=True)
def graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


def test_names_begin_with_the_layers_number_or_the_given_name():
    first, second, named = LayerHelper("fc"), LayerHelper("fc"), LayerHelper("fc", "head")
    made = [helper.create_weight(None, [2]).name for helper in (first, first, second, named)]
    assert made == ["fc_0.w_0", "fc_0.w_1", "fc_1.w_0", "head.w_0"]
    assert second.create_parameter(None, [2], is_bias=True).name == "fc_1.b_0"


def test_a_bias_can_be_left_out_and_a_weight_cannot():
    helper = LayerHelper("fc")
    assert helper.create_parameter(False, [2], is_bias=True) is None
    with pytest.raises(AssertionError, match="must not be False"):
        helper.create_weight(False, [2])
