"""The examples run, are short, and go on after a SIGKILL with the same numbers."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
pytest.importorskip("sklearn", reason="the examples train on scikit-learn's digits")


# threads that wait for each other are slow on a machine that has other things to do
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def command(name):
    front = ["-m", "refluid"] if name.startswith("fluid") else []
    return [sys.executable, *front, str(EXAMPLES / name)]


def run(name, folder):
    done = subprocess.run(
        command(name), cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines(), done.stderr


def killed_after(name, folder, num_lines):
    """Start an example and kill it when it has printed so many lines; return those."""
    with subprocess.Popen(
        command(name), cwd=folder, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        lines = [process.stdout.readline().rstrip("\n") for _ in range(num_lines)]
        process.kill()
    return lines


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_fits_on_two_screens(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 100


def test_the_program_before_trains(tmp_path):
    lines, _ = run("plain_before.py", tmp_path)
    assert [line.split(":")[0] for line in lines] == [f"epoch {k}" for k in range(5)]


def test_before_and_after_differ_by_what_the_guide_says():
    before, after = (
        (EXAMPLES / f"plain_{name}.py").read_text(encoding="utf-8").split('"""\n', 2)[1]
        for name in ("before", "after")
    )
    changes = [
        line[1:].strip()
        for line in difflib.unified_diff(before.split("\n"), after.split("\n"), n=0, lineterm="")
        if line.startswith("+") and not line.startswith("+++") and line[1:].strip()
    ]
    kept = {line.strip() for line in before.split("\n")}
    new = [line for line in changes if line not in kept]
    assert new[:4] == [
        "import refluid",
        'with refluid.Run("runs/plain") as run:',
        "run.track(model=model, optimizer=optimizer)",
        "for step in run.steps(batches, epochs=EPOCHS):",
    ]
    assert len(new) <= 8


@pytest.mark.stress
@pytest.mark.parametrize("name", ["plain_after.py", "fluid_run.py"])
def test_killed_and_started_again_it_prints_the_same_numbers(name, tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole, _ = run(name, tmp_path / "whole")
    assert len(set(whole)) == 5
    assert killed_after(name, tmp_path / "killed", 2) == whole[:2]
    rest, told = run(name, tmp_path / "killed")
    assert rest == whole[5 - len(rest) :]
    assert len(rest) in (3, 4, 5)
    assert "begins" in told or "goes on after step" in told
