"""What an argument `param_attr=` may be."""

from __future__ import annotations

import pytest

from refluid.paddle.fluid.initializer import Constant
from refluid.paddle.fluid.param_attr import ParamAttr
from refluid.paddle.fluid.regularizer import L2Decay


def test_short_forms_stand_for_an_attribute():
    assert ParamAttr._to_attr("w").name == "w"
    assert ParamAttr._to_attr(False) is False
    assert ParamAttr._to_attr(True).name is None
    start, decay = Constant(1.0), L2Decay(0.1)
    assert ParamAttr._to_attr(start).initializer is start
    assert ParamAttr._to_attr(decay).regularizer is decay
    assert [a.name for a in ParamAttr._to_attr(["a", None])] == ["a", None]


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match="a parameter's attribute must be a ParamAttr"):
        ParamAttr._to_attr(3)
    with pytest.raises(TypeError, match="`learning_rate` of ParamAttr must be float or int"):
        ParamAttr(learning_rate="0.1")
    with pytest.raises(TypeError, match="`trainable` of ParamAttr must be bool"):
        ParamAttr(trainable=1)
    with pytest.raises(ValueError, match="must not be empty"):
        ParamAttr(name="")
