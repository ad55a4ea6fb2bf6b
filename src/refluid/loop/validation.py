"""Evaluating a model in the middle of training, without a trace in the training.

Modules are in eval mode meanwhile, no gradients are recorded, and all generators of random numbers
are put back afterwards: training goes on as if nothing had been evaluated, bit for bit.
May import: errors, data, state, torch, numpy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from refluid.data.batches import Batches
from refluid.errors import DataError
from refluid.state.generators import capture_generators, restore_generators

__all__ = ["evaluate"]


def evaluate(
    data: Any, score: Callable[[Any], Mapping[str, Any]], modules: Sequence[torch.nn.Module]
) -> dict[str, float]:
    """Go through `data` once, and return the mean of each metric over all samples.

    Args:
        data: `Batches`, whose position stays where it is, and whose first epoch it is; or anything
            else that can be iterated, or a function that returns such a thing.
        score: called with each batch; returns the mean of each metric over the batch's samples.
        modules: are in eval mode meanwhile.

    Raises:
        DataError: there is no batch, or a batch has no length.
        TypeError: `score` returns something else than numbers by name.
    """
    totals: dict[str, float] = {}
    num_samples = 0
    with _without_trace(modules):
        for batch in _once(data):
            found = score(batch)
            if not isinstance(found, Mapping):
                raise TypeError(
                    "`score` must return metrics by name, such as {'loss': loss}, but returned "
                    f"{type(found).__name__}."
                )
            size = _num_samples(batch)
            num_samples += size
            for name, value in found.items():
                totals[name] = totals.get(name, 0.0) + size * _number(name, value)
    if not num_samples:
        raise DataError("the data to validate on must have at least one sample, but have none.")
    return {name: total / num_samples for name, total in totals.items()}


@contextlib.contextmanager
def _without_trace(modules: Sequence[torch.nn.Module]) -> Iterator[None]:
    training = [(part, part.training) for module in modules for part in module.modules()]
    generators = capture_generators()
    try:
        # outermost, since `eval` of a fluid Layer switches recording off as well
        with torch.no_grad():
            for module in modules:
                module.eval()
            yield
    finally:
        for part, was_training in training:
            part.training = was_training
        restore_generators(generators)


def _once(data: Any) -> Any:
    if isinstance(data, Batches):
        return data.first_epoch()
    return data() if callable(data) and not hasattr(data, "__iter__") else data


def _num_samples(batch: Any) -> int:
    """Return the length of the first tensor, array or list in a batch."""
    if isinstance(batch, (torch.Tensor, np.ndarray)) and batch.ndim:
        return len(batch)
    parts = list(batch.values()) if isinstance(batch, Mapping) else batch
    if isinstance(parts, (list, tuple)) and parts:
        # a batch of Paddle's is a list of samples, each a tuple
        is_sample = isinstance(parts[0], tuple)
        return len(parts) if is_sample or np.ndim(parts[0]) == 0 else _num_samples(parts[0])
    raise DataError(
        "a batch to validate on must hold a tensor, an array or a list of samples, but is "
        f"{type(batch).__name__}."
    )


def _number(name: str, value: Any) -> float:
    is_one = isinstance(value, (torch.Tensor, np.ndarray)) and np.prod(value.shape) == 1
    if is_one:
        return float(value.item())
    if isinstance(value, (int, float, np.number)):
        return float(value)
    raise TypeError(
        f"`score` must return one number for each metric, but {name!r} is {type(value).__name__}: "
        "return its mean over the batch."
    )
