"""What all learning-rate decays share: counting, saving, and the two ways of advancing.

A `LearningRateDecay` advances at every `minimize`, an `EpochDecay` only where the program calls
`epoch()`. Rates are computed with numpy's 32-bit floats, operation by operation as Paddle's
operators do, and handed out as variables on the CPU, so that reading one never waits for a GPU.
May import: torch, numpy, core_avx, unique_name.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.core_avx.dtype import to_numpy_dtype, to_torch_dtype
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap

__all__ = ["EpochDecay", "LearningRateDecay"]

# looking a dtype up by its name takes longer than the whole computation of a rate
_torch_dtype = functools.cache(to_torch_dtype)
_numpy_type = functools.cache(lambda dtype: to_numpy_dtype(dtype).type)


class LearningRateDecay:
    """A learning rate that changes at every step. The base of all decays; same as Paddle 1.8.

    A derived class computes the rate for `step_num` in `step()`. The k-th minimize, k = 0, 1...,
    uses the rate for `begin + k*step`. Optimizers that share one object advance it together.

    Args:
        begin: the first `step_num`.
        step: by how much it grows.
        dtype: element type of the rate.
    """

    def __init__(self, begin: int = 0, step: int = 1, dtype: str = "float32") -> None:
        self.step_num = begin
        self.step_size = step
        self.dtype = dtype

    def __call__(self) -> VarBase:
        """Return the rate of this step, shape [1], and count the step."""
        rate = self.step()
        if not isinstance(rate, torch.Tensor):
            rate = self.create_lr_var(rate)
        self.step_num += self.step_size
        return rate

    def step(self) -> VarBase | float:
        """Return the rate for `step_num`; a final class says which."""
        raise NotImplementedError

    def create_lr_var(self, lr: float) -> VarBase:
        """Return a number as a variable of shape [1] and this decay's dtype."""
        variable = wrap(torch.full((1,), float(lr), dtype=_torch_dtype(self.dtype)))
        variable.name = unique_name.generate("learning_rate")
        return variable

    def state_dict(self) -> dict[str, Any]:
        """Return what must be saved to go on later: numbers by attribute name."""
        self._state_keys()
        return {key: _plain(getattr(self, key)) for key in self.keys if key in vars(self)}

    def set_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state.

        Args:
            state_dict: what `state_dict()` of the same kind of decay returned.

        Raises:
            RuntimeError: something is missing from it.
        """
        self._state_keys()
        for key in self.keys:
            if key not in state_dict:
                raise RuntimeError(
                    f"the state of this {type(self).__name__} has no {key!r}, only "
                    f"{', '.join(map(repr, state_dict)) or 'nothing'}; was it saved with another "
                    "decay?"
                )
            setattr(self, key, state_dict[key])
        unused = [key for key in state_dict if key not in self.keys]
        if unused:
            warnings.warn(
                f"{type(self).__name__} has no use for {', '.join(map(repr, unused))} in its "
                "state; was it saved with another decay?",
                stacklevel=2,
            )

    def _state_keys(self) -> None:
        """Set `keys`, the names of the attributes that make the state."""
        self.keys = ["step_num"]

    def _real(self, number: float) -> Any:
        """Return a number in this decay's precision, in which numpy goes on computing."""
        return _numpy_type(self.dtype)(number)


class EpochDecay(LearningRateDecay):
    """A learning rate that changes where the program calls `epoch()`. Same as Paddle 1.8.

    Args:
        learning_rate: the rate of the first epoch.
        dtype: element type of the rate; by default float32.

    Raises:
        TypeError: `learning_rate` is not a float or int.
        ValueError: `learning_rate` is negative.
    """

    def __init__(self, learning_rate: float, dtype: str | None = None) -> None:
        if not isinstance(learning_rate, (float, int)):
            raise TypeError(f"`learning_rate` must be a float, but received {learning_rate!r}.")
        if learning_rate < 0:
            raise ValueError(f"`learning_rate` must not be negative, but is {learning_rate!r}.")
        self.base_lr = float(learning_rate)
        self.epoch_num = -1
        self.dtype = "float32" if dtype is None else dtype
        self.learning_rate: VarBase | float = self.base_lr
        self.epoch()

    def __call__(self) -> VarBase:
        """Return the rate of this epoch, shape [1]."""
        if not isinstance(self.learning_rate, torch.Tensor):
            self.learning_rate = self.create_lr_var(self.learning_rate)
        return self.learning_rate

    def epoch(self, epoch: int | None = None) -> None:
        """Go to the next epoch, or to the one given."""
        self.epoch_num = self.epoch_num + 1 if epoch is None else epoch
        self.learning_rate = self.get_lr()

    def get_lr(self) -> VarBase | float:
        """Return the rate for `epoch_num`; a final class says which."""
        raise NotImplementedError

    def _state_keys(self) -> None:
        self.keys = ["epoch_num", "learning_rate"]


def _plain(value: Any) -> Any:
    """Return a number in place of a variable of shape [1]."""
    if not isinstance(value, torch.Tensor):
        return value
    array = value.numpy()
    assert list(array.shape) == [1], (
        f"a variable in the state of a decay must have shape [1], not {list(array.shape)}."
    )
    return np.asarray(array)[0]
