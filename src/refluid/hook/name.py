"""What a module of Paddle is called inside refluid, and the other way round.

May import: nothing of refluid.
"""

from __future__ import annotations

__all__ = ["ENGINE", "PADDLE", "engine_name", "is_within", "paddle_name"]

PADDLE = "paddle"
ENGINE = "refluid.paddle"


def is_within(name: str, package: str) -> bool:
    """Tell whether the module `name` is `package` or lies inside it."""
    return name == package or name.startswith(package + ".")


def engine_name(name: str) -> str:
    """Return the name under which refluid keeps the Paddle module `name`."""
    return ENGINE + name.removeprefix(PADDLE)


def paddle_name(name: str) -> str:
    """Return Paddle's name of a module, given that name or refluid's."""
    return PADDLE + name.removeprefix(ENGINE) if is_within(name, ENGINE) else name
