"""The update rules that torch has fused kernels for, and what they fall back to.

torch's fused Adam and SGD are private functions that not every version, device and element type
has, so each is tried on one number before its first use; whatever fails there, or has an unusual
memory layout, is computed by the foreach functions instead. This is the only place that knows.

Fused Adam is torch's formula: it divides by 1 - beta**step itself and adds epsilon after that.
With step = infinity these corrections are 1, and what remains is Paddle's formula.
May import: torch.
"""

from __future__ import annotations

import functools
import itertools

import torch

__all__ = ["adam", "momentum"]

Tensors = list[torch.Tensor] | tuple[torch.Tensor, ...]


def adam(
    params: Tensors,
    grads: Tensors,
    moments1: Tensors,
    moments2: Tensors,
    *,
    rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> None:
    """Update in place: m = b1*m + (1-b1)*g, v = b2*v + (1-b2)*g^2, p -= rate*m/(sqrt(v)+eps).

    Args:
        params: of one dtype and device; the other sequences are alike, in the same order.
        grads: read only.
        moments1: the averages m.
        moments2: the averages v.
        rate: already corrected for the beginning of the averages.
        beta1: decay of m.
        beta2: decay of v.
        epsilon: added to the root of v.
    """
    first = params[0]
    if _adam_is_fused(first.device, first.dtype) and _alike(params, grads, moments1, moments2):
        _fused_adam(params, grads, moments1, moments2, rate, beta1, beta2, epsilon)
        return
    torch._foreach_mul_(moments1, beta1)
    torch._foreach_add_(moments1, grads, alpha=1.0 - beta1)
    torch._foreach_mul_(moments2, beta2)
    torch._foreach_addcmul_(moments2, grads, grads, value=1.0 - beta2)
    roots = torch._foreach_sqrt(moments2)
    torch._foreach_add_(roots, epsilon)
    torch._foreach_addcdiv_(params, moments1, roots, value=-rate)


def momentum(
    params: Tensors,
    grads: Tensors,
    velocities: Tensors,
    *,
    rate: float,
    decay: float,
    nesterov: bool,
) -> None:
    """Update in place: v = decay*v + g, p -= rate*v; with Nesterov p -= rate*(g + decay*v).

    Args:
        params: of one dtype and device; the other sequences are alike, in the same order.
        grads: read only.
        velocities: the sums v.
        rate: learning rate.
        decay: share of v that is kept.
        nesterov: look ahead by one step.
    """
    first = params[0]
    if _momentum_is_fused(first.device, first.dtype) and _alike(params, grads, velocities):
        _fused_momentum(params, grads, velocities, rate, decay, nesterov)
        return
    torch._foreach_mul_(velocities, decay)
    torch._foreach_add_(velocities, grads)
    if nesterov:
        torch._foreach_add_(params, grads, alpha=-rate)
        rate = rate * decay
    torch._foreach_add_(params, velocities, alpha=-rate)


def _alike(params: Tensors, *others: Tensors) -> bool:
    """Whether all tensors of a place have one dense layout, so that memory can be walked flat."""
    if all(map(_is_contiguous, itertools.chain(params, *others))):
        return True
    return all(
        _is_channels_last(param)
        and all(tensors[k].stride() == param.stride() for tensors in others)
        for k, param in enumerate(params)
    )


_is_contiguous = torch.Tensor.is_contiguous


def _is_channels_last(tensor: torch.Tensor) -> bool:
    return tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)


@functools.cache
def _never_ending(device: torch.device) -> torch.Tensor:
    return torch.full((), float("inf"), device=device)


def _fused_adam(
    params: Tensors,
    grads: Tensors,
    moments1: Tensors,
    moments2: Tensors,
    rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> None:
    torch._fused_adam_(
        params,
        grads,
        moments1,
        moments2,
        [],
        [_never_ending(params[0].device)] * len(params),
        lr=rate,
        beta1=beta1,
        beta2=beta2,
        weight_decay=0.0,
        eps=epsilon,
        amsgrad=False,
        maximize=False,
    )


def _fused_momentum(
    params: Tensors, grads: Tensors, velocities: Tensors, rate: float, decay: float, nesterov: bool
) -> None:
    torch._fused_sgd_(
        params,
        grads,
        velocities,
        weight_decay=0.0,
        momentum=decay,
        lr=rate,
        dampening=0.0,
        nesterov=nesterov,
        maximize=False,
        is_first_step=False,
    )


@functools.cache
def _adam_is_fused(device: torch.device, dtype: torch.dtype) -> bool:
    param, grad, moment1, moment2 = ([torch.ones(2, dtype=dtype, device=device)] for _ in range(4))
    try:
        _fused_adam(param, grad, moment1, moment2, 0.5, 0.5, 0.5, 1.0)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return bool((param[0] == 0.75).all()) and bool((grad[0] == 1.0).all())


@functools.cache
def _momentum_is_fused(device: torch.device, dtype: torch.dtype) -> bool:
    param, grad, velocity = ([torch.ones(2, dtype=dtype, device=device)] for _ in range(3))
    try:
        _fused_momentum(param, grad, velocity, 0.25, 0.5, False)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return bool((param[0] == 0.625).all()) and bool((velocity[0] == 1.5).all())
