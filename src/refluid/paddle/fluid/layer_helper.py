"""`LayerHelper`: how a function of `fluid.layers` makes its parameters and runs its operators.

Each call of such a function stands for a layer of its own, whose name (`fc_0`, `fc_1`) begins the
names of its parameters.
May import: core_avx, framework, initializer, layer_helper_base, param_attr, unique_name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.core_avx.dtype import VarType
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.framework import ParamBase, dtype_is_floating
from refluid.paddle.fluid.initializer import Constant, Initializer, Xavier
from refluid.paddle.fluid.layer_helper_base import LayerHelperBase
from refluid.paddle.fluid.param_attr import ParamAttr

__all__ = ["LayerHelper"]


class LayerHelper(LayerHelperBase):
    """Makes the parameters of one call, and knows the call's arguments.

    Same as Paddle 1.8: `LayerHelper("fc", **locals())`.

    Args:
        layer_type: what the parameters' names begin with, numbered.
        name: begin with this name instead.
        **kwargs: the arguments of the call, among which `input`, `param_attr`, `bias_attr` and
            `act` are used here.
    """

    def __init__(self, layer_type: str, name: str | None = None, **kwargs: Any) -> None:
        name = unique_name.generate(layer_type) if name is None else name
        self.kwargs = {**kwargs, "name": name}
        super().__init__(name, layer_type)

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

    # --- the call's arguments ---------------------------------------------------------------

    def multiple_input(self, input_param_name: str = "input") -> list[VarBase]:
        """Return the variables given as the argument `input_param_name`, as a list."""
        return self._variables(self.kwargs.get(input_param_name, []))

    def input(self, input_param_name: str = "input") -> VarBase:
        """Return the only variable given as the argument `input_param_name`.

        Raises:
            TypeError: there is none, or there are several.
        """
        return self._only(self.multiple_input(input_param_name))

    def input_dtype(self, input_param_name: str = "input") -> VarType | None:
        """Return the element type of the inputs, None without any.

        Raises:
            ValueError: there are several types.
        """
        return self._shared_dtype(self.multiple_input(input_param_name))

    @property
    def param_attr(self) -> Any:
        """The argument `param_attr` as a ParamAttr, or False."""
        return ParamAttr._to_attr(self.kwargs.get("param_attr"))

    @property
    def bias_attr(self) -> Any:
        """The argument `bias_attr` as a ParamAttr, or False."""
        return ParamAttr._to_attr(self.kwargs.get("bias_attr"))

    def multiple_param_attr(self, length: int) -> list[Any]:
        """Return `length` attributes of parameters; one alone is copied.

        Raises:
            ValueError: there is another number of them.
        """
        return self._attr_for_each(length, self.param_attr)

    def iter_inputs_and_params(
        self, input_param_name: str = "input"
    ) -> Iterator[tuple[VarBase, Any]]:
        """Yield each input with the attribute of its parameter."""
        return self._with_attrs(self.multiple_input(input_param_name), self.param_attr)

    def is_instance(self, param_name: str, cls: type) -> None:
        """Check the class of an argument.

        Raises:
            TypeError: it is no instance of `cls`.
        """
        value = self.kwargs.get(param_name)
        if not isinstance(value, cls):
            raise TypeError(
                f"{self.layer_type}: `{param_name}` must be a {cls.__name__}, but received "
                f"{value!r}."
            )

    def _get_default_initializer(self, dtype: Any) -> Initializer:
        if dtype is None or dtype_is_floating(dtype):
            return Xavier()
        return Constant()

    # --- what follows the main operator -----------------------------------------------------

    def append_bias_op(
        self, input_var: VarBase, dim_start: int = 1, dim_end: int | None = None
    ) -> VarBase:
        """Add a new bias for some dimensions, unless `bias_attr` is False.

        Args:
            input_var: at least two dimensions.
            dim_start: the first dimension of the bias.
            dim_end: the one behind its last; by default all that follow.
        """
        attr = self.bias_attr
        if not attr:
            return input_var
        size = input_var.shape[dim_start:dim_end]
        bias = self.create_parameter(attr, size, input_var.dtype, is_bias=True)
        out = self.create_variable_for_type_inference(input_var.dtype)
        inputs = {"X": [input_var], "Y": [bias]}
        self.append_op("elementwise_add", inputs, {"Out": [out]}, {"axis": dim_start})
        return out

    def append_activation(self, input_var: VarBase) -> VarBase:
        """Apply the activation that the argument `act` names.

        Raises:
            TypeError: `act` is not a str.
        """
        return self._activate(input_var, self.kwargs.get("act"), {})
