"""What a module of Paddle or VisualDL is called inside refluid, and the other way round.

May import: nothing of refluid.
"""

from __future__ import annotations

__all__ = ["ENGINE", "PADDLE", "PROVIDED", "engine_name", "is_within", "paddle_name"]

PADDLE = "paddle"
ENGINE = "refluid.paddle"
# the packages that programs import, and which of refluid's they get
PROVIDED = {PADDLE: ENGINE, "visualdl": "refluid.visualdl"}


def is_within(name: str, package: str) -> bool:
    """Tell whether the module `name` is `package` or lies inside it."""
    return name == package or name.startswith(package + ".")


def engine_name(name: str) -> str:
    """Return the name under which refluid keeps the module that programs call `name`."""
    package, dot, rest = name.partition(".")
    return PROVIDED.get(package, package) + dot + rest


def paddle_name(name: str) -> str:
    """Return a module's name in Paddle or VisualDL, given that name or refluid's."""
    for package, engine in PROVIDED.items():
        if is_within(name, engine):
            return package + name.removeprefix(engine)
    return name
