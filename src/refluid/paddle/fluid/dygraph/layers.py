"""`Layer`: the base class of models, and a torch.nn.Module.

Paddle's own rules are added to those of Module: names made of the class, parameters as lists,
state dictionaries of live variables, `train()` and `eval()` that switch recording for the whole
program, errors of Paddle's classes. May import: core_avx, framework, layer_helper_base.
"""

from __future__ import annotations

import collections
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from refluid.paddle.fluid import core_avx, unique_name
from refluid.paddle.fluid.core_avx.dtype import VarType, to_torch_dtype
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap
from refluid.paddle.fluid.dygraph.layer_object_helper import LayerObjectHelper
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.initializer import Initializer
from refluid.paddle.fluid.layer_helper_base import create_parameter

__all__ = ["Layer"]

# what register_forward_pre_hook returns: call its remove()
HookRemoveHelper = torch.utils.hooks.RemovableHandle


def _snake_case(name: str) -> str:
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


class Layer(core_avx.Layer):
    """Base class of models and their parts: define `forward`, and call the object.

    Same as Paddle 1.8, and besides a torch.nn.Module (docs/differences.md).

    Args:
        name_scope: start of its full name; by default the class's name in snake case.
        dtype: element type of its parameters.
    """

    def __init__(self, name_scope: str | None = None, dtype: Any = VarType.FP32) -> None:
        super().__init__()
        self._full_name = unique_name.generate(name_scope or _snake_case(type(self).__name__))
        self._helper = LayerObjectHelper(self._full_name)
        self._dtype = dtype
        self._built = False
        if type(self)._build_once is not Layer._build_once:
            # not in __call__, where every layer would pay for it
            self.register_forward_pre_hook(_build, with_kwargs=True)

    # --- running ----------------------------------------------------------------------------

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Compute the outputs; every model defines its own."""
        raise NotImplementedError(f"{type(self).__name__} must define forward().")

    def backward(self, *inputs: Any) -> None:
        """Refuse: gradients come from `loss.backward()`."""
        raise ValueError("a Layer has no backward(); call backward() on the loss.")

    def _build_once(self, *args: Any, **kwargs: Any) -> None:
        """Make what depends on the first inputs; called once, before the first forward."""

    def train(self, mode: bool = True) -> Layer:
        """Switch this layer and its sublayers to training, and recording on for the program.

        Same as Paddle 1.8: a sublayer's own `train()` is called, which may freeze a part.
        """
        return self._switch(True) if mode else self.eval()

    def eval(self) -> Layer:
        """Switch this layer and its sublayers to evaluation, and recording off for the program.

        As in Paddle, no gradient is recorded anywhere until some layer's `train()` is called.
        """
        return self._switch(False)

    def _switch(self, training: bool) -> Layer:
        torch.set_grad_enabled(training)
        self.training = training
        layers, method = self.sublayers(), "train" if training else "eval"
        if all(getattr(type(layer), method) in _USUAL_SWITCHES for layer in layers):
            for layer in layers:
                layer.training = training
        else:
            # each of them once for every layer that it is in, as in Paddle: the last one counts
            for layer in layers:
                getattr(layer, method)()
        return self

    def register_forward_post_hook(self, hook: Callable[..., Any]) -> Any:
        """Call `hook(layer, inputs, outputs)` after each forward; return what removes it."""
        return self.register_forward_hook(hook)

    # --- parts ------------------------------------------------------------------------------

    def full_name(self) -> str:
        """Return the layer's unique name, such as `conv2d_0`."""
        return self._full_name

    @property
    def _sub_layers(self) -> dict[str, torch.nn.Module | None]:
        return self._modules

    def create_parameter(
        self,
        shape: Sequence[int],
        attr: Any = None,
        dtype: Any = "float32",
        is_bias: bool = False,
        default_initializer: Initializer | None = None,
    ) -> Any:
        """Make a parameter; assign it to an attribute to register it.

        Args:
            shape: its sizes.
            attr: a ParamAttr, name, initializer or regularizer; False makes none.
            dtype: its element type.
            is_bias: start from 0 rather than Xavier.
            default_initializer: in place of these, where `attr` names none.

        Returns:
            The parameter, or None if `attr` is False.
        """
        attr = None if isinstance(attr, str) and attr == "" else attr
        return create_parameter(self._full_name, attr, shape, dtype, is_bias, default_initializer)

    def create_variable(
        self,
        name: str | None = None,
        persistable: bool | None = None,
        dtype: Any = None,
        type: VarType = VarType.LOD_TENSOR,
    ) -> VarBase:
        """Make an empty variable that is not a parameter."""
        made = unique_name.generate(f"{self._full_name}._generated_var")
        device = current_place().device
        variable = wrap(torch.empty(0, dtype=to_torch_dtype(dtype or "float32"), device=device))
        variable.name = f"{self._full_name}.{name}" if name is not None else made
        variable.persistable = bool(persistable)
        return variable

    def add_sublayer(self, name: str, sublayer: Layer) -> Layer:
        """Register a sublayer as the attribute `name` and return it."""
        assert isinstance(sublayer, torch.nn.Module), (
            f"`sublayer` must be a Layer, but received {_kind(sublayer)}."
        )
        self._modules[str(name)] = sublayer
        return sublayer

    def add_parameter(self, name: str, parameter: ParamBase | None) -> ParamBase | None:
        """Register a parameter as the attribute `name` and return it.

        Raises:
            TypeError: it is neither a parameter nor None.
        """
        if parameter is not None and not isinstance(parameter, torch.nn.Parameter):
            raise TypeError(
                f"`parameter` must be a Parameter or None, but received {_kind(parameter)}."
            )
        self._parameters[str(name)] = parameter
        return parameter

    def parameters(self, include_sublayers: bool = True) -> list[ParamBase]:  # type: ignore[override]
        """Return the parameters as a list, BatchNorm's moving statistics among them."""
        return [p for _, p in self.named_parameters(include_sublayers=include_sublayers)]

    def named_parameters(  # type: ignore[override]
        self, prefix: str = "", include_sublayers: bool = True, **torch_only: Any
    ) -> Iterator[tuple[str, ParamBase]]:
        """Yield (structured name, parameter), each parameter once."""
        recurse = torch_only.pop("recurse", include_sublayers)
        return super().named_parameters(prefix, recurse, **torch_only)  # type: ignore[return-value]

    def sublayers(self, include_sublayers: bool = True) -> list[Layer]:
        """Return the sublayers at all depths, without the layer itself."""
        return [layer for _, layer in self.named_sublayers(include_sublayers=include_sublayers)]

    def named_sublayers(
        self,
        prefix: str = "",
        include_sublayers: bool = True,
        include_self: bool = False,
        layers_set: set[torch.nn.Module] | None = None,
    ) -> Iterator[tuple[str, Any]]:
        """Yield (structured name, sublayer) at all depths, each layer once."""
        done = set() if layers_set is None else layers_set
        if include_sublayers:
            for name, layer in self.named_modules(done, prefix):
                if include_self or layer is not self:
                    yield name, layer
        elif include_self and self not in done:
            done.add(self)
            yield prefix, self

    def clear_gradients(self) -> None:
        """Set the gradients of all trainable parameters to zeros."""
        for param in self.parameters():
            if getattr(param, "trainable", True):
                param.clear_gradient()

    # --- state ------------------------------------------------------------------------------

    def state_dict(  # type: ignore[override]
        self,
        destination: dict[str, Any] | None = None,
        include_sublayers: bool = True,
        structured_name_prefix: str = "",
    ) -> dict[str, ParamBase]:
        """Return the live parameters by structured name, own ones before those of sublayers."""
        result = collections.OrderedDict() if destination is None else destination
        for name, param in self._parameters.items():
            if param is not None:
                result[structured_name_prefix + name] = param
        if include_sublayers:
            for name, layer in self._modules.items():
                prefix = f"{structured_name_prefix}{name}."
                if isinstance(layer, Layer):
                    layer.state_dict(result, True, prefix)
                elif layer is not None:
                    result.update(layer.state_dict(prefix=prefix, keep_vars=True))
        return result

    def load_dict(
        self,
        stat_dict: dict[str, Any],
        include_sublayers: bool = True,
        use_structured_name: bool = True,
    ) -> None:
        """Overwrite the parameters with the values of a state dictionary.

        Args:
            stat_dict: values by structured name, as `state_dict` and `load_dygraph` give them.
            include_sublayers: accepted for compatibility.
            use_structured_name: False looks parameters up by their own names.

        Raises:
            RuntimeError: a parameter is missing; all that are missing are named.
            AssertionError: a shape or dtype differs.
        """
        own = self.state_dict()
        keys = {name: name if use_structured_name else p.name for name, p in own.items()}
        missing = [key for key in keys.values() if key not in stat_dict]
        if missing:
            raise RuntimeError(
                f"`stat_dict` has no value for {', '.join(missing)}; it has "
                f"{', '.join(map(str, stat_dict)) or 'nothing'}."
            )
        for name, param in own.items():
            VarBase.set_value(param, stat_dict[keys[name]])
        unused = [str(key) for key in stat_dict if key not in keys.values()]
        if unused:
            warnings.warn(
                f"values that this layer has no parameter for were not used: {', '.join(unused)}",
                stacklevel=2,
            )

    def set_dict(
        self,
        stat_dict: dict[str, Any],
        include_sublayers: bool = True,
        use_structured_name: bool = True,
    ) -> None:
        """Overwrite the parameters; the other name of `load_dict`."""
        self.load_dict(stat_dict, include_sublayers, use_structured_name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Register parameters and layers; keep everything else as it is.

        As in Paddle, what is given to a property is registered under the property's name, too.

        Raises:
            ValueError: `super().__init__()` has not been called.
            TypeError: a parameter or layer is replaced by something else.
        """
        if isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
            registry = self._registry_for(value)
            if registry is not None:
                registry[name] = value
            return
        try:
            super().__setattr__(name, value)
        except AttributeError as error:
            if "_parameters" in self.__dict__ or "Module.__init__" not in str(error):
                raise
            raise ValueError(
                f"super({type(self).__name__}, self).__init__() must be called before "
                f"`{name}` is assigned."
            ) from None
        except TypeError:
            if name in self._buffers:
                raise
            # torch's message asks a variable for its `type()`, which is something else in Paddle
            kind, wanted = ("parameter", "Parameter")
            if name not in self._parameters:
                kind, wanted = ("sublayer", "Layer")
            raise TypeError(
                f"assignment to {kind} '{name}' should be of type {wanted} or None, but got "
                f"'{type(value).__name__}'"
            ) from None

    def _registry_for(self, value: Any) -> dict[str, Any] | None:
        if isinstance(value, torch.nn.Parameter):
            return self._parameters
        return self._modules if isinstance(value, torch.nn.Module) else None


_USUAL_SWITCHES = {Layer.train, Layer.eval, torch.nn.Module.train, torch.nn.Module.eval}


def _kind(value: object) -> str:
    return type(value).__name__


def _build(layer: Layer, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if not layer._built:
        layer._build_once(*inputs, **kwargs)
        layer._built = True
