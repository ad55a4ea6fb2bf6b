"""`refluid show` tells how far a run is, whatever state and terminal it is in."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from refluid.cli.show import show
from refluid.errors import RunError
from refluid.observe.journal.journal import Event, Journal, Start

app = typer.Typer()
app.command()(show)


def run(*arguments: object, width: int = 80):
    # an output that is no terminal has no colors
    env = {"COLUMNS": str(width), "NO_COLOR": None, "FORCE_COLOR": None}
    return CliRunner(env=env).invoke(app, [str(argument) for argument in arguments])


def write(folder, rows, events=(), starts=(0,)):
    folder.mkdir(parents=True)
    journal = Journal(folder / "run.sqlite")
    journal.open()
    for step in starts:
        journal.start(Start(pid=7, host="h", argv=[], from_step=step, environment={}, config={}))
        journal.append(events=[Event(step=step, kind="resumed" if step else "began")])
    journal.append(rows, events)
    journal.close()
    return folder


@pytest.fixture
def killed(tmp_path):
    plan = json.dumps({"epochs": 4, "steps_per_epoch": 50})
    rows = [(k, "loss", 2.0 / (1 + k)) for k in range(125)]
    rows += [(49, "valid_loss", 0.5), (99, "valid_loss", 0.25), (99, "valid_accuracy", 0.875)]
    events = [Event(step=100, kind="planned", text=plan)]
    folder = write(tmp_path / "killed", rows, events, starts=(0, 50, 100))
    (folder / "run.lock").write_text("process 12 on somewhere\n")
    for step in (50, 100):
        (folder / "checkpoints" / f"step-{step:08d}").mkdir(parents=True)
        (folder / "checkpoints" / f"step-{step:08d}" / "state").write_bytes(bytes(2048))
    return folder


def lines(output: str) -> dict[str, str]:
    """Return what stands behind each name."""
    named = [line for line in output.splitlines() if line[:1].strip()]
    return {line[:12].strip(): line[12:] for line in named}


def test_run_is_told_from_its_journal_and_checkpoints(killed):
    shown = run(killed).output
    found = lines(shown)
    assert found["run"] == str(killed)
    assert found["state"] == "killed"
    assert "62%, epoch 2.5 of 4, step 125 of 200" in found["progress"]
    assert found["training"] == "loss 0.016"
    assert found["validation"] == "loss 0.25, accuracy 87.50%"
    assert found["best"] == "loss 0.25 at step 99, accuracy 87.50% at step 99"
    assert found["started"].startswith("3 times (3 killed), last ")
    assert found["resumed"] == "after 50, 100 steps"
    assert "step        50     2.0 KiB" in found["checkpoints"]
    assert "best valid_accuracy, valid_loss" in shown
    assert any("\u2800" < letter < "\u28ff" for letter in shown)


def test_output_to_a_file_has_no_colors_and_cuts_nothing(killed):
    wide, narrow = run(killed, width=120).output, run(killed, width=30).output
    assert "\x1b" not in wide + narrow
    assert lines(narrow)["best"] == lines(wide)["best"]
    assert max(len(line) for line in wide.splitlines() if "\u2840" <= line[-1:]) <= 120


def test_terminal_too_narrow_for_a_plot_has_none(killed):
    assert not any("\u2800" < letter < "\u28ff" for letter in run(killed, width=20).output)


def test_ascii_is_enough(killed):
    code = "import sys; from typer import run; from refluid.cli.show import show; run(show)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(killed)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert done.stdout.isascii()
    assert b"#" in done.stdout
    assert b"****" in done.stdout


def test_error_that_ended_a_run_is_told_without_its_control_characters(tmp_path):
    text = "ValueError: \x1b[31mred\n[bold]\u202e"
    folder = write(tmp_path / "[bold]x", [], [Event(step=3, kind="error", text=text)])
    shown = run(folder).output
    assert lines(shown)["state"] == r"failed: ValueError: \x1b[31mred\n[bold]\u202e"
    assert lines(shown)["run"] == str(folder)
    assert "\x1b" not in shown


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.0, 1e300])
def test_any_value_is_shown(tmp_path, value):
    rows = [(k, "loss", value) for k in range(5)] + [(5, "loss", 1.0)]
    shown = run(write(tmp_path / "run", rows)).output
    assert "loss 1\n" in shown
    assert ("x: not finite" in shown) == (value != value or value == float("inf"))


def test_run_without_metrics_is_shown(tmp_path):
    found = lines(run(write(tmp_path / "run", [])).output)
    assert (found["state"], found["progress"]) == ("ended", "step 0")
    assert "training" not in found


def test_runs_below_a_folder_are_a_table(tmp_path, killed):
    write(tmp_path / "sweep" / "trial-1" / "run", [(0, "loss", 0.123456789)], starts=())
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.sqlite").write_text("something else")
    # what lies in a run's own folder is no run of its own
    write(killed / "checkpoints" / "copy", [])
    head, *rows = run(tmp_path, width=20).output.splitlines()
    assert head.split() == [
        *("run", "state", "steps", "done", "loss"),
        *("valid_loss", "valid_accuracy", "starts", "kills"),
    ]
    assert [row.split()[0].removeprefix(str(tmp_path)) for row in rows] == [
        "/broken",
        "/killed",
        "/sweep/trial-1/run",
    ]
    assert "cannot be read: file is not a database" in rows[0]
    assert rows[1].split()[1:] == ["killed", "125", "62%", "0.016", "0.25", "87.50%", "3", "3"]
    assert rows[2].split()[1:] == ["ended", "1", "0.1235", "0", "0"]


def test_run_in_a_folder_that_is_read_only_is_shown(killed):
    killed.chmod(0o555)
    try:
        assert lines(run(killed).output)["state"] == "killed"
    finally:
        killed.chmod(0o755)


def test_nothing_of_a_run_is_changed(killed):
    before = {path: path.stat().st_mtime_ns for path in killed.rglob("*") if path.is_file()}
    run(killed)
    after = {path: path.stat().st_mtime_ns for path in killed.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("content", [b"", b"nothing of ours", b"SQLite format 3\0" + bytes(4096)])
def test_what_is_no_journal_gives_one_sentence(tmp_path, content):
    (tmp_path / "run.sqlite").write_bytes(content)
    error = run(tmp_path).exception
    assert isinstance(error, RunError)
    assert str(error).startswith(f"{tmp_path / 'run.sqlite'} cannot be read: ")


def test_folder_without_runs_is_told(tmp_path):
    error = run(tmp_path).exception
    assert isinstance(error, RunError)
    assert "no folder in it has a run.sqlite" in str(error)
    error = run(tmp_path / "missing").exception
    assert isinstance(error, RunError)
    assert "is no folder" in str(error)
