"""The gradients of one step, as norms, caught where the backward pass leaves them.

A program may clear its gradients at any place of a step, so that none might be left at its end.
May import: torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch

__all__ = ["Gradients", "norm", "total"]


class Gradients:
    """Norms of the gradients between `attach` and `detach`; the last counts."""

    def __init__(self) -> None:
        self._found: dict[str, torch.Tensor] = {}
        self._handles: list[torch.utils.hooks.RemovableHandle] = []

    def attach(self, parameters: Mapping[str, torch.Tensor]) -> None:
        """Forget what was found, and begin to catch the gradients of these parameters."""
        self._found = {}
        for name, parameter in parameters.items():
            # behind accumulation: what the optimizer will see, not what one loss adds; of several
            # processes it is this one's share
            self._handles.append(
                parameter.register_post_accumulate_grad_hook(
                    lambda leaf, name=name: self._catch(name, leaf)
                )
            )

    def detach(self) -> None:
        """Take every hook away; it may be called again."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def norms(self) -> dict[str, float]:
        """Return the norm of each gradient that was computed, in the parameters' order."""
        return {name: float(value) for name, value in self._found.items()}

    def _catch(self, name: str, leaf: torch.Tensor) -> None:
        if leaf.grad is not None:
            self._found[name] = norm(leaf.grad)


def norm(tensor: torch.Tensor) -> torch.Tensor:
    """Return the square root of the sum of squares, in float32 or the tensor's own precision.

    Args:
        tensor: float of any shape, dense or sparse.
    """
    values = torch.Tensor.detach(tensor)
    if values.is_sparse:
        values = values.coalesce().values()
    if values.dtype in (torch.float16, torch.bfloat16):
        values = values.float()
    return torch.linalg.vector_norm(values)


def total(norms: Iterable[float]) -> float:
    """Return the norm of all together."""
    return math.hypot(*norms)
