"""What a loop logs, on its way to the journal; means over the epoch.

A value on a GPU is copied there and read when rows are taken, so that logging does not make the
program wait for the GPU in every step.
May import: torch, numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

__all__ = ["Metrics", "check_name"]


def check_name(name: str) -> None:
    """See to it that a metric or record can be kept and shown under a name.

    Raises:
        ValueError: it is empty, or has characters that cannot be shown.
    """
    if not name or not name.isprintable():
        raise ValueError(f"a name must be printable text, but received {name!r}.")


class Metrics:
    """The values logged since the last `take`, the epoch's means, and each name's last value."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self._pending: list[tuple[int, int, str, Any]] = []
        self._rows: list[tuple[int, str, float]] = []
        self._epoch = -1
        self._sums: dict[str, list[float]] = {}

    def log(self, step: int, epoch: int, name: str, value: Any) -> None:
        """Add a value.

        Raises:
            TypeError: it is not one number.
            ValueError: the name is empty, or has characters that cannot be shown.
        """
        check_name(name)
        if isinstance(value, (int, float)):
            self._settle(step, epoch, name, float(value))
        elif isinstance(value, torch.Tensor) and value.numel() == 1 and not value.is_complex():
            if value.device.type == "cpu" and not self._pending:
                self._settle(step, epoch, name, float(value.item()))
            else:
                self._pending.append((step, epoch, name, value.detach().clone()))
        elif isinstance(value, (np.number, np.bool_, np.ndarray)) and np.size(value) == 1:
            self._settle(step, epoch, name, float(np.asarray(value).item()))
        else:
            raise TypeError(
                f"`{name}` must be a number, or a tensor or array with one element, but received "
                f"{_described(value)}: log its mean, or one name for each element."
            )

    def take(self) -> list[tuple[int, str, float]]:
        """Return (step, name, value) of what was logged since the last call."""
        self._read_pending()
        rows, self._rows = self._rows, []
        return rows

    def means(self) -> dict[str, float]:
        """Return the mean of each metric over the steps of the last epoch that logged any."""
        self._read_pending()
        return {name: total / count for name, (total, count) in self._sums.items()}

    def capture(self) -> dict[str, Any]:
        """Return what later values depend on, as plain values."""
        self._read_pending()
        sums = {name: list(entry) for name, entry in self._sums.items()}
        return {"epoch": self._epoch, "sums": sums, "last": dict(self.last)}

    def restore(self, captured: dict[str, Any]) -> None:
        """Take over what `capture` returned."""
        self._epoch, self._sums = captured["epoch"], captured["sums"]
        self.last = captured["last"]

    def _read_pending(self) -> None:
        pending, self._pending = self._pending, []
        for step, epoch, name, value in pending:
            self._settle(step, epoch, name, float(value.item()))

    def _settle(self, step: int, epoch: int, name: str, value: float) -> None:
        self._rows.append((step, name, value))
        self.last[name] = value
        if epoch != self._epoch:
            self._epoch, self._sums = epoch, {}
        entry = self._sums.setdefault(name, [0.0, 0.0])
        entry[0] += value
        entry[1] += 1.0


def _described(value: Any) -> str:
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return f"{type(value).__name__} of shape {list(np.shape(value))}"
    return repr(value)[:80]
