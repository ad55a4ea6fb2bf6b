"""What a split model can do, in one process or in several. May import: torch, layers, stage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from refluid.distributed.pipeline.layers import Entry
from refluid.distributed.pipeline.stage import Stage
from refluid.errors import CheckpointError

__all__ = ["Loss", "Pipeline", "Plan", "misfit", "plain"]

Loss = Callable[[Any, Any], Any]

_dtype = torch.Tensor.dtype.__get__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Plan:
    """How a model is split.

    Args:
        boundaries: number of the first layer of each stage but the first.
        entries: the state of the whole model.
        loss: of the last stage's output and a target, a mean over samples.
        num_microbatches: in how many parts a batch goes through the stages.
    """

    boundaries: Sequence[int]
    entries: Sequence[Entry]
    loss: Loss
    num_microbatches: int

    @property
    def num_stages(self) -> int:
        """How many stages there are."""
        return len(self.boundaries) + 1

    def share(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return what one part of the batch adds to the mean loss of all.

        Raises:
            TypeError: the loss is not one number.
        """
        value = self.loss(output, target)
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            what = f"shape {list(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)
            raise TypeError(
                f"`loss` must give the mean over the samples, a tensor of one element, but gave "
                f"{what}."
            )
        return plain(value).reshape(()) / self.num_microbatches


class Pipeline(ABC):
    """A model that is split into stages, each in a process or on a device of its own.

    Every process makes the same calls with the same batches.

    Attributes:
        plan: how the model is split.
        module: the layers that are in this process, a Module whose names are those of the unsplit
            model; a `Run` tracks it.
        rank: the number of this process.
    """

    def __init__(self, plan: Plan, module: Stage, rank: int) -> None:
        self.plan = plan
        self.module = module
        self.rank = rank

    def parameters(self) -> list[torch.nn.Parameter]:
        """Return the parameters that are in this process, for its optimizer."""
        return list(self.module.parameters())

    @abstractmethod
    def step(self, inputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Run forward and backward with a batch, so that an optimizer can make its step.

        Gradients are added to those that are there, for layers of torch, and replace them for those
        of fluid, as each does without a split.

        Args:
            inputs: the whole batch, its samples along the first dimension.
            target: what `loss` compares with, a tensor with as many samples.

        Returns:
            The mean loss, of shape [] and no part of a graph, the same in every process.

        Raises:
            ValueError: the batch cannot be divided into `num_microbatches` parts.
            RuntimeError: the recording of gradients is switched off.
            DistributedError: another process makes another call.
            PeerLost: another process has ended or hangs.

        Effects:
            A collective. The first batch, and the first of another shape, also passes through each
            stage once in eval mode, to learn the shapes in between.
        """

    @abstractmethod
    def predict(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run forward only.

        Whether dropout drops is the layers' mode, as ever: `module.eval()`.

        Args:
            inputs: a batch; it need not be divisible.

        Returns:
            The last stage's output, the same in every process. Raises and has effects as `step`.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return the state of the whole model on rank 0, and an empty one on the others.

        Names and bits are those of the unsplit model, which can load it. A collective.

        Raises:
            PeerLost: another process has ended or hangs.
        """

    @abstractmethod
    def load_state_dict(self, state_dict: Mapping[str, Any] | None) -> None:
        """Give each process its part of a state of the unsplit or of a split model.

        Args:
            state_dict: tensors or arrays by name on rank 0; what other ranks give is not used.

        Raises:
            CheckpointError: names, shapes or element types are not the model's; all are named, and
                nothing is changed.
            PeerLost: another process has ended or hangs.

        Effects:
            A collective.
        """

    def _checked(self, inputs: Any, target: Any = None) -> None:
        for name, value in (("inputs", inputs), ("target", target)):
            if value is not None and not isinstance(value, torch.Tensor):
                raise TypeError(f"`{name}` must be one tensor, but is {type(value).__name__}.")
        if target is None:
            return
        if not torch.is_grad_enabled():
            raise RuntimeError(
                "`step` needs gradients, but recording is switched off: call module.train() after "
                "fluid's eval(), or leave no_grad()."
            )
        num_samples, parts = len(inputs), self.plan.num_microbatches
        if num_samples != len(target):
            raise ValueError(
                f"`inputs` and `target` must have as many samples, but have {num_samples} and "
                f"{len(target)}."
            )
        if num_samples == 0 or num_samples % parts:
            raise ValueError(
                f"`inputs` must have a number of samples that `num_microbatches`, {parts}, "
                f"divides, but has {num_samples}: choose another batch size, and leave out the "
                "rest of an epoch that fills no batch."
            )

    def _misfits(self, state: Mapping[str, Any] | None) -> str | None:
        """Return in what a state is not one of this model, None if it is."""
        if state is None:
            return "rank 0 gave None"
        names = {entry.name for entry in self.plan.entries}
        found = [f"`{name}` is not of this model" for name in state if name not in names]
        for entry in self.plan.entries:
            if entry.name not in state:
                found.append(f"`{entry.name}` is missing")
                continue
            value = state[entry.name]
            value = value if isinstance(value, torch.Tensor) else torch.as_tensor(value)
            if tuple(value.shape) != entry.shape or _dtype(value) != entry.dtype:
                found.append(
                    f"`{entry}` is {list(value.shape)} {str(_dtype(value)).removeprefix('torch.')}"
                )
        return "; ".join(found) or None


def misfit(what: str) -> CheckpointError:
    """Return the error for a state that is not one of the model."""
    return CheckpointError(f"`state_dict` does not fit the model: {what}.")


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor as torch's own class, on the same memory and graph."""
    return torch.Tensor.as_subclass(tensor, torch.Tensor)
