"""`EnforceNotMet`: what Paddle's operators raise, and old scripts catch.

May import: nothing.
"""

from __future__ import annotations

__all__ = ["EOFException", "EnforceNotMet"]


class EnforceNotMet(Exception):
    """An operator was given input that it cannot work on. Its base is Exception, as in Paddle."""

    __module__ = "paddle.fluid.core_avx"


class EOFException(Exception):
    """A reader has no more data."""

    __module__ = "paddle.fluid.core_avx"
