"""Text of a run's, such as names and errors, made safe to be shown.

May import: nothing of refluid.
"""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str, encoding: str = "utf-8") -> str:
    """Return a text of which everything is seen: what has no look of its own is spelled out.

    So no text moves the cursor of a terminal, begins another line, or turns the direction of what
    stands behind it.

    Args:
        text: any string.
        encoding: of the terminal or file; what it lacks is spelled out too.
    """
    spelled = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
    return spelled.encode(encoding, "backslashreplace").decode(encoding)
