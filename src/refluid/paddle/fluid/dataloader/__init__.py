"""Data sets that are indexed, and samplers that choose the indices of each batch.

May import: dataloader.dataset, dataloader.batch_sampler.
"""

from __future__ import annotations

from refluid.paddle.fluid.dataloader.batch_sampler import BatchSampler
from refluid.paddle.fluid.dataloader.dataset import Dataset

__all__ = ["BatchSampler", "Dataset"]
