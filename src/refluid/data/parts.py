"""What a DataLoader is made of, as far as it decides which data come when.

Other iterables have such parts too, such as a reader with a generator or with `set_epoch`.
May import: torch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from torch.utils.data.distributed import DistributedSampler

__all__ = ["generators_of", "keeps_nothing", "parts_of"]

_KEEP_NOTHING = (
    SequentialSampler,
    RandomSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
    DistributedSampler,
)


def parts_of(source: Any) -> list[Any]:
    """Return a DataLoader and what it is made of, as far as it is there, each once."""
    batch_sampler = getattr(source, "batch_sampler", None)
    parts = [
        source,
        getattr(source, "dataset", None),
        getattr(source, "sampler", None),
        batch_sampler,
        getattr(batch_sampler, "sampler", None),
    ]
    return list({id(part): part for part in parts if part is not None}.values())


def generators_of(parts: list[Any]) -> list[torch.Generator]:
    """Return the torch generators that parts draw from, each once, in a fixed order."""
    found = [getattr(part, "generator", None) for part in parts]
    unique = {id(generator): generator for generator in found}
    return [item for item in unique.values() if isinstance(item, torch.Generator)]


def keeps_nothing(source: Any) -> bool:
    """Return whether what an iterable gives in an epoch depends on random numbers alone.

    It is True only for what is known: a DataLoader with a data set by index, torch's own samplers,
    and workers that begin anew with each epoch.
    """
    if type(source) is not DataLoader or isinstance(source.dataset, IterableDataset):
        return False
    # persistent workers go on drawing where they were at the end of the epoch before
    if source.persistent_workers or type(source.batch_sampler) not in (BatchSampler, type(None)):
        return False
    sampler = getattr(source.batch_sampler, "sampler", source.sampler)
    return type(sampler) in _KEEP_NOTHING
