"""How parameters are made, for Layers and for functions of `fluid.layers`.

May import: framework, initializer, param_attr, unique_name.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.framework import ParamBase, unique_parameter_name
from refluid.paddle.fluid.initializer import Initializer
from refluid.paddle.fluid.param_attr import ParamAttr

__all__ = ["create_parameter"]


def create_parameter(
    owner: str,
    attr: Any,
    shape: Sequence[int],
    dtype: Any = "float32",
    is_bias: bool = False,
    default_initializer: Initializer | None = None,
) -> Any:
    """Make a parameter and give it its first values.

    Args:
        owner: name of the layer, from which the parameter's name is made: `linear_0.w_0`.
        attr: whatever `ParamAttr._to_attr` accepts.
        shape: sizes.
        dtype: element type.
        is_bias: a bias starts from 0 and is called `.b_N`; a weight starts from Xavier.
        default_initializer: in place of these, where `attr` names none.

    Returns:
        The parameter, or None if `attr` is False.

    Raises:
        ValueError: the guard has a parameter of that name already.
    """
    attr = copy.copy(ParamAttr._to_attr(attr))
    if attr is False:
        return None
    if default_initializer is not None:
        attr._set_default_initializer(default_initializer)
    elif is_bias:
        attr._set_default_bias_initializer()
    else:
        attr._set_default_param_initializer()
    made = attr.name is None
    name = unique_name.generate(f"{owner}.{'b' if is_bias else 'w'}") if made else attr.name
    param = ParamBase(
        [int(n) for n in shape],
        dtype,
        name=unique_parameter_name(name),
        trainable=attr.trainable,
        optimize_attr={"learning_rate": attr.learning_rate},
        regularizer=attr.regularizer,
        do_model_average=attr.do_model_average,
    )
    attr.initializer(param)
    return param
