"""A split model whose stages are all in this process, each on its device.

All parts of a batch go forward before the first goes backward: a GPU is told what to do long before
it is done, so that several of them work at the same time without anything else.
May import: torch, layers, pipeline, stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from refluid.distributed.pipeline.layers import overwrite
from refluid.distributed.pipeline.pipeline import Pipeline, Plan, misfit, plain
from refluid.distributed.pipeline.stage import Stage

__all__ = ["DevicePipeline"]


class DevicePipeline(Pipeline):
    """A model split over devices of this process.

    Args:
        plan: how it is split.
        stages: all of them.
        devices: of each stage; None leaves it where it is.
    """

    def __init__(
        self, plan: Plan, stages: Sequence[Stage], devices: Sequence[torch.device] | None
    ) -> None:
        layers = {
            name: layer
            for stage in stages
            for name, layer in stage._modules.items()
            if layer is not None
        }
        super().__init__(plan, Stage(layers), 0)
        self._stages = stages
        self._devices = devices or [_device_of(stage) for stage in stages]
        for stage, device in zip(self._stages, self._devices, strict=True):
            stage.to(device)

    def step(self, inputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Run forward and backward with a batch; see `Pipeline.step`."""
        self._checked(inputs, target)
        self.module.begin_step()
        parts = self.plan.num_microbatches
        shares = [
            self.plan.share(self._forward(part), expected)
            for part, expected in zip(
                plain(inputs).tensor_split(parts),
                plain(target).to(self._devices[-1]).tensor_split(parts),
                strict=True,
            )
        ]
        # in the order in which several processes do it, so that the sums have the same bits
        for share in shares:
            share.backward()
        return torch.stack(shares).sum().detach()

    def predict(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run forward only; see `Pipeline.predict`."""
        self._checked(inputs)
        with torch.no_grad():
            return self._forward(plain(inputs))

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return the state of the model; see `Pipeline.state_dict`."""
        return self.module.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any] | None) -> None:
        """Overwrite the state of the model; see `Pipeline.load_state_dict`."""
        what = self._misfits(state_dict)
        if what is not None:
            raise misfit(what)
        assert state_dict is not None
        for name, tensor in self.module.live_state().items():
            overwrite(tensor, state_dict[name])

    def _forward(self, value: torch.Tensor) -> torch.Tensor:
        for stage, device in zip(self._stages, self._devices, strict=True):
            value = stage(value.to(device))
        return value


def _device_of(stage: Stage) -> torch.device:
    return next(stage.parameters()).device
