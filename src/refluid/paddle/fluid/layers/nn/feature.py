"""Features of recommendation models. B batch, D size of a vector, H number of hashes.

May import: torch, numpy, core_avx.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.function import Function
from refluid.paddle.fluid.core_avx.operator import FLOAT, INTEGER, operator

__all__ = ["continuous_value_model", "hash"]


@operator("cvm", direct=True, input=FLOAT, cvm=FLOAT)
def continuous_value_model(input: Tensor, cvm: Tensor, use_cvm: bool = True) -> Tensor:
    """Turn the shows and clicks that a vector begins with into logarithms, or take them off.

    The first column becomes log(shows + 1), the second log(clicks + 1) - log(shows + 1).
    Same as Paddle 1.8, where the gradient of the first two columns is `cvm` itself.

    Args:
        input: float [B, D], shows and clicks first.
        cvm: float [B, 2], shows and clicks.
        use_cvm: keep the two columns; otherwise the result is [B, D - 2].

    Raises:
        EnforceNotMet: the shapes do not fit.
    """
    if not (input.dim() == 2 and input.size(1) >= 2 and cvm.size() == (input.size(0), 2)):
        raise EnforceNotMet(
            "cvm: `input` must be [B, D] with D at least 2, and `cvm` [B, 2], but received "
            f"{list(input.size())} and {list(cvm.size())}."
        )
    return _Cvm.apply(input, cvm, use_cvm)


class _Cvm(Function):
    """The gradient that Paddle defines is not the derivative."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, *args: Tensor) -> Tensor:
        x, cvm, use_cvm = args
        ctx.save_for_backward(cvm)
        ctx.use_cvm = use_cvm  # type: ignore[attr-defined]
        if not use_cvm:
            return torch.narrow(x, 1, 2, x.size(1) - 2).clone()
        logs = torch.log(torch.narrow(x, 1, 0, 2) + 1)
        shows, rest = torch.narrow(logs, 1, 0, 1), torch.narrow(x, 1, 2, x.size(1) - 2)
        return torch.cat([shows, torch.diff(logs, dim=1), rest], 1)

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: torch.autograd.function.FunctionCtx, grad: Tensor
    ) -> tuple[Tensor, None, None]:
        (cvm,) = ctx.saved_tensors  # type: ignore[attr-defined]
        rest = grad[:, 2:] if ctx.use_cvm else grad  # type: ignore[attr-defined]
        return torch.cat([cvm, rest], 1), None, None


@operator("hash", input=INTEGER)
def hash(input: Tensor, hash_size: int, num_hash: int = 1, name: str | None = None) -> Tensor:
    """Return hashes of the rows of `input`, numbers below `hash_size`.

    The XXH64 of a row's memory, with the seeds 0, 1, ... Same as Paddle 1.8.

    Args:
        input: int32 or int64 [B, D].
        hash_size: what the hashes are below.
        num_hash: H.
        name: accepted for compatibility.

    Returns:
        [B, H, 1], of the element type of `input`.

    Raises:
        EnforceNotMet: `input` has another number of dimensions, or a number is not positive.
    """
    if input.dim() != 2:
        raise EnforceNotMet(f"hash: `input` must be [B, D], but received {list(input.size())}.")
    if hash_size < 1 or num_hash < 1:
        raise EnforceNotMet(
            "hash: `hash_size` and `num_hash` must be positive, but received "
            f"{hash_size} and {num_hash}."
        )
    rows = np.ascontiguousarray(input.cpu().numpy())
    seeds = np.arange(num_hash, dtype=np.uint64)
    hashes = _xxh64(rows.view("<u4"), seeds) % np.uint64(hash_size)
    return torch.from_numpy(hashes.astype(rows.dtype)).unsqueeze(2).to(input.device)


# --- XXH64, by Yann Collet: github.com/Cyan4973/xxHash, doc/xxhash_spec.md -----------------------

_PRIMES = np.array(
    [
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    ],
    np.uint64,
)
# arrays of one element: NumPy warns when numbers overflow, not when arrays do
_P1, _P2, _P3, _P4, _P5 = _PRIMES.reshape(5, 1, 1)


def _turn(x: np.ndarray, bits: int) -> np.ndarray:
    """Rotate to the left."""
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


def _mix(total: np.ndarray, lane: np.ndarray) -> np.ndarray:
    return _turn(total + lane * _P2, 31) * _P1


def _xxh64(words: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return the hash of each row with each seed, uint64 [B, H].

    Args:
        words: the rows' memory, uint32 [B, D], little-endian.
        seeds: uint64 [H].
    """
    num_rows, num_words = words.shape
    parts = words.astype(np.uint64)
    pairs = num_words // 2 * 2
    # [number, B, 1]: a row of these for each step of the algorithm
    lanes = (parts[:, 0:pairs:2] | (parts[:, 1:pairs:2] << np.uint64(32))).T[..., None]
    seed = np.broadcast_to(seeds, (num_rows, len(seeds)))
    stripes = len(lanes) // 4
    if stripes:
        totals = [seed + _P1 + _P2, seed + _P2, seed, seed - _P1]
        for stripe in lanes[: 4 * stripes].reshape(stripes, 4, num_rows, 1):
            totals = [_mix(t, lane) for t, lane in zip(totals, stripe, strict=True)]
        state = sum(_turn(t, bits) for t, bits in zip(totals, (1, 7, 12, 18), strict=True))
        for total in totals:
            state = (state ^ _mix(np.zeros_like(total), total)) * _P1 + _P4
    else:
        state = seed + _P5
    state = state + np.uint64(4 * num_words)
    for lane in lanes[4 * stripes :]:
        state = _turn(state ^ _mix(np.zeros_like(lane), lane), 27) * _P1 + _P4
    if num_words % 2:
        state = _turn(state ^ (parts[:, -1:] * _P1), 23) * _P2 + _P3
    state = (state ^ (state >> np.uint64(33))) * _P2
    state = (state ^ (state >> np.uint64(29))) * _P3
    return state ^ (state >> np.uint64(32))
