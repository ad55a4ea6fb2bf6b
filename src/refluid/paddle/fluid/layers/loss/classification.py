"""Losses of classes and of yes and no. B batch, C classes.

May import: torch, core_avx, layers.nn.activation.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, Kind, describe, operator
from refluid.paddle.fluid.layers.argument import axis_of
from refluid.paddle.fluid.layers.nn.activation import log_probabilities

__all__ = [
    "bpr_loss",
    "cross_entropy",
    "sigmoid_cross_entropy_with_logits",
    "softmax_with_cross_entropy",
    "teacher_student_sigmoid_loss",
]

_LABEL = Kind(FLOAT.dtypes | INT64.dtypes)
# what Paddle puts in the place of an infinite loss
_INFINITE = 1e20
# -log(1e-20)
_LARGEST_BPR = 20 * math.log(10.0)
_LOG_2 = math.log(2.0)


@operator("cross_entropy", direct=True, input=FLOAT, label=_LABEL)
def cross_entropy(
    input: Tensor, label: Tensor, soft_label: bool = False, ignore_index: int = -100
) -> Tensor:
    """Return -log of the probability that `input` gives to the label.

    Same as Paddle 1.8: `input` holds probabilities, such as those of softmax. Where one is 0, the
    loss is 1e20 and its gradient infinite.

    Args:
        input: float [..., C], probabilities.
        label: int64 [..., 1] or [...], class numbers in [0, C); with `soft_label` probabilities
            [..., C] of the element type of `input`.
        soft_label: the labels are probabilities; the loss is -sum(label * log(input)).
        ignore_index: a label whose loss and gradient are 0.

    Returns:
        [..., 1], or [...] for labels of that shape.

    Raises:
        EnforceNotMet: shapes or element types do not fit, or a label is out of range.
    """
    if soft_label:
        logarithms, shares = torch.log(input), torch.detach(label)
        _check_soft("cross_entropy", logarithms, shares)
        logarithms.data.clamp_(min=-_INFINITE)
        return torch.neg(torch.sum(torch.mul(logarithms, shares), -1, keepdim=True))
    flat = label.dim() == input.dim() - 1
    column = torch.unsqueeze(label, -1) if flat else label
    picked, ignored = _pick("cross_entropy", input, column, input.dim() - 1, ignore_index)
    if ignored is not None:
        picked = torch.masked_fill(picked, ignored, 1.0)
    loss = torch.neg(torch.log(picked))
    # .data: the gradient at probability 0 stays that of the logarithm
    loss.data.clamp_(max=_INFINITE)
    if ignored is not None:
        # not -0.0, which the logarithm of 1 gives
        loss.data.masked_fill_(ignored, 0.0)
    return torch.squeeze(loss, -1) if flat else loss


def _check_soft(op_type: str, input: Tensor, label: Tensor) -> None:
    if label.size() != input.size() or label.dtype is not input.dtype:
        raise EnforceNotMet(
            f"{op_type}: with `soft_label` the label must be like the predictions "
            f"{describe(input)}, but received {describe(label)}."
        )


def _pick(
    op_type: str, values: Tensor, label: Tensor, axis: int, ignore_index: int
) -> tuple[Tensor, Tensor | None]:
    """Return the value at each label, and where the label is the ignored one (None: nowhere)."""
    sizes = list(values.size())
    num_classes, sizes[axis] = sizes[axis], 1
    if list(label.size()) != sizes or label.is_floating_point():
        raise EnforceNotMet(
            f"{op_type}: `label` must be int64 {sizes} for predictions {list(values.size())}, but "
            f"received {describe(label)}."
        )
    if not label.is_cuda and not 0 <= ignore_index < num_classes:
        try:
            # on the CPU torch looks at every number itself
            return torch.gather(values, axis, label), None
        except RuntimeError:
            pass  # an ignored label, or one out of range: found out below
    ignored = torch.eq(label, ignore_index)
    numbers = torch.masked_fill(label, ignored, 0)
    if numbers.numel():
        low, high = (int(n) for n in torch.aminmax(numbers))
        if not (low >= 0 and high < num_classes):
            raise EnforceNotMet(
                f"{op_type}: `label` must hold classes in [0, {num_classes - 1}], or the ignored "
                f"{ignore_index}, but received {low if low < 0 else high}."
            )
    return torch.gather(values, axis, numbers), ignored


@operator("softmax_with_cross_entropy", direct=True, logits=FLOAT, label=_LABEL)
def softmax_with_cross_entropy(
    logits: Tensor,
    label: Tensor,
    soft_label: bool = False,
    ignore_index: int = -100,
    numeric_stable_mode: bool = True,
    return_softmax: bool = False,
    axis: int = -1,
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the cross entropy of softmax(logits) and the labels, stably.

    Same as Paddle 1.8 on a GPU: no exponent is lower than 64 below the highest. On a CPU Paddle
    lets the gradient of ignored rows through.

    Args:
        logits: float, size C at `axis`.
        label: int64, the shape of `logits` with size 1 at `axis`; with `soft_label` probabilities
            of the shape and element type of `logits`.
        soft_label: the labels are probabilities.
        ignore_index: a label whose loss and gradient are 0.
        numeric_stable_mode: accepted for compatibility; it is always stable.
        return_softmax: return the probabilities too.
        axis: where the classes are.

    Returns:
        The loss, size 1 at `axis`; with `return_softmax` a pair of it and the probabilities,
        through which no gradient flows.

    Raises:
        EnforceNotMet: shapes or element types do not fit, or a label is out of range.
    """
    axis = axis_of("softmax_with_cross_entropy", "axis", axis, logits.dim())
    logarithms = log_probabilities(logits, axis)
    if soft_label:
        shares = torch.detach(label)
        _check_soft("softmax_with_cross_entropy", logarithms, shares)
        loss = torch.neg(torch.sum(torch.mul(logarithms, shares), axis, keepdim=True))
    else:
        picked, ignored = _pick("softmax_with_cross_entropy", logarithms, label, axis, ignore_index)
        loss = torch.neg(picked)
        if ignored is not None:
            loss = torch.masked_fill(loss, ignored, 0.0)
    return (loss, torch.exp(logarithms.data)) if return_softmax else loss


@operator("sigmoid_cross_entropy_with_logits", direct=True, x=FLOAT, label=FLOAT)
def sigmoid_cross_entropy_with_logits(
    x: Tensor,
    label: Tensor,
    ignore_index: int = -100,
    name: str | None = None,
    normalize: bool = False,
) -> Tensor:
    """Return the cross entropy of sigmoid(x) and the probability `label`, element by element.

    Differs from Paddle: with `normalize` and all labels ignored the loss is 0, not NaN.

    Args:
        x: float of any shape.
        label: float of the same shape.
        ignore_index: a label whose loss and gradient are 0.
        name: accepted for compatibility.
        normalize: divide by the number of labels that are not ignored.
    """
    if x.size() != label.size():
        raise EnforceNotMet(
            "sigmoid_cross_entropy_with_logits: `x` and `label` must have one shape, but received "
            f"{list(x.size())} and {list(label.size())}."
        )
    target = torch.detach(label)
    loss = functional.binary_cross_entropy_with_logits(x, target, reduction="none")
    ignored = target == ignore_index
    loss = loss.masked_fill(ignored, 0.0)
    return loss / (~ignored).sum().clamp(min=1) if normalize else loss


@operator("bpr_loss", direct=True, input=FLOAT, label=INT64)
def bpr_loss(input: Tensor, label: Tensor, name: str | None = None) -> Tensor:
    """Return the mean of log(1 + exp(score of another class - score of the label)).

    Same as Paddle 1.8. Source: Hidasi et al. 2016.

    Args:
        input: float [B, C], scores.
        label: int64 [B, 1], class numbers in [0, C).
        name: accepted for compatibility.

    Returns:
        [B, 1].
    """
    own, _ = _pick("bpr_loss", input, label, input.dim() - 1, -1)
    losses = functional.softplus(torch.sub(input, own))
    # .data: the gradient goes on above the largest loss
    losses.data.clamp_(max=_LARGEST_BPR)
    return (losses.sum(-1, keepdim=True) - _LOG_2) / (input.size(-1) - 1)


@operator("teacher_student_sigmoid_loss", direct=True, input=FLOAT, label=FLOAT)
def teacher_student_sigmoid_loss(
    input: Tensor,
    label: Tensor,
    soft_max_up_bound: float = 15.0,
    soft_max_lower_bound: float = -15.0,
) -> Tensor:
    """Return the cross entropy of sigmoid(input) with a click, and with a teacher if there is one.

    Same as Paddle 1.8.

    Args:
        input: float [B, 1].
        label: float [B, 1]: below -1 no click, from -1 to 0 a click, both without a teacher;
            from 0 to 1 no click and the teacher's probability; from 1 a click and 1 plus it.
        soft_max_up_bound: inputs from here on get no gradient.
        soft_max_lower_bound: likewise, up to here.

    Returns:
        [B, 1].
    """
    values, target = torch.detach(input), torch.detach(label)
    inside = (values > soft_max_lower_bound) & (values < soft_max_up_bound)
    x = torch.where(inside, input, values)
    no_click = functional.softplus(x)
    # with a click: (softplus - x) + (softplus - x * (target - 1)), the same as without
    taught = 2 * no_click - x * target
    return torch.where(target < -1, no_click, torch.where(target < 0, no_click - x, taught))
