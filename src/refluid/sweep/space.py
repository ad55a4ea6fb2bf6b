"""What is tried: for each option of a command a range of numbers, or a list of choices.

A value is kept as the text that stands on the command line, and is the number that this text says:
so what was tried can be typed again, and nothing is lost between the two. A number of a range has
as few digits as its range allows, not the seventeen of a random number.
May import: the standard library only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Choices", "Parameter", "Range", "read_parameter", "read_parameters"]

_NAME = re.compile(r"[A-Za-z][\w-]*", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_RANGE = re.compile(r"(?P<low>[^,:]+?)\.\.(?P<high>[^,:]+)(:(?P<scale>[^,]*))?")
# from there on, a float is not every whole number
_MAX_INTEGER = 2**53
# nothing that is computed with, and drawn, can then be too large
_MAX_NUMBER = 1e100
# the digits of a number may move it by such a part of its range
_RESOLUTION = 1000
_MIN_DIGITS = 4
_HOW = "`--try` takes an option and its values, as in lr=0.0001..0.1:log or l2=0,0.0001,0.001"


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, both included; whole numbers if both are `int`.

    Args:
        name: of the option, without dashes.
        low: the lowest number.
        high: the highest one.
        log: ratios count, not differences.
    """

    name: str
    low: int | float
    high: int | float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def num_values(self) -> float:
        """How many values there are, which may be infinitely many."""
        return self.high - self.low + 1 if self.whole else math.inf

    def texts(self) -> Iterable[str]:
        """Return all values of a range of whole numbers."""
        assert self.whole
        return map(str, range(int(self.low), int(self.high) + 1))

    def text_of(self, value: float) -> str:
        """Return a number of the range as it is tried: with few digits."""
        if self.whole:
            return str(int(value))
        digits = _MIN_DIGITS
        while not self._stands_for(float(text := f"{value:.{digits}g}"), value):
            digits += 1
        return text

    def value_of(self, text: str) -> int | float:
        """Return the number that `text_of` has written."""
        return int(text) if self.whole else float(text)

    def describe(self) -> str:
        """Say what is tried, in words."""
        what = "whole numbers from" if self.whole else "from"
        return f"{what} {self.low} to {self.high}{', logarithmic' if self.log else ''}"

    def _stands_for(self, number: float, value: float) -> bool:
        if not self.low <= number <= self.high:
            return False
        if not self.log:
            return abs(number - value) <= (self.high - self.low) / _RESOLUTION
        return abs(math.log(number / value)) <= math.log(self.high / self.low) / _RESOLUTION


@dataclass(frozen=True)
class Choices:
    """Some values, of which one is tried at a time.

    Args:
        name: of the option, without dashes.
        values: at least two, all different, as they stand on the command line.
    """

    name: str
    values: tuple[str, ...]

    @property
    def num_values(self) -> float:
        """How many values there are."""
        return len(self.values)

    def texts(self) -> Iterable[str]:
        """Return all values."""
        return self.values

    def text_of(self, value: object) -> str:
        """Return a value as it is tried."""
        return str(value)

    def value_of(self, text: str) -> str:
        """Return the value that `text_of` has written."""
        return text

    def describe(self) -> str:
        """Say what is tried, in words."""
        return ", ".join(self.values)


Parameter = Range | Choices
"""An option, and what is tried for it."""


def read_parameters(texts: Iterable[str]) -> tuple[Parameter, ...]:
    """Read several options that are tried together.

    Raises:
        ValueError: one of them cannot be read, or two are of the same option.
    """
    found = tuple(map(read_parameter, texts))
    names = [parameter.name for parameter in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"`--try` was given twice for {', '.join(twice)}: give each option once.")
    return found


def read_parameter(text: str) -> Parameter:
    """Read an option and its values.

    Args:
        text: `NAME=LOW..HIGH`, `NAME=LOW..HIGH:log` or `NAME=A,B,C`.

    Raises:
        ValueError: it is none of these, or there is nothing to choose from.
    """
    name, equals, values = text.partition("=")
    if not equals or not values:
        raise ValueError(f"{_HOW}, but received {text!r}.")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{_HOW}, but received {text!r}: write the option's name, without dashes before it."
        )
    is_range = _RANGE.fullmatch(values)
    if is_range:
        return _range(name, text, **is_range.groupdict())
    return _choices(name, text, values.split(","))


def _range(name: str, text: str, low: str, high: str, scale: str | None) -> Range:
    if scale not in (None, "log"):
        raise ValueError(f"`--try` {text}: a range ends with :log or with nothing, not :{scale}.")
    numbers = _number(low), _number(high)
    if numbers[0] is None or numbers[1] is None:
        wrong = low if numbers[0] is None else high
        raise ValueError(f"`--try` {text}: {wrong!r} is not a number that a range may end with.")
    found = Range(name, numbers[0], numbers[1], log=scale == "log")
    if not found.whole:
        found = Range(name, float(found.low), float(found.high), found.log)
    if not found.low < found.high:
        raise ValueError(f"`--try` {text}: a range goes from a number to a higher one.")
    if found.log and found.low <= 0:
        raise ValueError(
            f"`--try` {text}: a logarithmic range begins above 0; to try 0 too, list some values "
            f"as in {name}=0,0.0001,0.001."
        )
    return found


def _number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        number = int(text) if len(text) < 20 else _MAX_INTEGER + 1
        return number if abs(number) <= _MAX_INTEGER else None
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if number == 0 or 1 / _MAX_NUMBER <= abs(number) <= _MAX_NUMBER else None


def _choices(name: str, text: str, values: list[str]) -> Choices:
    if len(values) == 1:
        raise ValueError(
            f"`--try` {text}: one value is nothing to choose from; give several, or write "
            f"--{name} {values[0]} in the command."
        )
    if "" in values:
        raise ValueError(f"`--try` {text}: there is nothing between two commas, or at an end.")
    for value in values:
        if _RANGE.fullmatch(value) and _number(value.partition("..")[0]) is not None:
            raise ValueError(f"`--try` {text}: a range, here {value}, cannot stand in a list.")
    if values[-1].endswith(":log"):
        raise ValueError(f"`--try` {text}: :log belongs to a range, as in {name}=0.001..1:log.")
    if len(set(values)) < len(values):
        raise ValueError(f"`--try` {text}: a value is there twice.")
    return Choices(name, tuple(values))
