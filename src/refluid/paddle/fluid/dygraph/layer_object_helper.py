"""`LayerObjectHelper`: what each Layer has as `self._helper`.

May import: core_avx, layer_helper_base, param_attr.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from refluid.paddle.fluid.core_avx.dtype import VarType
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layer_helper_base import LayerHelperBase
from refluid.paddle.fluid.param_attr import ParamAttr

__all__ = ["LayerObjectHelper"]


class LayerObjectHelper(LayerHelperBase):
    """Makes parameters and variables under a Layer's name, and runs operators by theirs.

    Same as Paddle 1.8.

    Args:
        name: the Layer's full name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, layer_type=name)

    def iter_inputs_and_params(
        self, inputs_in: Any, param_attr_in: Any = None
    ) -> Iterator[tuple[VarBase, Any]]:
        """Yield each input with the attribute of its parameter.

        Raises:
            ValueError: `param_attr_in` is False, or there are more or fewer attributes than inputs.
        """
        attr = ParamAttr._to_attr(param_attr_in)
        if isinstance(attr, bool):
            raise ValueError(f"{self.name}: `param_attr_in` must not be False.")
        return self._with_attrs(self._variables([] if inputs_in is None else inputs_in), attr)

    def input_dtype(self, inputs_in: Any) -> VarType | None:
        """Return the element type of the inputs, None without any.

        Raises:
            ValueError: there are several types.
        """
        return self._shared_dtype(self._variables([] if inputs_in is None else inputs_in))

    def append_activation(
        self,
        input_var: VarBase,
        act: str | None = None,
        use_cudnn: bool | None = None,
        use_mkl_dnn: bool | None = None,
    ) -> VarBase:
        """Apply an activation by its name.

        Args:
            input_var: any shape.
            act: the name; None for no change.
            use_cudnn: accepted for compatibility.
            use_mkl_dnn: accepted for compatibility.

        Raises:
            TypeError: `act` is not a str.
        """
        return self._activate(input_var, act, {})

    def is_instance(self, param: Any, cls: type) -> None:
        """Check the class of a value.

        Raises:
            TypeError: it is no instance of `cls`.
        """
        if not isinstance(param, cls):
            raise TypeError(
                f"{self.layer_type}: expected a {cls.__name__}, but received {param!r}."
            )
