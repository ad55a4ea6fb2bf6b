"""Losses, one file for each family. Paddle keeps them in one module.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers.loss.classification import (
    bpr_loss,
    cross_entropy,
    sigmoid_cross_entropy_with_logits,
    softmax_with_cross_entropy,
    teacher_student_sigmoid_loss,
)
from refluid.paddle.fluid.layers.loss.ranking import margin_rank_loss, npair_loss, rank_loss
from refluid.paddle.fluid.layers.loss.regression import (
    huber_loss,
    kldiv_loss,
    mse_loss,
    square_error_cost,
)
from refluid.paddle.fluid.layers.loss.sampled import (
    hsigmoid,
    nce,
    sampled_softmax_with_cross_entropy,
)
from refluid.paddle.fluid.layers.loss.sequence import edit_distance, warpctc

__all__ = [
    "bpr_loss",
    "cross_entropy",
    "edit_distance",
    "hsigmoid",
    "huber_loss",
    "kldiv_loss",
    "margin_rank_loss",
    "mse_loss",
    "nce",
    "npair_loss",
    "rank_loss",
    "sampled_softmax_with_cross_entropy",
    "sigmoid_cross_entropy_with_logits",
    "softmax_with_cross_entropy",
    "square_error_cost",
    "teacher_student_sigmoid_loss",
    "warpctc",
]
