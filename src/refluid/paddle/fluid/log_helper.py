"""The logger that Paddle's own programs make. May import: nothing of refluid."""

from __future__ import annotations

import logging

__all__ = ["get_logger"]


def get_logger(name: str, level: int, fmt: str | None = None) -> logging.Logger:
    """Return a logger that writes to stderr by itself, whatever the root logger does.

    Same as Paddle 1.8: each call adds a handler.

    Args:
        name: of the logger.
        level: from which on it writes, such as `logging.INFO`.
        fmt: the form of a line, as `logging.Formatter` takes it.
    """
    logger = logging.getLogger(name)
    logger.setLevel(level)
    handler = logging.StreamHandler()
    if fmt:
        handler.setFormatter(logging.Formatter(fmt))
    logger.addHandler(handler)
    logger.propagate = False
    return logger
