"""Programs that are started by the launcher, and what it has left behind."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

LAUNCH = [sys.executable, "-m", "refluid", "-m", "refluid.distributed.fluid_launch"]
TOKEN = "LAUNCHED_TOKEN"


class Launched:
    """A program that is started in several processes.

    Args:
        folder: where it runs.
        text: the program.
        options: of the launcher.
        arguments: of the program.
    """

    def __init__(
        self,
        folder: Path,
        text: str,
        options: Sequence[str] = (),
        arguments: Sequence[str] = (),
        name: str = "program.py",
        **variables: str,
    ) -> None:
        (folder / name).write_text(text, encoding="utf-8")
        self.token = uuid4().hex
        self.process = subprocess.Popen(
            [*LAUNCH, "--print_config=no", *options, name, *arguments],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1", TOKEN: self.token, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, timeout: float = 55) -> tuple[int, list[str], list[str]]:
        """Wait for its end; return the exit status and the lines of both streams."""
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, out.splitlines(), err.splitlines()

    def left(self, timeout: float = 10) -> list[str]:
        """Return the command lines of what it has started and what is there after `timeout`."""
        until = time.monotonic() + timeout
        while (found := self.running()) and time.monotonic() < until:
            time.sleep(0.02)
        return found

    def close(self) -> None:
        """End the launcher, if a test has failed, and close its streams."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def running(self) -> list[str]:
        """Return number and command line of what it has started and what is there."""
        mark = f"{TOKEN}={self.token}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    text = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found.append(f"{folder.name} {text}")
        return found


def wait_for_file(path: Path, timeout: float = 30) -> None:
    """Wait until a file is there."""
    until = time.monotonic() + timeout
    while not path.exists():
        assert time.monotonic() < until, f"{path} has not come"
        time.sleep(0.01)


@pytest.fixture
def wait_for(tmp_path: Path) -> Callable[..., None]:
    """Wait until files in the test's folder are there."""

    def wait(*names: str) -> None:
        for name in names:
            wait_for_file(tmp_path / name)

    return wait


@pytest.fixture(scope="module")
def launch_in() -> Iterator[Callable[..., Launched]]:
    """Start a program in a folder: `launch_in(folder, text, options, arguments)`."""
    started: list[Launched] = []

    def start(*given: object, **variables: str) -> Launched:
        started.append(Launched(*given, **variables))
        return started[-1]

    yield start
    for launched in started:
        launched.close()


@pytest.fixture
def launch(launch_in: Callable[..., Launched], tmp_path: Path) -> Callable[..., Launched]:
    """Start a program in the test's folder: `launch(text, options, arguments)`."""
    return functools.partial(launch_in, tmp_path)
