"""Where a model is cut into stages. May import: nothing of refluid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

__all__ = ["balanced", "check"]


def balanced(sizes_bytes: Sequence[int], num_stages: int) -> list[int]:
    """Cut layers into stages so that the largest stage is as small as possible.

    A layer without parameters stays with the one before it.

    Args:
        sizes_bytes: of the parameters of each layer.
        num_stages: how many stages.

    Returns:
        Number of the first layer of each stage but the first.

    Raises:
        ValueError: there are fewer layers with parameters than stages.
    """
    places = [k for k, size in enumerate(sizes_bytes) if size]
    if num_stages > len(places):
        raise ValueError(
            f"`num_stages` must be at most {len(places)}, as only so many of the model's "
            f"{len(sizes_bytes)} layers have parameters, but is {num_stages}."
        )
    before = [0, *accumulate(sizes_bytes[k] for k in places)]
    # largest[n]: of the best cut of the first n layers into so many stages; cuts[n]: that cut
    largest: list[float] = [float(total) for total in before]
    cuts: list[list[int]] = [[] for _ in before]
    for _ in range(num_stages - 1):
        best: list[tuple[float, int]] = [
            min(
                ((max(largest[m], before[n] - before[m]), m) for m in range(1, n)),
                default=(float("inf"), 0),
            )
            for n in range(len(before))
        ]
        cuts = [[*cuts[m], m] for _, m in best]
        largest = [size for size, _ in best]
    return [places[n] for n in cuts[-1]]


def check(boundaries: Sequence[int]) -> list[int]:
    """Return boundaries that a program gave, checked.

    Raises:
        ValueError: they are not whole numbers from 1 that rise.
    """
    found = list(boundaries)
    whole = all(isinstance(k, int) and not isinstance(k, bool) for k in found)
    if not whole or found != sorted(set(found)) or (found and found[0] < 1):
        raise ValueError(
            "`boundaries` must be the number of the first layer of each stage but the first, "
            f"rising, from 1, but is {found}."
        )
    return found
