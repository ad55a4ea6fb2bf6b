"""Unique names: `linear_0`, `linear_1` and so on, counted anew in every guard.

Same as Paddle 1.8. May import: nothing.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["generate", "guard", "switch"]


class UniqueNameGenerator:
    """Counts how often each key was asked for.

    Args:
        prefix: put before every name.
    """

    def __init__(self, prefix: str | None = None) -> None:
        self.ids: dict[str, int] = collections.defaultdict(int)
        self.prefix = prefix or ""

    def __call__(self, key: str) -> str:
        number = self.ids[key]
        self.ids[key] += 1
        return f"{self.prefix}{key}_{number}"


class DygraphParameterNameChecker:
    """Notes the parameter names that a program gives; called with one, tells if it is taken."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def __call__(self, name: str) -> bool:
        taken = name in self._names
        self._names.add(name)
        return taken


generator = UniqueNameGenerator()
dygraph_parameter_name_checker = DygraphParameterNameChecker()


def generate(key: str) -> str:
    """Return `key` with the number of times it was asked for before in this guard."""
    return generator(key)


def generate_with_ignorable_key(key: str) -> str:
    """Return a unique name for a variable whose key does not matter: `tmp_N`."""
    return generator("tmp")


def switch(
    new_generator: UniqueNameGenerator | None = None,
    new_para_name_checker: DygraphParameterNameChecker | None = None,
) -> tuple[UniqueNameGenerator, DygraphParameterNameChecker]:
    """Replace the generator and the checker of parameter names; return those used before."""
    global generator, dygraph_parameter_name_checker
    before = (generator, dygraph_parameter_name_checker)
    generator = UniqueNameGenerator() if new_generator is None else new_generator
    dygraph_parameter_name_checker = new_para_name_checker or DygraphParameterNameChecker()
    return before


@contextmanager
def guard(new_generator: UniqueNameGenerator | str | bytes | None = None) -> Iterator[None]:
    """Count names from 0 inside the block.

    Args:
        new_generator: the generator to use, or a prefix for a new one.
    """
    if isinstance(new_generator, bytes):
        new_generator = new_generator.decode()
    if isinstance(new_generator, str):
        new_generator = UniqueNameGenerator(new_generator)
    before = switch(new_generator)
    try:
        yield
    finally:
        switch(*before)
