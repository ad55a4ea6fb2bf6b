"""Losses of very many classes, which look at some of them only. B batch, N size of the input.

May import: torch, core_avx, layer_helper, layers.nn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx import random
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, operator, optional
from refluid.paddle.fluid.core_avx.ops import nce as _nce
from refluid.paddle.fluid.core_avx.ops.index import check_index
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layer_helper import LayerHelper
from refluid.paddle.fluid.layers.nn.activation import log_probabilities
from refluid.paddle.fluid.layers.nn.connect import check_variable

__all__ = ["hsigmoid", "nce", "sampled_softmax_with_cross_entropy"]

_SAMPLERS = ("uniform", "log_uniform", "custom_dist")
# what Paddle cuts the scores of a tree's nodes to
_LARGEST_SCORE = 40.0


def nce(
    input: VarBase,
    label: VarBase,
    num_total_classes: int,
    sample_weight: VarBase | None = None,
    param_attr: Any = None,
    bias_attr: Any = None,
    num_neg_samples: int | None = None,
    name: str | None = None,
    sampler: str = "uniform",
    custom_dist: Sequence[float] | None = None,
    seed: int = 0,
    is_sparse: bool = False,
) -> VarBase:
    """Return the noise-contrastive loss of true classes against random ones, with new weights.

    Same as Paddle 1.8. Source: Gutmann and Hyvarinen 2010.

    Args:
        input: float [B, N].
        label: int64 [B, number of true classes].
        num_total_classes: C.
        sample_weight: float [B, 1], multiplies the loss of each sample.
        param_attr: attributes of the weight [C, N].
        bias_attr: attributes of the bias [C, 1]; False for none.
        num_neg_samples: how many random classes; by default 10.
        name: what the parameters' names begin with.
        sampler: "uniform", "log_uniform" or "custom_dist".
        custom_dist: probabilities of the classes for "custom_dist".
        seed: 0 for new classes each time.
        is_sparse: the weight's gradient is the rows that were used.

    Returns:
        [B, 1].

    Raises:
        ValueError: `sampler` is none of these, or there is no `custom_dist`.
    """
    if sampler not in _SAMPLERS or (sampler == "custom_dist" and custom_dist is None):
        raise ValueError(
            f"nce: `sampler` must be one of {', '.join(_SAMPLERS)}, the last with `custom_dist`, "
            f"but received {sampler!r}."
        )
    shape = check_variable("nce", "input", input).shape
    helper = LayerHelper("nce", name)
    weight = helper.create_weight(param_attr, [num_total_classes, shape[1]], input.dtype)
    bias = helper.create_parameter(bias_attr, [num_total_classes, 1], input.dtype, is_bias=True)
    samples = 10 if num_neg_samples is None else int(num_neg_samples)
    return _nce.nce(
        input, label, weight, bias, sample_weight, samples, sampler, custom_dist, seed, is_sparse,
        average=True,
    )  # fmt: skip


def hsigmoid(
    input: VarBase,
    label: VarBase,
    num_classes: int,
    param_attr: Any = None,
    bias_attr: Any = None,
    name: str | None = None,
    path_table: VarBase | None = None,
    path_code: VarBase | None = None,
    is_custom: bool = False,
    is_sparse: bool = False,
) -> VarBase:
    """Return the loss of the decisions on the way to a class in a binary tree, with new weights.

    Same as Paddle 1.8. Source: Morin and Bengio 2005.

    Args:
        input: float [B, N].
        label: int64 [B, 1].
        num_classes: C, at least 2; with `is_custom` the number of inner nodes.
        param_attr: attributes of the weight [C - 1, N], or [C, N] with `is_custom`.
        bias_attr: attributes of the bias [C - 1, 1] or [C, 1]; False for none.
        name: what the parameters' names begin with.
        path_table: int64 [B, L], with `is_custom` the nodes on the way, then negative numbers.
        path_code: int64 [B, L], with `is_custom` the decisions there, 0 or 1.
        is_custom: a tree of your own; by default a complete one.
        is_sparse: accepted for compatibility.

    Returns:
        [B, 1].

    Raises:
        ValueError: arguments of the two kinds of trees are mixed, or one is missing.
    """
    if not is_custom and (num_classes is None or num_classes < 2):
        raise ValueError(f"hsigmoid: `num_classes` must be at least 2, but is {num_classes}.")
    if is_custom is (path_table is None or path_code is None):
        raise ValueError(
            "hsigmoid: `path_table` and `path_code` must both be given with `is_custom`, and "
            "neither without."
        )
    nodes = num_classes if is_custom else num_classes - 1
    shape = check_variable("hsigmoid", "input", input).shape
    helper = LayerHelper("hierarchical_sigmoid", name)
    weight = helper.create_weight(param_attr, [nodes, shape[1]], input.dtype)
    bias = helper.create_parameter(bias_attr, [nodes, 1], input.dtype, is_bias=True)
    return _tree_loss(input, label, weight, bias, path_table, path_code, num_classes)


@operator(
    "hierarchical_sigmoid",
    input=FLOAT,
    label=INT64,
    weight=FLOAT,
    bias=optional(FLOAT),
    table=optional(INT64),
    code=optional(INT64),
)
def _tree_loss(
    input: Tensor,
    label: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    table: Tensor | None,
    code: Tensor | None,
    num_classes: int,
) -> Tensor:
    if table is None or code is None:
        check_index("hsigmoid", "label", label, num_classes)
        # the leaves of a complete tree whose root is node 1
        leaves = label.reshape(-1, 1) + num_classes
        levels = torch.arange(int(2 * num_classes - 1).bit_length() - 1, device=label.device)
        table, code = (leaves >> (levels + 1)) - 1, (leaves >> levels) & 1
    on_way = table >= 0
    nodes = torch.where(on_way, table, 0)
    scores = torch.einsum("bn,bln->bl", input, weight[nodes])
    if bias is not None:
        scores = scores + bias.reshape(-1)[nodes]
    # cut in value only: the gradient goes on, as in Paddle
    scores = scores + (scores.clamp(-_LARGEST_SCORE, _LARGEST_SCORE) - scores).detach()
    losses = functional.softplus(scores) - code * scores
    # the places behind a short way count as decisions between equals
    return torch.where(on_way, losses, math.log(2.0)).sum(1, keepdim=True)


@operator(
    "sample_logits",
    logits=FLOAT,
    label=INT64,
    customized_samples=optional(INT64),
    customized_probabilities=optional(FLOAT),
)
def sampled_softmax_with_cross_entropy(
    logits: Tensor,
    label: Tensor,
    num_samples: int,
    num_true: int = 1,
    remove_accidental_hits: bool = True,
    use_customized_samples: bool = False,
    customized_samples: Tensor | None = None,
    customized_probabilities: Tensor | None = None,
    seed: int = 0,
) -> Tensor:
    """Return the cross entropy of softmax over the true class and some random ones.

    Same as Paddle 1.8, but for which classes a seed draws. Source: Jean et al. 2015.

    Args:
        logits: float [B, C].
        label: int64 [B, num_true], true classes.
        num_samples: how many different classes are drawn, the frequent ones (low numbers) rather.
        num_true: how many true classes a sample has; the loss is their mean.
        remove_accidental_hits: take no notice of a drawn class that is a true one.
        use_customized_samples: take the two following instead of drawing.
        customized_samples: int64 [B, num_true + num_samples], true classes first.
        customized_probabilities: float, the same shape: how likely each was drawn.
        seed: 0 for new classes each time.

    Returns:
        [B, 1].
    """
    classes = logits.size(1)
    if list(label.size()) != [logits.size(0), num_true]:
        raise EnforceNotMet(
            f"sampled_softmax_with_cross_entropy: `label` must be {[logits.size(0), num_true]}, "
            f"but received {list(label.size())}."
        )
    check_index("sampled_softmax_with_cross_entropy", "label", label, classes)
    if use_customized_samples:
        if customized_samples is None or customized_probabilities is None:
            raise EnforceNotMet(
                "sampled_softmax_with_cross_entropy: `customized_samples` and "
                "`customized_probabilities` must be given with `use_customized_samples`."
            )
        samples, probabilities = customized_samples, customized_probabilities.detach()
    else:
        drawn, tries = _draw(classes, num_samples, seed)
        different = torch.tensor(drawn, device=label.device).expand(label.size(0), -1)
        samples = torch.cat([label, different], 1)
        single = torch.log1p(torch.reciprocal(samples + 1.0)) / math.log(classes + 1.0)
        probabilities = -torch.expm1(tries * torch.log1p(-single)).to(logits.dtype)
    scores = torch.gather(logits, 1, samples) - torch.log(probabilities)
    if remove_accidental_hits:
        hit = (samples[:, num_true:, None] == label[:, None, :]).any(2)
        scores = torch.where(functional.pad(hit, (num_true, 0)), scores - 1e20, scores)
    logarithms = log_probabilities(scores, 1)
    return -logarithms[:, :num_true].sum(1, keepdim=True) / num_true


def _draw(classes: int, count: int, seed: int) -> tuple[list[int], int]:
    """Return different classes, low ones being likelier, and how many draws that took."""
    if count > classes:
        raise EnforceNotMet(
            f"sampled_softmax_with_cross_entropy: `num_samples` must not be above the {classes} "
            f"classes, but received {count}."
        )
    found: dict[int, None] = {}
    tries = 0
    while len(found) < count:
        levels = random.uniform([4 * count], 0.0, 1.0, seed + tries if seed else 0)
        for number in torch.exp(levels * math.log(classes + 1.0)).long().tolist():
            tries += 1
            found[min(number, classes) - 1] = None
            if len(found) == count:
                break
    return list(found), tries
