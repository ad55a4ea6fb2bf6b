"""Calls that were right in 2020 and are refused today.

Each function gets a library's function and the arguments of a call, and returns the call that means
the same today, or None where the call is right as it is.
May import: nothing of refluid.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Set
from typing import Any

__all__ = [
    "from_bytes",
    "of_one_element",
    "safe_load",
    "sample_of_set",
    "seaborn_style",
    "without_encoding",
]

Call = Callable[[], object]


def safe_load(load: Callable[..., object], *arguments: object, **named: object) -> Call | None:
    """Return `yaml.load(f)` with the loader that runs no code, whatever the file says.

    The default of 2020 made objects of any class that a file names, which is why it is gone.
    """
    if len(arguments) > 1 or "Loader" in named:
        return None
    named["Loader"] = sys.modules["yaml"].SafeLoader
    return functools.partial(load, *arguments, **named)


def without_encoding(
    load: Callable[..., object], *arguments: object, **named: object
) -> Call | None:
    """Return `json.loads(text, encoding=...)` without the encoding, which never had an effect."""
    if "encoding" not in named:
        return None
    del named["encoding"]
    return functools.partial(load, *arguments, **named)


def sample_of_set(
    sample: Callable[..., object], population: object, *arguments: object, **named: object
) -> Call | None:
    """Return `random.sample(a_set, k)` of the set's elements in their order."""
    if not isinstance(population, Set):
        return None
    return functools.partial(sample, tuple(population), *arguments, **named)


def from_bytes(
    fromstring: Callable[..., object],
    string: Any = None,
    dtype: Any = float,
    count: int = -1,
    *,
    sep: str = "",
    like: object = None,
) -> Call | None:
    """Return `np.fromstring(data, dtype)` of binary data as a copy of what the data hold."""
    if sep or like is not None or string is None:
        return None
    data = string.encode() if isinstance(string, str) else string
    # NumPy is there: it is its function that is called
    import numpy as np

    return lambda: np.frombuffer(data, dtype, count).copy()


def of_one_element(convert: Callable[..., object], array: Any) -> Call | None:
    """Return `float(array)` or `int(array)` of the only element, in however many dimensions."""
    if not array.ndim or array.size != 1:
        return None
    return functools.partial(convert, array.reshape(()))


def seaborn_style(use: Callable[..., object], style: object) -> Call | None:
    """Return `plt.style.use("seaborn-...")` with the name that the style has today."""
    library = sys.modules[use.__module__].library
    if not isinstance(style, str) or style in library or not style.startswith("seaborn"):
        return None
    today = style.replace("seaborn", "seaborn-v0_8", 1)
    return functools.partial(use, today) if today in library else None
