"""Runs stay inside the folder that is set for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from refluid import env


@pytest.mark.parametrize(
    ("named", "lies"),
    [("runs/x", "runs/x"), ("/data/x", "data/x"), ("../../x", "x"), (".", "")],
)
def test_a_run_lies_below_the_folder_that_is_set(monkeypatch, tmp_path, named, lies):
    monkeypatch.setenv(env.RUNS, str(tmp_path))
    assert env.run_directory(Path(named)) == tmp_path / lies


def test_without_it_a_run_lies_where_the_program_says(monkeypatch):
    monkeypatch.delenv(env.RUNS, raising=False)
    assert env.run_directory(Path("../x")) == Path("../x")
