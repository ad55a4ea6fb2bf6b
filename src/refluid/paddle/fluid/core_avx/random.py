"""Random numbers as Paddle 1.8 draws them on the CPU, and unseeded ones from torch.

With a seed, Paddle starts a new C++ `std::minstd_rand` (x -> 48271 x mod 2^31-1) for every operator
and passes it through libstdc++'s distributions; the functions here give the same numbers, in
blocks instead of one by one. Without a seed they come from torch's generator, so that whoever
saves its state can go on exactly.

Source: the linear_congruential_engine of the C++ standard; G. Marsaglia's polar method.
May import: torch, numpy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

__all__ = ["dropout_mask", "integers", "normal", "truncated_normal", "uniform"]

_MULTIPLIER = 48271
_MODULUS = 2147483647
_BLOCK = 4096
# how many numbers the engine can give
_RANGE = _MODULUS - 1


def _block_powers() -> np.ndarray:
    powers = np.empty(_BLOCK, np.uint64)
    x = 1
    for k in range(_BLOCK):
        x = x * _MULTIPLIER % _MODULUS
        powers[k] = x
    return powers


class Minstd:
    """The engine, whose numbers are those of libstdc++'s distributions."""

    _powers: np.ndarray | None = None

    def __init__(self, seed: int) -> None:
        self._state = seed % _MODULUS or 1

    def draw(self, count: int, dtype: torch.dtype = torch.float32) -> np.ndarray:
        """Return the next `count` numbers in [0, 1), as float32 or float64."""
        if dtype is not torch.float64:
            return _below_one(self._next(count).astype(np.float32) / np.float32(_RANGE))
        # one number of the engine has too few bits for a double
        pairs = self._next(2 * count).astype(np.float64).reshape(-1, 2)
        return _below_one((pairs[:, 0] + pairs[:, 1] * _RANGE) / float(_RANGE**2))

    def integers(self, low: int, high: int, count: int) -> np.ndarray:
        """Return the next `count` whole numbers in [low, high), of which there are below 2^31."""
        width = _RANGE // (high - low)
        found = np.empty(0, np.uint64)
        while len(found) < count:
            numbers = self._next(count - len(found))
            # those that would make the first numbers more likely are passed over
            found = np.append(found, numbers[numbers < width * (high - low)])
        return low + (found // np.uint64(width)).astype(np.int64)

    def _next(self, count: int) -> np.ndarray:
        """Return the engine's next `count` numbers, from 0."""
        if Minstd._powers is None:
            Minstd._powers = _block_powers()
        powers = Minstd._powers
        states = np.empty(-(-count // _BLOCK) * _BLOCK, np.uint64)
        state = self._state
        for start in range(0, count, _BLOCK):
            # both factors are below 2^31, so the product fits into 64 bits
            states[start : start + _BLOCK] = powers * np.uint64(state) % np.uint64(_MODULUS)
            state = int(states[start + _BLOCK - 1])
        states = states[:count]
        if count:
            self._state = int(states[-1])
        return states - np.uint64(1)


def _below_one(numbers: np.ndarray) -> np.ndarray:
    one = numbers.dtype.type(1)
    return np.minimum(numbers, np.nextafter(one, numbers.dtype.type(0)))


def _size(shape: list[int]) -> int:
    return math.prod(shape)


def _settings(like: np.ndarray, *values: float) -> list[Any]:
    """Return settings in the element type of `like`, rounded to 32 bits as Paddle keeps them."""
    return [like.dtype.type(np.float32(value)) for value in values]


def uniform(
    shape: list[int], low: float, high: float, seed: int, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """Draw uniformly from [low, high).

    Args:
        shape: sizes of the result.
        low: the smallest value.
        high: the bound that is not reached.
        seed: 0 for torch's generator.
        dtype: element type of the result.

    Returns:
        A tensor of `shape` on the CPU.
    """
    if not seed:
        return torch.empty(shape, dtype=dtype).uniform_(low, high)
    u = Minstd(seed).draw(_size(shape), dtype)
    low, high = _settings(u, low, high)
    return torch.from_numpy((u * (high - low) + low).reshape(shape)).to(dtype)


def normal(
    shape: list[int], mean: float, std: float, seed: int, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """Draw from the normal distribution; arguments as for `uniform`."""
    if not seed:
        return torch.empty(shape, dtype=dtype).normal_(mean, std)
    count, engine, pairs = _size(shape), Minstd(seed), []
    missing = count
    while missing > 0:
        # 4/pi tries a pair on average; whole pairs are tried in order, so blocks change nothing
        tries = int(missing * 0.7) + 16
        # NumPy keeps float32 where it meets numbers of Python
        xy = 2 * engine.draw(2 * tries, dtype).reshape(-1, 2) - 1
        r2 = xy[:, 0] * xy[:, 0] + xy[:, 1] * xy[:, 1]
        accepted = (r2 <= 1) & (r2 != 0)
        xy, r2 = xy[accepted], r2[accepted]
        factor = np.sqrt(-2 * np.log(r2) / r2)
        pairs.append(xy[:, ::-1] * factor[:, None])
        missing -= 2 * len(r2)
    values = np.concatenate(pairs).reshape(-1)[:count] if pairs else np.empty(0, np.float32)
    mean, std = _settings(values, mean, std)
    return torch.from_numpy((values * std + mean).reshape(shape)).to(dtype)


def truncated_normal(
    shape: list[int], mean: float, std: float, seed: int, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """Draw from the normal distribution cut at two `std`; arguments as for `uniform`."""
    low = 0.5 * math.erfc(math.sqrt(2.0))
    if seed:
        u = torch.from_numpy(Minstd(seed).draw(_size(shape)).astype(np.float64)).reshape(shape)
    else:
        u = torch.rand(shape, dtype=torch.float64)
    values = torch.special.ndtri(low + (1.0 - 2.0 * low) * u) * std + mean
    return values.to(dtype)


def integers(
    shape: list[int], low: int, high: int, seed: int, dtype: torch.dtype = torch.int64
) -> torch.Tensor:
    """Draw whole numbers from [low, high); arguments as for `uniform`."""
    if seed and high - low < _RANGE:
        numbers = Minstd(seed).integers(low, high, _size(shape))
        return torch.from_numpy(numbers.reshape(shape)).to(dtype)
    # of more numbers than the engine has, the first bits are not Paddle's
    generator = torch.Generator().manual_seed(seed) if seed else None
    return torch.randint(low, high, tuple(shape), generator=generator, dtype=dtype)


def dropout_mask(like: torch.Tensor, probability: float, seed: int) -> torch.Tensor:
    """Return 1 where an element is kept and 0 where it is dropped, as `like` in all else."""
    if not seed:
        return torch.empty_like(like).bernoulli_(1.0 - probability)
    kept = Minstd(seed).draw(like.numel()) >= np.float32(probability)
    return torch.from_numpy(kept.reshape(like.size())).to(like.device, like.dtype)
