"""The command whose options are tried, and what it becomes for one trial.

Any program will do that takes the options and uses `refluid.Run`. `refluid train` is known by name:
it is the command if none is given, and its test is left to the winner.
May import: the standard library only.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Command", "read_command"]

_TRAIN = ("refluid", "train")
_NO_TEST = "--no-test"
# this very refluid, wherever `refluid` may lie on the PATH; the folder that one is in stays out of
# the way, as it does for `refluid`
_REFLUID = "import sys; sys.path[:] = filter(None, sys.path); from refluid.cli import main; main()"


@dataclass(frozen=True)
class Command:
    """A command to which options are added.

    Args:
        words: the program and its arguments.
    """

    words: tuple[str, ...]

    @property
    def leaves_test(self) -> bool:
        """Whether it can train without a test, and test what it has trained when run again."""
        return self.words[:2] == _TRAIN

    def trial(self, values: Mapping[str, str]) -> list[str]:
        """Return the command that trains with these values, and does not test."""
        test = [_NO_TEST] if self.leaves_test else []
        return _executable([*self.words, *test, *_options(values)])

    def final(self, values: Mapping[str, str]) -> list[str]:
        """Return the command that tests what was trained with these values."""
        return _executable([*self.words, *_options(values)])

    def text(self, values: Mapping[str, str]) -> str:
        """Return the command as a person types it."""
        return shlex.join([*self.words, *_options(values)])


def read_command(words: Sequence[str], names: Iterable[str]) -> Command:
    """Read a command.

    Args:
        words: as they were given; none, or only options, mean `refluid train`.
        names: of the options that are going to be added.

    Raises:
        ValueError: there is no such program, or the command has one of the options already.
    """
    if not words or words[0].startswith("-"):
        words = [*_TRAIN, *words]
    if tuple(words[:2]) == _TRAIN:
        words = [word for word in words if word != _NO_TEST]
    if words[0] != _TRAIN[0] and shutil.which(words[0]) is None:
        raise ValueError(f"{words[0]!r} is not a program: check the command behind `--`.")
    options = {word.partition("=")[0] for word in words}
    given = [f"--{name}" for name in names if f"--{name}" in options]
    if given:
        raise ValueError(
            f"{', '.join(given)} is tried and stands in the command too: take it out of one of "
            "them."
        )
    return Command(tuple(words))


def _options(values: Mapping[str, str]) -> list[str]:
    words: list[str] = []
    for name, value in values.items():
        # a value that begins like an option would be taken for one
        words += [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]
    return words


def _executable(words: list[str]) -> list[str]:
    if words[0] == _TRAIN[0]:
        return [sys.executable, "-c", _REFLUID, *words[1:]]
    return words
