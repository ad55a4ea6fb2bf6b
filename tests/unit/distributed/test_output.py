"""Lines are copied whole, and the part of an output that says why a process failed is found."""

from __future__ import annotations

import io
import os

import pytest

from refluid.distributed.output import LineWriter, Tail, error_lines, read_tail


@pytest.fixture
def pipe():
    source, target = os.pipe()
    yield source, target
    os.close(source)


def test_lines_are_written_when_they_are_whole(pipe):
    source, target = pipe
    screen, tail = io.BytesIO(), Tail()
    writer = LineWriter(source, screen, b"[3] ", tail)
    os.write(target, b"one\ntw")
    assert writer.copy()
    assert screen.getvalue() == b"[3] one\n"
    os.write(target, b"o\r\n\xff\n\n[rank3]: three")
    assert writer.copy()
    assert screen.getvalue() == b"[3] one\n[3] two\n[3] \xff\n[3] \n"
    os.close(target)
    assert not writer.copy()
    assert screen.getvalue() == b"[3] one\n[3] two\n[3] \xff\n[3] \n[3] three\n"
    assert tail.lines() == [b"one", b"two", b"\xff", b"", b"three"]


def test_a_line_without_an_end_is_written_when_it_is_very_long(pipe):
    source, target = pipe
    screen = io.BytesIO()
    writer = LineWriter(source, screen, b"", None)
    for _ in range(2):
        os.write(target, b"x" * 40_000)
        writer.copy()
    assert screen.getvalue() == b"x" * 80_000 + b"\n"
    os.close(target)
    assert not writer.copy()
    assert screen.getvalue() == b"x" * 80_000 + b"\n"


TRACEBACK = [b"Traceback (most recent call last):", b'  File "a.py", line 1', b"ValueError: x"]
CAUSE = b"The above exception was the direct cause of the following exception:"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([b"a", *TRACEBACK], TRACEBACK),
        ([*TRACEBACK, b"a", *TRACEBACK, b"more"], [*TRACEBACK, b"more"]),
        (
            [b"a", *TRACEBACK, b"", CAUSE, b"", *TRACEBACK],
            [*TRACEBACK, b"", CAUSE, b"", *TRACEBACK],
        ),
        ([b"line %d" % k for k in range(100)], [b"line %d" % k for k in range(80, 100)]),
        ([], []),
    ],
)
def test_the_last_traceback_is_the_error_or_else_the_last_lines(lines, found):
    assert error_lines(lines) == found


def test_of_a_log_file_the_lines_of_this_life_are_read(tmp_path):
    path = tmp_path / "workerlog.0"
    path.write_bytes(b"old\n")
    begin = path.stat().st_size
    with path.open("ab") as file:
        file.write(b"[rank0]: new\nlast")
    assert read_tail(path, begin) == [b"new", b"last"]
    assert read_tail(tmp_path / "none", 0) == []
