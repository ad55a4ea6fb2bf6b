"""How parameters and variables are made, for Layers and for functions of `fluid.layers`.

`LayerHelperBase` is what Paddle's two helpers share: `LayerHelper` of the functions, which keeps
their arguments, and the `LayerObjectHelper` that each Layer has.
May import: core_avx, framework, initializer, param_attr, unique_name.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.core_avx.dtype import VarType, to_torch_dtype
from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.table import blank, trace
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import VarBase, from_numpy
from refluid.paddle.fluid.framework import (
    ParamBase,
    Program,
    default_main_program,
    default_startup_program,
    in_dygraph_mode,
    unique_parameter_name,
)
from refluid.paddle.fluid.initializer import Initializer
from refluid.paddle.fluid.param_attr import ParamAttr

__all__ = ["LayerHelperBase", "create_parameter"]


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
    attr.initializer(param, default_main_program().global_block())
    return param


class LayerHelperBase:
    """Makes parameters and variables under a layer's name, and runs operators by theirs.

    Same as Paddle 1.8 in the dynamic graph.

    Args:
        name: what the parameters' names begin with.
        layer_type: the kind of layer, for messages.
    """

    def __init__(self, name: str, layer_type: str) -> None:
        self._layer_type = layer_type
        self._name = name

    @property
    def name(self) -> str:
        """What the parameters' names begin with."""
        return self._name

    @property
    def layer_type(self) -> str:
        """The kind of layer."""
        return self._layer_type

    @property
    def main_program(self) -> Program:
        """The current main program, which holds the seed."""
        return default_main_program()

    @property
    def startup_program(self) -> Program:
        """The current startup program."""
        return default_startup_program()

    # --- operators --------------------------------------------------------------------------

    def append_op(
        self,
        type: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        attrs: Mapping[str, Any] | None = None,
        stop_gradient: bool | None = None,
    ) -> None:
        """Run an operator by Paddle's name for it, and write its results into variables.

        Same as Paddle 1.8.

        Args:
            type: the operator's name.
            inputs: a variable or a list of them for each input.
            outputs: likewise for each output, made by `create_variable_for_type_inference`.
            attrs: settings; unknown ones are passed over, as in Paddle.
            stop_gradient: record no gradients.

        Raises:
            ValueError: `type` is missing.
            EnforceNotMet: Paddle has no such operator, or something is missing or does not fit.
            UnsupportedFluidAPI: Paddle has the operator and refluid does not.
        """
        if type is None:
            raise ValueError("`type` must be the name of an operator, but is None.")
        trace(type, inputs, outputs, attrs, bool(stop_gradient))

    # --- variables --------------------------------------------------------------------------

    def to_variable(self, value: VarBase | np.ndarray, name: str | None = None) -> VarBase:
        """Return a variable as it is, or one made of a copy of an array.

        Raises:
            TypeError: `value` is something else.
            AssertionError: it is an array, and no guard is open.
        """
        if isinstance(value, VarBase):
            return value
        if not isinstance(value, np.ndarray):
            raise TypeError(
                f"to_variable: `value` must be an array or a Variable, but received "
                f"{describe(value)}."
            )
        assert in_dygraph_mode(), "to_variable works inside `with fluid.dygraph.guard():` only."
        return from_numpy(value, current_place(), name=name or "")

    def create_variable_for_type_inference(
        self, dtype: Any, stop_gradient: bool = False
    ) -> VarBase:
        """Make a variable for an operator to write to; its sizes and type come with the result.

        Args:
            dtype: element type until then; None for float32.
            stop_gradient: accepted for compatibility; Paddle's dynamic graph takes no notice.
        """
        return blank("float32" if dtype is None else dtype)

    def create_variable(self, *args: Any, **kwargs: Any) -> VarBase:
        """Make a variable; arguments as for `Block.create_var`."""
        return self.main_program.current_block().create_var(*args, **kwargs)

    def create_global_variable(
        self, persistable: bool = False, *args: Any, **kwargs: Any
    ) -> VarBase:
        """Make a variable; arguments as for `Block.create_var`."""
        block = self.main_program.global_block()
        return block.create_var(*args, persistable=persistable, **kwargs)

    def create_or_get_global_variable(
        self, name: str, *args: Any, **kwargs: Any
    ) -> tuple[VarBase, bool]:
        """Make a variable; return it and True: a dynamic graph's block knows none of before."""
        return self.create_global_variable(*args, name=name, **kwargs), True

    def set_variable_initializer(self, var: VarBase, initializer: Any) -> None:
        """Overwrite a variable with the values of an initializer."""
        assert isinstance(var, VarBase), f"`var` must be a Variable, but is {describe(var)}."
        initializer(var, self.main_program.global_block())

    # --- parameters -------------------------------------------------------------------------

    def create_parameter(
        self,
        attr: Any,
        shape: Sequence[int],
        dtype: Any = "float32",
        is_bias: bool = False,
        default_initializer: Initializer | None = None,
        stop_gradient: bool = False,
        type: VarType = VarType.LOD_TENSOR,
    ) -> Any:
        """Make a parameter with its first values.

        Args:
            attr: a ParamAttr, name, initializer or regularizer; None for the defaults.
            shape: sizes.
            dtype: element type.
            is_bias: start from 0 rather than Xavier.
            default_initializer: in place of these, where `attr` names none.
            stop_gradient: accepted for compatibility; Paddle's dynamic graph takes no notice.
            type: accepted for compatibility.

        Returns:
            The parameter, or None if `attr` is False.

        Raises:
            TypeError: whole numbers need an initializer, but there is none.
            ValueError: the guard has a parameter of that name already.
        """
        given = ParamAttr._to_attr(attr)
        if given is False:
            return None
        initialized = default_initializer is not None or given.initializer is not None
        if not initialized and not to_torch_dtype(dtype).is_floating_point:
            raise TypeError(
                f"a parameter of `dtype` {dtype} needs a `default_initializer`: the usual ones "
                "make float numbers only."
            )
        return create_parameter(self.name, attr, shape, dtype, is_bias, default_initializer)

    def get_parameter(self, name: str) -> ParamBase:
        """Refuse: a dynamic graph's block knows no parameters.

        Raises:
            ValueError: always, as in Paddle.
        """
        param = self.main_program.global_block().var(name)
        if not isinstance(param, ParamBase):
            raise ValueError(f"`name`: {name!r} is not a parameter.")
        return param

    # --- inputs -----------------------------------------------------------------------------

    def _variables(self, given: Any) -> list[VarBase]:
        entries = given if isinstance(given, (list, tuple)) else [given]
        return [self.to_variable(entry) for entry in entries]

    def _only(self, variables: list[VarBase]) -> VarBase:
        if len(variables) != 1:
            raise TypeError(f"{self.layer_type} takes one input, but received {len(variables)}.")
        return variables[0]

    def _shared_dtype(self, variables: list[VarBase]) -> VarType | None:
        dtypes = {variable.dtype for variable in variables}
        if len(dtypes) > 1:
            raise ValueError(
                f"{self.name}: the inputs must have one element type, but received "
                f"{describe(variables)}."
            )
        return next(iter(dtypes), None)

    def _attr_for_each(self, length: int, attr: Any) -> list[Any]:
        attrs = [attr] if isinstance(attr, ParamAttr) else attr
        if len(attrs) not in (1, length):
            raise ValueError(
                f"{self.name}: there must be one attribute of parameters or {length}, one for each "
                f"input, but there are {len(attrs)}."
            )
        if len(attrs) == length:
            return attrs
        return [copy.deepcopy(attrs[0]) for _ in range(length)]

    def _with_attrs(self, variables: list[VarBase], attr: Any) -> Iterator[tuple[VarBase, Any]]:
        attrs = self._attr_for_each(len(variables), attr)
        return zip(variables, attrs, strict=True)

    # --- activation -------------------------------------------------------------------------

    def _activate(self, input_var: VarBase, act: Any, attrs: dict[str, Any]) -> VarBase:
        if act is None:
            return input_var
        if not isinstance(act, str):
            raise TypeError(f"`act` must be the name of an activation, but received {act!r}.")
        out = self.create_variable_for_type_inference(input_var.dtype)
        self.append_op(act, {"X": [input_var]}, {"Out": [out]}, attrs)
        return out
