"""The layers of one stage, as a module. May import: torch, layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import Module

from refluid.distributed.pipeline.layers import is_fluid, overwrite, state_of

__all__ = ["Stage"]


class Stage(Module):
    """The layers of one stage, in order, under their names in the unsplit model.

    Args:
        layers: the layers by name.
    """

    def __init__(self, layers: Mapping[str, Module]) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """Pass a tensor through all layers.

        Returns:
            A plain tensor, contiguous, so that it can be sent.

        Raises:
            TypeError: a layer gives something else than one tensor.
        """
        for name, layer in self._modules.items():
            assert layer is not None
            value = layer(value)
            if not isinstance(value, torch.Tensor):
                raise TypeError(
                    f"`model`: layer `{name}` must give one tensor for the next layer, but gave "
                    f"{type(value).__name__}."
                )
        return torch.Tensor.as_subclass(value, torch.Tensor).contiguous()

    def live_state(self) -> dict[str, torch.Tensor]:
        """Return the tensors of the state themselves, by their names in the unsplit model."""
        state: dict[str, torch.Tensor] = {}
        for name, layer in self._modules.items():
            assert layer is not None
            state.update(state_of(layer, f"{name}."))
        return state

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the state of this stage's layers; `Pipeline.state_dict` has that of all."""
        if any(is_fluid(layer) for layer in self._modules.values() if layer is not None):
            return self.live_state()
        return super().state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Overwrite the state of this stage's layers with that of `state_dict`.

        Raises:
            RuntimeError: a name is missing or unknown, or a shape differs.
        """
        if not any(is_fluid(layer) for layer in self._modules.values() if layer is not None):
            return super().load_state_dict(state_dict, *args, **kwargs)
        own = self.live_state()
        different = sorted(own.keys() ^ state_dict.keys())
        if different:
            raise RuntimeError(f"`state_dict` and this stage differ in {', '.join(different)}.")
        for name, tensor in own.items():
            overwrite(tensor, state_dict[name])
        return None

    def begin_step(self) -> None:
        """Forget what a backward pass of fluid's would replace: fluid does not add gradients up."""
        for layer in self._modules.values():
            if layer is not None and is_fluid(layer):
                for parameter in layer.parameters():
                    parameter.grad = None

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Let the layers run within the block without a trace: in eval mode, drawing nothing."""
        modes = [(module, module.training) for module in self.modules()]
        buffers = [(buffer, buffer.clone()) for buffer in self.buffers()]
        devices = {p.device for p in self.parameters() if p.device.type == "cuda"}
        with torch.no_grad(), torch.random.fork_rng(devices=list(devices)):
            for module, _ in modes:
                # not eval(): fluid's would switch recording off for the program
                module.training = False
            try:
                yield
            finally:
                for module, mode in modes:
                    module.training = mode
                for buffer, value in buffers:
                    buffer.copy_(value)
