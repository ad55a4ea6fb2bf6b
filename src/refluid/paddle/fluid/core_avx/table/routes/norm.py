"""Normalizations. May import: torch, core_avx."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.table.route import op, route
from refluid.paddle.fluid.core_avx.table.routes.image import layout_of

__all__: list[str] = []


def _batch_norm(
    X: Tensor,
    Scale: Tensor,
    Bias: Tensor,
    Mean: Tensor,
    Variance: Tensor,
    MomentumTensor: Tensor | None,
    momentum: float,
    epsilon: float,
    is_test: bool,
    use_global_stats: bool,
    trainable_statistics: bool,
    data_layout: str,
) -> dict[str, Any]:
    training = not (use_global_stats or (is_test and not trainable_statistics))
    share = momentum if MomentumTensor is None else float(MomentumTensor.item())
    layout = layout_of(data_layout)
    # on the same memory: the statistics are overwritten, and no gradient flows into them
    mean, variance = torch.Tensor.detach(Mean), torch.Tensor.detach(Variance)
    y = op.batch_norm(X, Scale, Bias, mean, variance, share, epsilon, training, layout)
    return {"Y": y, "MeanOut": Mean, "VarianceOut": Variance}


def _activated(
    X: Tensor,
    Scale: Tensor,
    Bias: Tensor,
    Mean: Tensor,
    Variance: Tensor,
    MomentumTensor: Tensor | None,
    momentum: float,
    epsilon: float,
    is_test: bool,
    use_global_stats: bool,
    trainable_statistics: bool,
    data_layout: str,
    activation: str,
    alpha: float,
) -> dict[str, Any]:
    results = _batch_norm(
        X, Scale, Bias, Mean, Variance, MomentumTensor, momentum, epsilon, is_test,
        use_global_stats, trainable_statistics, data_layout,
    )  # fmt: skip
    if activation == "leaky_relu":
        results["Y"] = op.leaky_relu(results["Y"], alpha)
    elif activation == "elu":
        results["Y"] = op.elu(results["Y"], alpha)
    elif activation not in ("", "identity"):
        raise EnforceNotMet(
            'inplace_abn: `activation` must be "identity", "elu" or "leaky_relu", but received '
            f"{activation!r}."
        )
    return results


# both overwrite the moving statistics
_SAME = {"MeanOut": "Mean", "VarianceOut": "Variance"}
route("batch_norm", _batch_norm, same=_SAME)
route("inplace_abn", _activated, same=_SAME)


def _data_norm(
    scale_w: Tensor | None,
    bias: Tensor | None,
    X: Tensor,
    BatchSize: Tensor,
    BatchSum: Tensor,
    BatchSquareSum: Tensor,
    epsilon: float,
    summary_decay_rate: float,
    enable_scale_and_shift: bool,
    data_layout: str,
    sync_stats: bool,
) -> Any:
    # the settings that are not used here are about the backward pass through the sums
    pair = [scale_w, bias] if enable_scale_and_shift else []
    return op.data_norm(X, BatchSize, BatchSum, BatchSquareSum, pair, None)


route("data_norm", _data_norm)
route("group_norm", lambda X, Scale, Bias, epsilon, groups, data_layout: op.group_norm(
    X, Scale, Bias, epsilon, groups, None, layout_of(data_layout)
))  # fmt: skip
route("instance_norm", lambda X, Scale, Bias, epsilon: op.instance_norm(X, Scale, Bias, epsilon))
route("layer_norm", lambda X, Scale, Bias, epsilon, begin_norm_axis: op.layer_norm(
    X, Scale, Bias, begin_norm_axis, epsilon
))  # fmt: skip
route("lrn", lambda X, n, k, alpha, beta, data_format: op.lrn(
    X, n, k, alpha, beta, None, layout_of(data_format)
))  # fmt: skip
route("norm", lambda X, axis, epsilon: op.norm(X, axis, epsilon))
route("spectral_norm", lambda Weight, U, V, dim, power_iters, eps: op.spectral_norm(
    Weight, U, V, dim, power_iters, eps
))  # fmt: skip
