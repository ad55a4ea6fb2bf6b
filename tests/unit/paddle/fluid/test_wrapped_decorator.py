"""Decorated functions keep name, docstring and signature."""

from __future__ import annotations

import inspect

from refluid.paddle.fluid.wrapped_decorator import signature_safe_contextmanager, wrap_decorator


def test_context_manager_keeps_the_signature():
    seen = []

    @signature_safe_contextmanager
    def opened(name: str, mode: int = 3):
        """Open it."""
        seen.append((name, mode))
        yield name
        seen.append("closed")

    with opened("a") as a:
        assert a == "a"
    assert seen == [("a", 3), "closed"]
    assert opened.__name__ == "opened"
    assert opened.__doc__ == "Open it."
    assert str(inspect.signature(opened)) == "(name: 'str', mode: 'int' = 3)"


def test_wrap_decorator_calls_what_the_decorator_returns():
    doubled = wrap_decorator(lambda func: lambda x: 2 * func(x))(abs)
    assert doubled(-3) == 6
