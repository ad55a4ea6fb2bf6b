"""Layers that hold layers or parameters in order. May import: layers, framework."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.framework import ParamBase

__all__ = ["LayerList", "ParameterList", "Sequential"]


class Sequential(Layer):
    """Run layers one after another. Same as Paddle 1.8.

    Args:
        *layers: layers, or (name, layer) tuples.

    Raises:
        AssertionError: an argument is something else, such as a list of layers.
    """

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        named = layers and isinstance(layers[0], tuple)
        for number, item in enumerate(layers):
            name, layer = item if named else (str(number), item)
            self.add_sublayer(name, layer)

    def __getitem__(self, name: Any) -> Layer:
        return self._modules[str(name)]  # type: ignore[return-value]

    def __setitem__(self, name: Any, layer: Layer) -> None:
        self.add_sublayer(str(name), layer)

    def __delitem__(self, name: Any) -> None:
        name = str(name)
        assert name in self._modules, f"this Sequential has no layer {name!r}."
        del self._modules[name]

    def __len__(self) -> int:
        return len(self._modules)

    def forward(self, input: Any) -> Any:
        """Pass `input` through all layers."""
        for layer in self._modules.values():
            input = layer(input)  # type: ignore[misc]
        return input


class LayerList(Layer):
    """Hold layers as a list, registered. Same as Paddle 1.8.

    Args:
        sublayers: the layers to start with.
    """

    def __init__(self, sublayers: Iterable[Layer] | None = None) -> None:
        super().__init__()
        self.extend(sublayers or ())

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self._modules.values())[idx])  # type: ignore[arg-type]
        return self._modules[self._key(idx)]

    def __setitem__(self, idx: int, sublayer: Layer) -> None:
        # Paddle takes any number that is not there yet as well
        self.add_sublayer(self._key(idx) if int(idx) < len(self) else str(idx), sublayer)

    def __delitem__(self, idx: Any) -> None:
        left = list(self._modules.values())
        del left[idx]
        self._refill(left)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def append(self, sublayer: Layer) -> LayerList:
        """Add a layer at the end."""
        self.add_sublayer(str(len(self)), sublayer)
        return self

    def insert(self, index: int, sublayer: Layer) -> None:
        """Put a layer before the one at `index`, counted from the front."""
        assert index in range(len(self)), (
            f"`index` must be in the range 0 to {len(self) - 1}, but received {index!r}."
        )
        layers = list(self._modules.values())
        layers.insert(index, sublayer)
        self._refill(layers)

    def extend(self, sublayers: Iterable[Layer]) -> LayerList:
        """Add layers at the end."""
        for layer in sublayers:
            self.append(layer)
        return self

    def _refill(self, layers: list[Any]) -> None:
        self._modules.clear()
        self.extend(layers)

    def _key(self, idx: Any) -> str:
        """Return the name of the layer at a place, which may count from the end."""
        if str(idx) in self._modules:
            return str(idx)
        if not -len(self) <= int(idx) < 0:
            raise IndexError(f"index {idx} is out of range for a LayerList of {len(self)}.")
        return list(self._modules)[int(idx)]


class ParameterList(Layer):
    """Hold parameters as a list, registered. Same as Paddle 1.8.

    Args:
        parameters: the parameters to start with.

    Raises:
        AssertionError: they are not a list of Parameters.
    """

    def __init__(self, parameters: Iterable[ParamBase] | None = None) -> None:
        super().__init__()
        given = () if parameters is None else parameters
        assert not isinstance(given, ParamBase), (
            "`parameters` must be a list of Parameters, but received a Parameter."
        )
        for number, param in enumerate(given):
            self[number] = param

    def __getitem__(self, idx: int) -> ParamBase:
        return self._parameters[str(idx)]  # type: ignore[return-value]

    def __setitem__(self, idx: int, param: ParamBase) -> None:
        assert isinstance(param, ParamBase), (
            f"a ParameterList must hold Parameters, but received {type(param).__name__}."
        )
        self.add_parameter(str(idx), param)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[ParamBase]:
        return iter(self._parameters.values())  # type: ignore[arg-type]

    def append(self, parameter: ParamBase) -> ParameterList:
        """Add a parameter at the end."""
        self.add_parameter(str(len(self)), parameter)
        return self
