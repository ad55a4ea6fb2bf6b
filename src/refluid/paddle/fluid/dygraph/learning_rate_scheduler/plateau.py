"""A decay that waits until the loss gets no better. May import: torch, decay."""

from __future__ import annotations

from typing import Any

import torch

from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.learning_rate_scheduler.decay import LearningRateDecay

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LearningRateDecay):
    """Reduce the rate when the loss has got no better for `patience` epochs.

    Same as Paddle 1.8: it changes only where the program calls `step(loss)`, once for each epoch.

    Args:
        learning_rate: the first rate: a number or a variable of shape [1].
        mode: "min" if a smaller loss is better, "max" if a greater one is.
        decay_rate: what remains of the rate, below 1.
        patience: how many epochs without improvement are tolerated.
        verbose: print every reduction.
        threshold: what an improvement must exceed.
        threshold_mode: "rel" for a share of the best loss, "abs" for a difference.
        cooldown: epochs after a reduction that do not count.
        min_lr: the smallest rate.
        eps: a reduction by less is not made.
        dtype: element type of the rate.

    Raises:
        ValueError: `mode`, `threshold_mode` or `decay_rate` is something else.
        TypeError: `learning_rate` is no number and no variable.
    """

    def __init__(
        self,
        learning_rate: float | VarBase,
        mode: str = "min",
        decay_rate: float = 0.1,
        patience: int = 10,
        verbose: bool = False,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0,
        eps: float = 1e-8,
        dtype: str = "float32",
    ) -> None:
        super().__init__(dtype=dtype)
        self.mode = _one_of("mode", mode, "min", "max")
        if decay_rate >= 1.0:
            raise ValueError(f"`decay_rate` must be below 1, but received {decay_rate!r}.")
        self.decay_rate = self.create_lr_var(decay_rate)
        self.threshold_mode = _one_of("threshold_mode", threshold_mode, "rel", "abs")
        if not isinstance(learning_rate, (float, int, torch.Tensor)):
            raise TypeError(
                f"`learning_rate` must be a float or a Variable, but received {learning_rate!r}."
            )
        self.learning_rate = learning_rate
        self.verbose = verbose
        self.patience = patience
        self.threshold = threshold
        self.cooldown = cooldown
        self.min_lr = self.create_lr_var(min_lr)
        self.eps = eps
        self.cooldown_counter = 0
        self.best_loss: VarBase | float | None = None
        self.num_bad_epochs = 0
        self.epoch_num = 0

    def __call__(self) -> VarBase:
        """Return the rate as it is now, shape [1]."""
        if not isinstance(self.learning_rate, torch.Tensor):
            self.learning_rate = self.create_lr_var(self.learning_rate)
        return self.learning_rate

    def step(self, loss: VarBase) -> None:  # type: ignore[override]
        """Take note of an epoch's loss, and reduce the rate if it is time.

        Args:
            loss: a variable of shape [1].

        Raises:
            TypeError: `loss` is not a variable.
            AssertionError: it has another shape.
        """
        if not isinstance(loss, torch.Tensor):
            raise TypeError(f"`loss` must be a Variable, but received {loss!r}.")
        assert list(loss.shape) == [1], (
            f"`loss` must have shape [1], but has {list(loss.shape)}; reduce it with "
            "fluid.layers.mean."
        )
        self.epoch_num += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            return
        if self.best_loss is None or self._is_better(self._real(loss.item())):
            self.best_loss = loss.detach()
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
            self._reduce()

    def _is_better(self, loss: Any) -> bool:
        assert self.best_loss is not None
        best, threshold = self._real(float(self.best_loss)), self._real(self.threshold)
        margin = best * threshold if self.threshold_mode == "rel" else threshold
        return bool(loss < best - margin if self.mode == "min" else loss > best + margin)

    def _reduce(self) -> None:
        old = self._real(float(self.learning_rate))
        new = max(old * self._real(self.decay_rate.item()), self._real(self.min_lr.item()))
        if old - new > self._real(self.eps):
            if self.verbose:
                print(  # noqa: T201  (what `verbose` asks for)
                    f"epoch {self.epoch_num}: learning rate {old} -> {new}"
                )
            self.learning_rate = self.create_lr_var(new)

    def _state_keys(self) -> None:
        self.keys = [
            "cooldown_counter",
            "best_loss",
            "num_bad_epochs",
            "epoch_num",
            "learning_rate",
        ]


def _one_of(name: str, value: str, *allowed: str) -> str:
    if value.lower() not in allowed:
        raise ValueError(f"`{name}` must be {' or '.join(map(repr, allowed))}, not {value!r}.")
    return value.lower()
