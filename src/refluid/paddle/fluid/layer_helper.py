"""`LayerHelper`: how a function of `fluid.layers` makes its parameters.

Each call of such a function stands for a layer of its own, whose name (`fc_0`, `fc_1`) begins the
names of its parameters.
May import: core_avx, unique_name, layer_helper_base.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.initializer import Initializer
from refluid.paddle.fluid.layer_helper_base import create_parameter

__all__ = ["LayerHelper"]


class LayerHelper:
    """Makes the parameters of one call.

    Differs from Paddle: building operators by hand (`append_op`) is not there.

    Args:
        layer_type: what the parameters' names begin with, numbered.
        name: begin with this name instead.
    """

    def __init__(self, layer_type: str, name: str | None = None) -> None:
        self.layer_type = layer_type
        self.name = unique_name.generate(layer_type) if name is None else name

    def create_parameter(
        self,
        attr: Any,
        shape: Sequence[int],
        dtype: Any = "float32",
        is_bias: bool = False,
        default_initializer: Initializer | None = None,
    ) -> ParamBase | None:
        """Make a parameter with its first values.

        Args:
            attr: a ParamAttr, name, initializer or regularizer; None for the defaults.
            shape: sizes.
            dtype: element type.
            is_bias: start from 0 rather than Xavier.
            default_initializer: in place of these, where `attr` names none.

        Returns:
            The parameter, or None if `attr` is False.
        """
        return create_parameter(self.name, attr, shape, dtype, is_bias, default_initializer)

    def create_weight(
        self,
        attr: Any,
        shape: Sequence[int],
        dtype: Any = "float32",
        default_initializer: Initializer | None = None,
        is_bias: bool = False,
    ) -> ParamBase:
        """Make a parameter that cannot be left out; arguments as for `create_parameter`.

        Raises:
            AssertionError: `attr` is False.
        """
        made = self.create_parameter(attr, shape, dtype, is_bias, default_initializer)
        assert made is not None, f"{self.layer_type}: the attribute of a weight must not be False."
        return made
