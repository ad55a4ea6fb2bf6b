"""How layers make the parameters that they cannot do without, and find them again.

May import: core_avx, framework, initializer, layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.initializer import Initializer

__all__ = ["Registered", "needed_bias", "needed_weight"]


class Registered:
    """A parameter as an attribute of its layer's class: `weight: Any = Registered()`.

    It spares the search of Module.__getattr__, which takes as long as a small operator. What the
    layer has in its own dictionary, as a bias of None, comes first.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Layer | None, owner: type) -> Any:
        """Return the parameter of `layer`.

        Raises:
            AttributeError: there is none; Python then asks Module.__getattr__.
        """
        if layer is None:
            return self
        try:
            return layer._parameters[self._name]
        except KeyError:
            raise AttributeError(self._name) from None


def needed_weight(
    layer: Layer,
    shape: Sequence[int],
    param_attr: Any,
    dtype: str,
    initializer: Initializer | None = None,
) -> ParamBase:
    """Make a layer's weight.

    Args:
        layer: from whose name the weight's is made.
        shape: sizes.
        param_attr: whatever `ParamAttr._to_attr` accepts, but not False.
        dtype: element type.
        initializer: where it starts if `param_attr` does not say; by default Xavier.

    Raises:
        AssertionError: `param_attr` is False.
        TypeError: `dtype` is not a floating-point one.
    """
    _check_float(dtype)
    weight = layer.create_parameter(shape, param_attr, dtype, False, initializer)
    assert weight is not None, f"`param_attr` must not be False: {_name(layer)} has a weight."
    return weight


def needed_bias(layer: Layer, shape: Sequence[int], bias_attr: Any, dtype: str) -> ParamBase:
    """Make a layer's bias, which starts from 0; arguments as for `needed_weight`.

    Raises:
        AssertionError: `bias_attr` is False.
    """
    bias = layer.create_parameter(shape, bias_attr, dtype, is_bias=True)
    assert bias is not None, f"`bias_attr` must not be False: {_name(layer)} has a bias."
    return bias


def _check_float(dtype: Any) -> None:
    if not to_torch_dtype(dtype).is_floating_point:
        raise TypeError(f"`dtype` must be float32, float64 or float16, but received {dtype!r}.")


def _name(layer: Layer) -> str:
    return type(layer).__name__
