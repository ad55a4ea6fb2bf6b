"""What the values of a tensor are like, in a few numbers, taken on the tensor's own device.

Numbers of several tensors are put together as if they were those of one, so that a layer that runs
many times, on batches of different sizes, needs no memory of them.
May import: torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["Content", "count_nonzero", "is_measurable", "measure"]

# declared nowhere; within vmap and its like, a tensor has no memory that can be read
_is_wrapped: Any = torch._C._functorch.is_functorch_wrapped_tensor  # type: ignore[attr-defined]
# by the class that a subclass inherits it from, a tensor holds its values itself
_OWN_VALUES = vars(torch.Tensor)["__torch_dispatch__"]


@dataclass(frozen=True, kw_only=True)
class Content:
    """Numbers about values; without any finite value, the first four are nan.

    Args:
        mean: of the finite values.
        std: their standard deviation, divided by their number (not by one less).
        minimum: of the finite values.
        maximum: of the finite values.
        num_values: how many there are.
        num_zeros: how many of them are 0.
        num_nonfinite: how many of them are infinite or no number.
    """

    mean: float = math.nan
    std: float = math.nan
    minimum: float = math.nan
    maximum: float = math.nan
    num_values: int = 0
    num_zeros: int = 0
    num_nonfinite: int = 0

    @property
    def zeros(self) -> float:
        """The share of values that are 0; nan if there are none."""
        return self.num_zeros / self.num_values if self.num_values else math.nan

    @property
    def num_finite(self) -> int:
        """How many values are finite."""
        return self.num_values - self.num_nonfinite

    def joined(self, other: Content) -> Content:
        """Return the numbers of both sets of values together."""
        own, others = self.num_finite, other.num_finite
        mean, std = self.mean, self.std
        if not own:
            mean, std = other.mean, other.std
        elif others:
            weight = others / (own + others)
            between = (other.mean - self.mean) ** 2 * weight * (1 - weight)
            mean = self.mean + (other.mean - self.mean) * weight
            std = math.sqrt(self.std**2 * (1 - weight) + other.std**2 * weight + between)
        return Content(
            mean=mean,
            std=std,
            minimum=_least(self.minimum, other.minimum),
            maximum=-_least(-self.maximum, -other.maximum),
            num_values=self.num_values + other.num_values,
            num_zeros=self.num_zeros + other.num_zeros,
            num_nonfinite=self.num_nonfinite + other.num_nonfinite,
        )


def is_measurable(tensor: torch.Tensor) -> bool:
    """Tell whether a tensor holds its values itself, one beside the other."""
    return (
        getattr(type(tensor), "__torch_dispatch__", None) is _OWN_VALUES
        and tensor.layout == torch.strided
        and tensor.device.type != "meta"
        and not tensor.is_quantized
        and not tensor.is_nested
        and not _is_wrapped(tensor)
    )


def measure(tensor: torch.Tensor) -> Content:
    """Return the numbers of a tensor of any element type; of complex values, their magnitude's.

    Nothing is recorded for a gradient, and no generator is used.
    """
    values = _as_float(torch.Tensor.detach(tensor))
    count = values.numel()
    if not count:
        return Content()
    num_zeros = count - sum(map(int, count_nonzero(values, 0).tolist()))
    low, high = _bounds(values)
    finite = values
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = values[torch.isfinite(values)]
        if not finite.numel():
            return Content(num_values=count, num_nonfinite=count)
        low, high = _bounds(finite)
    mean = finite.mean()
    # torch.var_mean takes five times as long on the CPU
    variance = (finite - mean).square_().mean()
    return Content(
        mean=float(mean),
        std=math.sqrt(float(variance)),
        minimum=low,
        maximum=high,
        num_values=count,
        num_zeros=num_zeros,
        num_nonfinite=count - finite.numel(),
    )


def count_nonzero(tensor: torch.Tensor, axis: int) -> torch.Tensor:
    """Return how many values other than 0 there are at each index of a dimension.

    Args:
        tensor: of any shape and element type.
        axis: the dimension; a tensor without any has one index.

    Returns:
        Float32 or float64 [N], exact up to 2**24 values for each.
    """
    values = _as_float(torch.Tensor.detach(tensor))
    # floats are added up many times as fast as truth values, on which torch.count_nonzero branches
    ones = torch.ne(values, 0, out=torch.empty_like(values))
    others = [k for k in range(values.dim()) if k != axis]
    return ones.sum(dim=others) if others else ones.reshape(-1)


def _as_float(values: torch.Tensor) -> torch.Tensor:
    if values.is_complex():
        values = values.abs()
    if values.is_floating_point():
        return values if values.dtype in (torch.float32, torch.float64) else values.float()
    # Apple's devices have no float64
    return values.to(torch.float32 if values.device.type == "mps" else torch.float64)


def _bounds(values: torch.Tensor) -> tuple[float, float]:
    # not by aminmax, which is slow for images that have their channels last
    return float(torch.amin(values)), float(torch.amax(values))


def _least(one: float, other: float) -> float:
    if math.isnan(one):
        return other
    return one if math.isnan(other) else min(one, other)
