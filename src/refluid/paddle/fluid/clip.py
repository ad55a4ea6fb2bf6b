"""Gradient clipping, which an optimizer applies before it adds the weight decay.

Every clip returns new gradients; those that `backward` left, and `gradient()` shows, stay.
`set_gradient_clip`, `ErrorClipByValue` and `error_clip_callback` belong to the static graph, where
they write into a program, and are not here.
May import: torch, core_avx, framework.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from refluid.paddle.fluid.core_avx.variable import wrap
from refluid.paddle.fluid.framework import ParamBase

__all__ = [
    "GradientClipByGlobalNorm",
    "GradientClipByNorm",
    "GradientClipByValue",
]

Gradients = list[tuple[ParamBase, torch.Tensor]]


class BaseErrorClipAttr:
    """Base of what limits the gradient of a single variable in the static graph.

    Same as Paddle 1.8, where it defines nothing, and has no use in the dynamic graph.
    """

    def __str__(self) -> str:
        raise NotImplementedError

    def _append_clip_op(self, block: Any, grad_name: str) -> None:
        raise NotImplementedError


class GradientClipBase:
    """The base of all clips, called with parameters and gradients. Same as Paddle 1.8.

    Args:
        need_clip: called with a parameter; its gradient is clipped if it returns True. By default
            all are.

    Raises:
        TypeError: `need_clip` is not a function.
    """

    def __init__(self, need_clip: Callable[[ParamBase], bool] | None = None) -> None:
        if need_clip is not None and not callable(need_clip):
            raise TypeError(
                "`need_clip` must be a function that takes a parameter and returns a bool, "
                f"but received {need_clip!r}."
            )
        self._need_clip_func = need_clip

    def __str__(self) -> str:
        raise NotImplementedError

    @torch.no_grad()
    def __call__(self, params_grads: Gradients) -> Gradients:
        """Return the parameters with clipped gradients; those without a gradient are left out.

        Args:
            params_grads: parameters and their gradients.
        """
        return self._dygraph_clip(params_grads)

    def _dygraph_clip(self, params_grads: Gradients) -> Gradients:
        kept = [pair for pair in params_grads if pair[1] is not None]
        need = self._need_clip_func
        return self._clip_at(
            kept, [k for k, (param, _) in enumerate(kept) if need is None or need(param)]
        )

    def _clip_at(self, kept: Gradients, places: list[int]) -> Gradients:
        """Put clipped gradients in some places of a list, and return it."""
        if places:
            # repeated rows of a sparse gradient count as their sum
            grads = [g.coalesce() if g.is_sparse else g for g in (kept[k][1] for k in places)]
            clipped = self._clip([g._values() if g.is_sparse else g for g in grads])
            for k, grad, values in zip(places, grads, clipped, strict=True):
                kept[k] = (kept[k][0], wrap(_with_values(grad, values)))
        return kept

    def _clip(self, grads: list[torch.Tensor]) -> Sequence[torch.Tensor]:
        """Return new tensors in place of the gradients, which are dense."""
        raise NotImplementedError


class GradientClipByValue(GradientClipBase):
    """Limit every element to [min, max]. Same as Paddle 1.8.

    Args:
        max: the largest value.
        min: the smallest value; by default `-max`.
        need_clip: called with a parameter; tells whether it is clipped.

    Raises:
        AssertionError: `min` is missing and `max` is not positive.
    """

    def __init__(
        self,
        max: float,
        min: float | None = None,
        need_clip: Callable[[ParamBase], bool] | None = None,
    ) -> None:
        super().__init__(need_clip)
        if min is None:
            assert max > 0.0, f"`max` must be positive if there is no `min`, but received {max!r}."
            min = -max
        self.max = float(max)
        self.min = float(min)

    def __str__(self) -> str:
        return f"Gradient Clip By Value, min = {self.min:f}, max={self.max:f}"

    def _clip(self, grads: list[torch.Tensor]) -> Sequence[torch.Tensor]:
        clipped = torch._foreach_clamp_min(grads, self.min)
        torch._foreach_clamp_max_(clipped, self.max)
        return clipped


class GradientClipByNorm(GradientClipBase):
    """Scale each gradient whose norm is above `clip_norm` down to it. Same as Paddle 1.8.

    Args:
        clip_norm: the largest norm.
        need_clip: called with a parameter; tells whether it is clipped.
    """

    def __init__(
        self, clip_norm: float, need_clip: Callable[[ParamBase], bool] | None = None
    ) -> None:
        super().__init__(need_clip)
        self.clip_norm = float(clip_norm)

    def __str__(self) -> str:
        return f"Gradient Clip By Norm, clip_norm={self.clip_norm:f}"

    def _clip(self, grads: list[torch.Tensor]) -> Sequence[torch.Tensor]:
        scales = [
            self.clip_norm / norm.clamp_(min=self.clip_norm) for norm in torch._foreach_norm(grads)
        ]
        return torch._foreach_mul(grads, scales)


class GradientClipByGlobalNorm(GradientClipBase):
    """Scale all gradients by `clip_norm / max(norm, clip_norm)`, norm being that of all together.

    Same as Paddle 1.8.

    Args:
        clip_norm: the largest norm.
        group_name: not used in the dynamic graph.
        need_clip: called with a parameter; tells whether it counts and is clipped.
    """

    def __init__(
        self,
        clip_norm: float,
        group_name: str = "default_group",
        need_clip: Callable[[ParamBase], bool] | None = None,
    ) -> None:
        super().__init__(need_clip)
        self.clip_norm = float(clip_norm)
        self.group_name = group_name

    def __str__(self) -> str:
        return f"Gradient Clip By GlobalNorm, global_norm={self.clip_norm:f}"

    def _clip(self, grads: list[torch.Tensor]) -> Sequence[torch.Tensor]:
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
        return torch._foreach_mul(grads, self.clip_norm / norm.clamp_(min=self.clip_norm))


ClipByValue = GradientClipByValue
ClipByNorm = GradientClipByNorm
ClipByGlobalNorm = GradientClipByGlobalNorm


def append_gradient_clip_ops(param_grads: Gradients) -> Sequence[Any]:
    """Clip gradients by the `gradient_clip_attr` of their parameters.

    Same as Paddle 1.8: if one parameter has none, all gradients are returned as they are, and
    otherwise the last parameter's clip is applied to all of them, whatever its `need_clip` says.
    Differs from Paddle: `GradientClipByGlobalNorm` works here too.

    Args:
        param_grads: parameters and their gradients.

    Returns:
        A list of [parameter, clipped gradient]; or `param_grads` themselves.

    Raises:
        TypeError: a parameter's attribute is no clip.
    """
    kept = [pair for pair in param_grads if pair[1] is not None]
    last: GradientClipBase | None = None
    for param, _ in kept:
        last = getattr(param, "gradient_clip_attr", None)
        if last is None:
            return param_grads
        if not isinstance(last, GradientClipBase):
            raise TypeError(
                f"`gradient_clip_attr` of `{param.name}` must be a gradient clip, such as "
                f"GradientClipByValue, but is {last!r}."
            )
    if last is None:
        return []
    with torch.no_grad():
        return [list(pair) for pair in last._clip_at(kept, [*range(len(kept))])]


def _with_values(grad: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return `values` themselves, or as the rows of a sparse gradient."""
    if not grad.is_sparse:
        return values
    return torch.sparse_coo_tensor(
        grad._indices(), values, grad.size(), check_invariants=False, is_coalesced=True
    )
