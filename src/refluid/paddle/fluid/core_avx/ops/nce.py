"""Noise-contrastive estimation. B batch, T true classes, S samples, N size of the input.

Source: Gutmann and Hyvarinen 2010. May import: torch, operator, index.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, operator, optional
from refluid.paddle.fluid.core_avx.ops.index import check_index

__all__ = ["nce"]


@operator(
    "nce", direct=True, input=FLOAT, label=INT64, weight=FLOAT, bias=optional(FLOAT),
    sample_weight=optional(FLOAT),
)  # fmt: skip
def nce(
    input: Tensor,
    label: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    sample_weight: Tensor | None,
    num_neg_samples: int,
    sampler: str = "uniform",
    custom_dist: Sequence[float] | None = None,
    seed: int = 0,
    is_sparse: bool = False,
    average: bool = False,
) -> Tensor:
    """Compare the true classes of each row with classes drawn at random.

    With o the sigmoid of a class's score and q its expected number of draws, a true class costs
    -log(o / (o + q)) and a drawn one -log(q / (o + q)).

    Args:
        input: float [B, N].
        label: int64 [B, T], the true classes; or [B].
        weight: [C, N], a row for each class.
        bias: C elements, or None.
        sample_weight: B factors of the rows, or None.
        num_neg_samples: S, classes drawn for each row.
        sampler: "uniform", "log_uniform" or "custom_dist".
        custom_dist: a list of the probabilities of the classes for "custom_dist".
        seed: other than 0 for the same classes each time.
        is_sparse: the gradient of `weight` holds only the rows that were used.
        average: divide by S + 1.

    Returns:
        [B, 1], the costs of each row summed.

    Effects:
        Without a seed, torch's generator on the CPU is drawn from.
    """
    rows, classes = input.size(0), weight.size(0)
    if not (input.dim() == 2 and input.size(1) == weight.size(1)):
        raise EnforceNotMet(
            f"nce: `input` must have shape [batch, {weight.size(1)}], but received shape "
            f"{list(input.size())}."
        )
    if not (label.dim() in (1, 2) and label.size(0) == rows):
        raise EnforceNotMet(
            f"nce: `label` must have shape [{rows}, number of true classes], but received shape "
            f"{list(label.size())}."
        )
    if label.is_cuda:
        check_index("nce", "label", label, classes)
    true = torch.reshape(label, (rows, -1))
    drawn = _draw((rows, num_neg_samples), classes, sampler, custom_dist, seed)
    both = torch.cat([true, drawn.to(true.device)], 1)
    try:
        vectors = _vectors(weight, both, is_sparse)
    except IndexError:  # on the CPU torch looks at every number itself
        check_index("nce", "label", label, classes)
        raise
    scores = torch.bmm(vectors, torch.unsqueeze(input, 2)).squeeze(2)
    if bias is not None:
        scores = scores + torch.take(bias, both)
    o = torch.sigmoid(scores)
    q = _probability(both, classes, sampler, custom_dist).to(o) * num_neg_samples
    is_true = torch.arange(both.size(1), device=o.device) < true.size(1)
    costs = -torch.log(torch.where(is_true, o, q) / (o + q))
    total = costs.sum(1, keepdim=True)
    if sample_weight is not None:
        total = total * torch.reshape(sample_weight, (rows, 1))
    return total / (num_neg_samples + 1) if average else total


def _vectors(weight: Tensor, classes: Tensor, is_sparse: bool) -> Tensor:
    if not is_sparse:
        return torch.embedding(weight, classes)
    used, position = torch.unique(classes, return_inverse=True)
    return torch.embedding(weight, used, sparse=True)[position]


def _draw(
    sizes: tuple[int, int],
    classes: int,
    sampler: str,
    custom_dist: Sequence[float] | None,
    seed: int,
) -> Tensor:
    generator = torch.Generator().manual_seed(seed) if seed else None
    if sampler == "uniform":
        return torch.randint(classes, sizes, generator=generator)
    if sampler == "log_uniform":
        u = torch.rand(sizes, dtype=torch.float64, generator=generator)
        return (torch.exp(u * math.log(classes)) - 1.0).long().clamp(max=classes - 1)
    probabilities, count = torch.tensor(custom_dist), math.prod(sizes)
    drawn = torch.multinomial(probabilities, max(count, 1), True, generator=generator)
    return drawn[:count].reshape(sizes)


def _probability(
    drawn: Tensor, classes: int, sampler: str, custom_dist: Sequence[float] | None
) -> Tensor:
    """Return the probability of each class that was drawn, or the one of all."""
    if sampler == "uniform":
        return torch.full((), 1.0 / classes, device=drawn.device)
    if sampler == "log_uniform":
        return torch.log((drawn + 2.0) / (drawn + 1.0)) / math.log(classes)
    return torch.tensor(custom_dist, device=drawn.device)[drawn]
