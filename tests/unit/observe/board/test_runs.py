"""Runs are found wherever they are; what cannot be read is said once and left out."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from refluid.observe.board import runs as module
from refluid.observe.board.runs import Runs, find_journals
from refluid.observe.journal.journal import Journal


@pytest.fixture(autouse=True)
def no_wait(monkeypatch):
    monkeypatch.setattr(module, "_REFRESH_EVERY_S", 0.0)


def begin(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder / "run.sqlite")
    journal.open()
    journal.append([(0, "loss", 1.0)])
    journal.close()
    return journal.path


@pytest.fixture
def told() -> list[str]:
    """What was said."""
    return []


def names(runs: Runs) -> list[str]:
    return [run.name for run in runs.current()]


def test_runs_are_named_by_their_place(tmp_path, told):
    for place in ("b", "a/one", "a/two", "a"):
        begin(tmp_path / "log" / place)
    (tmp_path / "log" / "a" / "checkpoints" / "step-1").mkdir(parents=True)
    (tmp_path / "log" / "a" / "checkpoints" / "step-1" / "run.sqlite").touch()
    assert names(Runs(tmp_path / "log", told.append)) == ["a", "a/one", "a/two", "b"]
    assert told == []


def test_folder_that_is_a_run_is_named_by_itself(tmp_path, told, monkeypatch):
    begin(tmp_path / "digits")
    begin(tmp_path / "digits" / "digits")
    assert names(Runs(tmp_path / "digits", told.append)) == ["digits", "digits/digits"]
    monkeypatch.chdir(tmp_path / "digits")
    assert names(Runs(Path("."), told.append)) == ["digits", "digits/digits"]


def test_runs_come_and_go(tmp_path, told):
    runs = Runs(tmp_path, told.append)
    assert names(runs) == []
    begin(tmp_path / "a")
    assert names(runs) == ["a"]
    begin(tmp_path / "b")
    assert names(runs) == ["a", "b"]
    shutil.rmtree(tmp_path / "a")
    assert names(runs) == ["b"]
    assert told == []


def test_what_cannot_be_read_is_said_once_and_shown_when_it_can(tmp_path, told):
    begin(tmp_path / "good")
    later, torn, empty = (tmp_path / name for name in ("later", "torn", "empty"))
    connection = sqlite3.connect(begin(later))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    whole = begin(torn).read_bytes()
    (torn / "run.sqlite").write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    empty.mkdir()
    (empty / "run.sqlite").touch()
    runs = Runs(tmp_path, told.append)
    for _ in range(3):
        assert names(runs) == ["good"]
    assert len(told) == 3
    for name in ("later", "torn", "empty"):
        assert sum(str(tmp_path / name / "run.sqlite") in line for line in told) == 1
    assert all("\n" not in line and line.endswith("It is left out.") for line in told)
    (torn / "run.sqlite").write_bytes(whole)
    assert names(runs) == ["good", "torn"]


def test_journal_that_is_a_pipe_keeps_nobody_waiting(tmp_path, told):
    begin(tmp_path / "good")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "run.sqlite")
    assert names(Runs(tmp_path, told.append)) == ["good"]
    assert len(told) == 1


def test_name_that_is_no_text_is_shown_all_the_same(tmp_path, told):
    folder = os.fsencode(tmp_path) + b"/voil\xe9"
    begin(Path(os.fsdecode(folder)))
    assert names(Runs(tmp_path, told.append)) == ["voil\ufffd"]


def test_journals_are_found_in_order(tmp_path):
    for place in ("c", "a", "b/x"):
        begin(tmp_path / place)
    found = [path.parent.relative_to(tmp_path).as_posix() for path in find_journals(tmp_path)]
    assert found == ["a", "b/x", "c"]
