"""Time how long data take to come to a position: to batch 10, and to batch 1,000,000.

    python benchmarks/restore_position.py

Each row opens fresh data at a position, takes one batch, and says how much longer that took than
to open them at the beginning and take one. For `Batches` it must not depend on the position; data
that are replayed are gone through, and the row says how fast.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

from refluid.data import Batches, Replay
from refluid.data.position import Source

ROUNDS = 5


class Numbers(Dataset[int]):
    """A data set of any length, without memory."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> int:
        return index


def seconds(make: Callable[[], Source], position: Any) -> float:
    """Return the median time to open at a position and to take one batch."""
    times = []
    for _ in range(ROUNDS):
        source = make()
        start = time.perf_counter()
        next(source.open(position, 1 << 20))
        times.append(time.perf_counter() - start)
        source.close()
    return statistics.median(times)


def position_at(make: Callable[[], Source], batch: int) -> Any:
    """Return the position of a batch, counted through all epochs."""
    source = make()
    if isinstance(source, Batches):
        epoch, index = divmod(batch, len(source))
        return {**source.position(), "epoch": epoch, "index": index}
    items = source.open(None, 1 << 20)
    for _ in range(batch):
        next(items)
    position = source.position()
    source.close()
    return position


def main() -> None:
    """Measure and print every case."""
    images, labels = torch.rand(6000, 1, 28, 28), torch.arange(6000)
    cases: dict[str, tuple[Callable[[], Source], tuple[int, ...]]] = {
        "Batches, 6,000 images in memory": (
            lambda: Batches((images, labels), 100, shuffle=True),
            (10, 1_000_000),
        ),
        "Batches, 6,000 images, transform": (
            lambda: Batches((images, labels), 100, shuffle=True, transform=lambda x: x),
            (10, 1_000_000),
        ),
        "Batches, 6,000 images, 2 workers": (
            lambda: Batches((images, labels), 100, shuffle=True, workers=2, transform=lambda x: x),
            (10, 1_000_000),
        ),
        "Batches, one epoch of 200,000,000": (
            lambda: Batches(Numbers(200_000_000), 100, shuffle=True),
            (10, 1_000_000),
        ),
        "Replay, a DataLoader of 6,000 images": (
            lambda: Replay(DataLoader(TensorDataset(images, labels), 100, shuffle=True)),
            (10, 50, 600),
        ),
    }
    print("| data | to batch | over a plain start, ms |")
    print("|---|---|---|")
    for name, (make, batches) in cases.items():
        plain_s = seconds(make, None)
        for batch in batches:
            extra_s = seconds(make, position_at(make, batch)) - plain_s
            print(f"| {name} | {batch:,} | {1e3 * extra_s:.2f} |")


if __name__ == "__main__":
    main()
