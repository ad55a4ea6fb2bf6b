"""Decorators that keep the signature of what they decorate.

May import: the standard library only.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

__all__ = ["signature_safe_contextmanager", "wrap_decorator"]


def wrap_decorator(decorator_func: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Any:
    """Make a decorator whose results keep the name, docstring and signature of the function.

    Same as Paddle 1.8.

    Args:
        decorator_func: takes a function and returns one to be called in its place.
    """

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        wrapped = decorator_func(func)

        @functools.wraps(func)
        def call(*args: Any, **kwargs: Any) -> Any:
            return wrapped(*args, **kwargs)

        return call

    return decorate


def signature_safe_contextmanager(func: Callable[..., Any]) -> Any:
    """Make a context manager of a generator function; the other name of contextmanager.

    Same as Paddle 1.8.
    """
    return contextlib.contextmanager(func)
