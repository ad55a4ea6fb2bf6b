"""Normalizations. B batch, C channels, S the sizes behind them.

Paddle's rules, torch's kernels: moving statistics take the population variance and keep the share
`momentum` of what they were. Sources: Ioffe and Szegedy 2015 (batch), Ba et al. 2016 (layer),
Ulyanov et al. 2016 (instance), Wu and He 2018 (group), Miyato et al. 2018 (spectral).
May import: torch, operator, activation.
"""

from __future__ import annotations

from typing import NoReturn

import torch
from torch import Tensor
from torch.linalg import vector_norm

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator, optional
from refluid.paddle.fluid.core_avx.ops.activation import activate

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "spectral_norm"]

_LARGEST_EPSILON = 1e-3


@operator(
    "batch_norm", direct=True, input=FLOAT, weight=optional(FLOAT), bias=optional(FLOAT),
    mean=FLOAT, variance=FLOAT,
)  # fmt: skip
def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    momentum: float,
    epsilon: float,
    training: bool,
    data_layout: str = "NCHW",
    act: str | None = None,
) -> Tensor:
    """Normalize each channel over the batch.

    With one value in each channel nothing is normalized: the input is returned, as in Paddle.

    Args:
        input: float [B, C], or [B, C, S...] with up to three sizes, or channels last.
        weight: [C] or None.
        bias: [C] or None.
        mean: the moving mean [C].
        variance: the moving variance [C].
        momentum: share that the moving statistics keep at each step.
        epsilon: added to the variance, 0 to 0.001.
        training: normalize by the batch's statistics and move the others towards them; otherwise
            normalize by the moving ones.
        data_layout: "NCHW" or "NHWC".
        act: name of an activation, or None.

    Returns:
        Shape of `input`.

    Effects:
        `mean` and `variance` are overwritten while training.
    """
    if data_layout not in ("NCHW", "NHWC"):
        raise EnforceNotMet(
            f'batch_norm: `data_layout` must be "NCHW" or "NHWC", but received {data_layout!r}.'
        )
    last = data_layout == "NHWC" and input.dim() > 2
    _check("batch_norm", input, mean.size(0), last, epsilon)
    _check_sizes(mean, weight, bias, variance)
    x = input.movedim(-1, 1) if last else input
    # an evaluation of nothing at all would end the process in torch's backward pass
    if x.numel() == (x.size(1) if training else 0):
        return activate(torch.clone(input), act)
    if training:
        out, batch_mean, inverse = torch.native_batch_norm(
            x, weight, bias, None, None, True, 0.0, epsilon
        )
        batch_variance = inverse.pow(-2).sub_(epsilon)
        # .data: a backward pass through an earlier evaluation stays possible, as in Paddle
        mean.data.lerp_(batch_mean, 1.0 - momentum)
        variance.data.lerp_(batch_variance, 1.0 - momentum)
    else:
        out = torch.native_batch_norm(x, weight, bias, mean, variance, False, 0.0, epsilon)[0]
    if act is not None:
        out = activate(out, act, fresh=True)
    return out.movedim(1, -1) if last else out


def _check_sizes(mean: Tensor, *others: Tensor | None) -> None:
    for value in others:
        # torch would read past the end
        if value is not None and value.size() != mean.size():
            raise EnforceNotMet(
                f"batch_norm: weight, bias and variance must have the shape of the mean, "
                f"{list(mean.size())}, but received {list(value.size())}."
            )


@operator("layer_norm", direct=True, input=FLOAT, weight=optional(FLOAT), bias=optional(FLOAT))
def layer_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    begin_norm_axis: int,
    epsilon: float,
    act: str | None = None,
) -> Tensor:
    """Normalize over all dimensions from `begin_norm_axis` on.

    Args:
        input: float, of more dimensions than `begin_norm_axis`.
        weight: flat, as many elements as are normalized together; or None.
        bias: likewise.
        begin_norm_axis: first dimension to normalize over, at least 1.
        epsilon: added to the variance, 0 to 0.001.
        act: name of an activation, or None.

    Returns:
        Shape of `input`.
    """
    if not 0.0 <= epsilon <= _LARGEST_EPSILON:
        _refuse_epsilon("layer_norm", epsilon)
    if not (0 < begin_norm_axis < input.dim()):
        raise EnforceNotMet(
            f"layer_norm: `input` must have dimensions before and from `begin_norm_axis` "
            f"{begin_norm_axis} on, but received shape {list(input.size())}."
        )
    shape = input.size()[begin_norm_axis:]
    if len(shape) > 1:
        weight = None if weight is None else torch.reshape(weight, shape)
        bias = None if bias is None else torch.reshape(bias, shape)
    out = torch.layer_norm(input, shape, weight, bias, epsilon)
    return out if act is None else activate(out, act, fresh=True)


@operator("instance_norm", direct=True, input=FLOAT, weight=optional(FLOAT), bias=optional(FLOAT))
def instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, epsilon: float
) -> Tensor:
    """Normalize each channel of each sample by itself.

    Args:
        input: float [B, C] or [B, C, S...] with up to three sizes.
        weight: [C] or None.
        bias: [C] or None.
        epsilon: added to the variance, 0 to 0.001.

    Returns:
        Shape of `input`.
    """
    given = weight if weight is not None else bias
    _check("instance_norm", input, None if given is None else given.size(0), False, epsilon)
    # in one row, because torch 2.13 misreads the channels-last gradient of a batch of one, such as
    # a convolution hands back, and returns another one without a word
    rows = torch.flatten(input, 2) if input.dim() > 2 else torch.unsqueeze(input, 2)
    out = torch.instance_norm(rows, weight, bias, None, None, True, 0.0, epsilon, False)
    return torch.reshape(out, input.size())


@operator("group_norm", direct=True, input=FLOAT, weight=optional(FLOAT), bias=optional(FLOAT))
def group_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    epsilon: float,
    groups: int,
    act: str | None = None,
    data_layout: str = "NCHW",
) -> Tensor:
    """Normalize groups of channels of each sample by themselves.

    Without a weight the gradient treats the groups' means as constants, as in Paddle.

    Args:
        input: float [B, C] or [B, C, S...], or channels last.
        weight: [C] or None.
        bias: [C] or None.
        epsilon: added to the variance.
        groups: number of groups, 1 to C; where it does not divide C, the last are smaller.
        act: name of an activation, or None.
        data_layout: "NCHW" or "NHWC".

    Returns:
        Shape of `input`.
    """
    last = data_layout == "NHWC" and input.dim() > 2
    channels = input.size(-1 if last else 1) if input.dim() > 1 else 0
    if not (0 < groups <= channels):
        raise EnforceNotMet(
            f"group_norm: `groups` must be from 1 to the number of channels, {channels}, but "
            f"received {groups} for an input of shape {list(input.size())}."
        )
    for value in (weight, bias):
        if value is not None and value.numel() != channels:
            raise EnforceNotMet(
                f"group_norm: `input` must have as many channels as the weight and bias have "
                f"elements, but received shape {list(input.size())} and {value.numel()}."
            )
    x = input.movedim(-1, 1) if last else input
    if weight is not None and channels % groups == 0:
        out = torch.group_norm(x, groups, weight, bias, epsilon)
    else:
        out = _normalize_groups(x, groups, epsilon, weight is None)
        shape = (1, -1, *[1] * (x.dim() - 2))
        out = out if weight is None else out * torch.reshape(weight, shape)
        out = out if bias is None else out + torch.reshape(bias, shape)
    if act is not None:
        out = activate(out, act)
    return out.movedim(1, -1) if last else out


def _normalize_groups(x: Tensor, groups: int, epsilon: float, constant_mean: bool) -> Tensor:
    channels = x.size(1)
    if channels % groups == 0:
        equal = torch.unflatten(x, 1, (groups, channels // groups))
        return torch.flatten(_normalize(equal, 2, epsilon, constant_mean), 1, 2)
    parts = torch.split(x, -(-channels // groups), 1)
    return torch.cat([_normalize(part, 1, epsilon, constant_mean) for part in parts], 1)


def _normalize(x: Tensor, start: int, epsilon: float, constant_mean: bool) -> Tensor:
    """Normalize over the dimensions from `start` on."""
    variance, mean = torch.var_mean(x, list(range(start, x.dim())), correction=0, keepdim=True)
    if constant_mean:
        mean = mean.detach()
    return (x - mean) * torch.rsqrt(variance + epsilon)


@operator("spectral_norm", direct=True, weight=FLOAT, u=FLOAT, v=FLOAT)
def spectral_norm(
    weight: Tensor, u: Tensor, v: Tensor, dim: int, power_iters: int, eps: float
) -> Tensor:
    """Divide a weight W by its largest singular value s, which power iteration finds.

    The gradient is Paddle's: where dY comes in, dY * (1 / s - u v^T * sum(W) / s^2) goes out,
    element by element (the true one has sum(dY * W) in place of dY * sum(W)).

    Args:
        weight: float; as a matrix its rows run along `dim`, its columns along all else.
        u: where the left singular vector starts; it is not changed.
        v: where the right one starts; it is not changed.
        dim: the dimension of the rows, 0 or 1.
        power_iters: number of iterations.
        eps: added to the lengths that vectors are divided by.

    Returns:
        Shape of `weight`.
    """
    if dim not in (0, 1):
        raise EnforceNotMet(f"spectral_norm: `dim` must be 0 or 1, but received {dim}.")
    rows, columns = weight.size(dim), weight.numel() // weight.size(dim)
    if not (u.numel() == rows and v.numel() == columns):
        raise EnforceNotMet(
            f"spectral_norm: `weight` must have {u.numel()} rows along dimension {dim} and "
            f"{v.numel()} columns, but received shape {list(weight.size())}."
        )
    values = torch.detach(weight)
    # transposing the first dimension with `dim` is its own inverse
    by_rows = values.transpose(0, dim)
    matrix = by_rows.reshape(rows, columns)
    left, right = torch.detach(u), torch.detach(v)
    for _ in range(power_iters):
        right = torch.mv(matrix.t(), left)
        right = right / (vector_norm(right) + eps)
        left = torch.mv(matrix, right)
        left = left / (vector_norm(left) + eps)
    sigma = torch.dot(left, torch.mv(matrix, right))
    out = values / sigma
    slope = (1.0 - torch.outer(left, right) * out.sum()) / sigma
    slope = slope.reshape(by_rows.size()).transpose(0, dim)
    # nothing is added but the gradient
    return out + slope * torch.sub(weight, values)


def _check(op_type: str, input: Tensor, channels: int | None, last: bool, epsilon: float) -> None:
    if not 2 <= input.dim() <= 5:
        raise EnforceNotMet(
            f"{op_type}: `input` must have 2 to 5 dimensions, but received shape "
            f"{list(input.size())}."
        )
    if channels is not None and input.size(-1 if last else 1) != channels:
        raise EnforceNotMet(
            f"{op_type}: `input` must have {channels} channels, but received shape "
            f"{list(input.size())}."
        )
    if not 0.0 <= epsilon <= _LARGEST_EPSILON:
        _refuse_epsilon(op_type, epsilon)


def _refuse_epsilon(op_type: str, epsilon: float) -> NoReturn:
    raise EnforceNotMet(
        f"{op_type}: `epsilon` must be from 0 to {_LARGEST_EPSILON}, but received {epsilon}."
    )
