"""JSON that says one thing only: no key twice, no NaN, nothing but UTF-8.

Python's own reader takes the last of two equal keys and guesses the encoding; a file that means one
thing to one reader and another to the next must not count as sound.
May import: the standard library only.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["parse", "render"]


def parse(data: bytes) -> Any:
    """Read a JSON text in UTF-8.

    Raises:
        ValueError: it is not one, names a key twice, or is nested deeper than Python can follow.
    """
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise ValueError("its JSON is nested too deep") from None


def render(value: Any) -> bytes:
    """Write a value as compact JSON in ASCII.

    Raises:
        ValueError: it holds NaN or an infinity, or itself.
        TypeError: it holds what JSON does not have.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("its JSON names a key twice")
    return result


def _refuse_constant(name: str) -> None:
    raise ValueError(f"its JSON holds {name}, which is not a number")
