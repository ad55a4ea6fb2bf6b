"""What `Variable.numpy()` returns: an ndarray that converts to a number as it did in 2020.

Programs of that time write `float(loss.numpy())`, `'%f' % loss.numpy()` and `int(x.numpy())` on
arrays of shape [1]; NumPy 2.4 refuses all three. May import: numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Array"]


class Array(np.ndarray):
    """An ndarray whose single element converts to float, int and complex, whatever its rank."""

    def __float__(self) -> float:
        return float(self._single("float"))

    def __int__(self) -> int:
        return int(self._single("int"))

    def __complex__(self) -> complex:
        return complex(self._single("complex"))

    def _single(self, target: str) -> Any:
        if self.size != 1:
            raise TypeError(
                f"only an array of one element can be converted to {target}, "
                f"but this one has shape {list(self.shape)}."
            )
        return self.item()

    def __repr__(self) -> str:
        return repr(np.asarray(self))

    def __array_wrap__(
        self, array: np.ndarray, context: object = None, return_scalar: bool = False
    ) -> Any:
        # a full reduction of a subclass would otherwise stay an array of no dimensions
        if return_scalar or array.ndim == 0:
            return array[()]
        return array.view(Array)

    def __reduce__(self) -> Any:
        # pickled as a plain ndarray, so that it can be read where refluid is not installed
        return np.asarray(self).__reduce__()

    def __deepcopy__(self, memo: dict[int, Any] | None) -> Array:
        return self.copy().view(Array)
