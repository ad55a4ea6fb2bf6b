"""VisualDL's viewer shows records and runs, on this machine alone, and says why if it cannot."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from refluid.errors import RefluidError, RunError
from refluid.observe.journal.journal import Event, Journal
from refluid.visualdl import LogWriter
from refluid.visualdl.viewer import serve_visualdl

SERVE = """
import sys
from pathlib import Path
from refluid.errors import RefluidError
from refluid.visualdl.viewer import serve_visualdl
try:
    serve_visualdl(Path(sys.argv[1]), 0)
except RefluidError as error:
    sys.exit(str(error))
"""
PATIENCE_S = 40.0


class Board:
    """A viewer in a process of its own."""

    def __init__(self, folder: Path) -> None:
        if find_spec("visualdl") is None:
            pytest.skip("VisualDL is not installed: its viewer is not tested.")
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", self.line)
        assert found, self.line
        self.address = found[0]

    def page(self, path: str, **query: str) -> str:
        url = f"{self.address}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()

    def points(self, run: str, tag: str) -> list[tuple[int, float]]:
        """A curve as the page gets it: step and value."""
        try:
            answer = json.loads(self.page("app/api/scalar/list", run=run, tag=tag))
        except (OSError, HTTPException):
            return []  # it is being started again
        return [(step, value) for _, step, value in answer["data"] or []]

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate()


@pytest.fixture
def opened() -> Iterator[Callable[[Path], Board]]:
    boards: list[Board] = []

    def begin(folder: Path) -> Board:
        boards.append(Board(folder))
        return boards[-1]

    yield begin
    for board in boards:
        board.close()


def eventually(ask: Callable[[], Any], wanted: Any) -> None:
    """Ask until the answer is `wanted`: what is shown follows what is written."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask()) != wanted:
        assert time.monotonic() < deadline, answer


def write(folder: Path, *steps: int, scale: float = 1.0) -> None:
    with LogWriter(str(folder)) as writer:
        for step in steps:
            writer.add_scalar("loss", scale * step, step)


def test_records_are_shown_and_what_comes_again_takes_its_place(opened, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    write(folder, *range(10))
    board = opened(tmp_path)
    run = str(folder)
    assert board.points(run, "loss") == [(step, step) for step in range(10)]
    # a program that goes on from step 5
    write(folder, *range(5, 12), scale=2)
    curve = [(step, step if step < 5 else 2 * step) for step in range(12)]
    eventually(lambda: board.points(run, "loss"), curve)


def test_telemetry_is_off_and_nobody_else_can_reach_it(opened, tmp_path: Path) -> None:
    write(tmp_path, 1)
    board = opened(tmp_path)
    assert 'TELEMETRY_ID=""' in board.page("app/__snowpack__/env.local.js")
    port = urllib.parse.urlparse(board.address).port
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].split(":")[1], 16) == port
    ]
    assert listening == [f"0100007F:{port:04X}"]


def test_runs_are_shown_and_followed(opened, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "digits"
    folder.mkdir(parents=True)
    journal = Journal(folder / "run.sqlite")
    journal.open()
    journal.cut(0, Event(step=0, kind="began"))
    journal.append([(step, "loss", step) for step in range(5)])
    journal.append([(4, "valid%", math.nan)])
    board = opened(tmp_path)
    eventually(lambda: board.points("runs/digits", "loss")[-1:], [(4, 4)])
    assert board.points("runs/digits", "valid_") == [(4, "nan")]
    journal.append([(5, "loss", 5), (6, "loss", 6)])
    eventually(lambda: board.points("runs/digits", "loss")[-1:], [(6, 6)])
    journal.cut(3, Event(step=3, kind="resumed"))
    journal.append([(step, "loss", 10 * step) for step in range(3, 6)])
    curve = [(0, 0), (1, 1), (2, 2), (3, 30), (4, 40), (5, 50)]
    eventually(lambda: board.points("runs/digits", "loss"), curve)
    journal.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_it_is_ended(opened, tmp_path: Path, number: signal.Signals) -> None:
    write(tmp_path, 1)
    board = opened(tmp_path)
    board.process.send_signal(number)
    expected = -signal.SIGKILL if number == signal.SIGKILL else 0
    assert board.process.wait(PATIENCE_S) == expected
    port = int(urllib.parse.urlparse(board.address).port or 0)

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    eventually(answers, False)


def test_folder_with_nothing_to_show_is_an_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(RefluidError, match="`logdir` has nothing to show"):
            serve_visualdl(folder, 0)


def test_journal_that_cannot_be_read_is_an_error(tmp_path: Path, capsys) -> None:
    if find_spec("visualdl") is None:
        pytest.skip("VisualDL is not installed: journals are read while it starts.")
    (tmp_path / "run.sqlite").write_bytes(b"no journal" * 100)
    with pytest.raises(RunError, match="run.sqlite cannot be read"):
        serve_visualdl(tmp_path, 0)
    assert capsys.readouterr().err.count("\n") == 1


def test_port_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    if find_spec("visualdl") is None:
        pytest.skip("VisualDL is not installed: ports are looked at after that.")
    write(tmp_path, 1)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(RefluidError, match="`port` .* cannot be used"):
            serve_visualdl(tmp_path, other.getsockname()[1])
    with pytest.raises(RefluidError, match="`port` must be from 0 to 65535"):
        serve_visualdl(tmp_path, 1 << 16)


def test_viewer_that_cannot_read_a_file_is_an_error(tmp_path: Path) -> None:
    if find_spec("visualdl") is None:
        pytest.skip("VisualDL is not installed: its viewer is not tested.")
    write(tmp_path, 1)
    (path,) = tmp_path.iterdir()
    os.truncate(path, path.stat().st_size - 3)
    with pytest.raises(RefluidError, match="VisualDL has ended: .* ends within a record"):
        serve_visualdl(tmp_path, 0)


def test_missing_viewer_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, 1)
    program = f"""
import importlib.metadata
def missing(name):
    raise importlib.metadata.PackageNotFoundError(name)
importlib.metadata.version = missing
{SERVE}"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("VisualDL is not installed: `pip install refluid[board]`")
