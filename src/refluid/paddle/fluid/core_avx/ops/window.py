"""Padding of sliding windows, which convolutions and poolings take in the same forms.

May import: torch.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Padding", "pad_pairs", "pad_widths"]

Padding = str | Sequence[int] | Sequence[Sequence[int]]


def pad_pairs(
    padding: Padding,
    sizes: Sequence[int],
    windows: Sequence[int],
    strides: Sequence[int],
) -> list[tuple[int, int]]:
    """Return how many elements to add before and after each axis.

    Args:
        padding: "SAME" or "VALID" in any case; one int for each axis; two ints for each axis,
            before and after; or a pair for each dimension, batch and channels included.
        sizes: the sizes of the axes that the window slides along.
        windows: the extents of the window, dilation included.
        strides: the distances of the windows.

    Raises:
        ValueError: `padding` is none of these.
    """
    axes = len(sizes)
    if len(padding) == axes and set(map(type, padding)) == {int}:
        return [(p, p) for p in padding]  # type: ignore[misc]
    if isinstance(padding, str):
        if padding.upper() == "VALID":
            return [(0, 0)] * axes
        if padding.upper() == "SAME":
            return [_same(*axis) for axis in zip(sizes, windows, strides, strict=True)]
    elif all(isinstance(p, int) for p in padding):
        if len(padding) == axes:
            return [(p, p) for p in padding]  # type: ignore[misc]
        if len(padding) == 2 * axes:
            return list(zip(padding[::2], padding[1::2], strict=True))  # type: ignore[arg-type]
    elif len(padding) == axes + 2 and all(len(p) == 2 for p in padding):  # type: ignore[arg-type]
        pairs: list[tuple[int, int]] = [tuple(p) for p in padding]  # type: ignore[arg-type,misc]
        # batch and channels stand first (NCHW) or at both ends (NHWC), unpadded
        inner = pairs[2:] if pairs[1] == (0, 0) and pairs[0] == (0, 0) else pairs[1:-1]
        if sum(map(sum, pairs)) == sum(map(sum, inner)):
            return inner
    raise ValueError(
        f'`padding` must be "SAME", "VALID", {axes} ints, {2 * axes} ints or {axes + 2} pairs of '
        f"ints without padding of batch and channels, but received {padding!r}."
    )


def _same(size: int, window: int, stride: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def pad_widths(pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Return the pairs as torch.nn.functional.pad takes them: last axis first, flat."""
    return [width for pair in reversed(pairs) for width in pair]
