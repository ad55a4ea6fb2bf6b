"""`refluid plot` says where the picture is, and what is wrong in one sentence."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from refluid.cli.plot import plot
from refluid.errors import RunError
from refluid.observe.journal.journal import Journal

app = typer.Typer()
app.command()(plot)


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def runs(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        journal = Journal(tmp_path / name / "run.sqlite")
        journal.open()
        journal.append([(step, "loss", 1.0 / (1 + step)) for step in range(10)])
        journal.close()
    return [tmp_path / "a", tmp_path / "b"]


def test_picture_of_one_run_is_in_its_folder(runs):
    picture = runs[0] / "curves.png"
    assert run(runs[0]).output == f"{picture}: loss\n"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_picture_of_several_runs_is_here(runs, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run(*runs).output == "curves.png: loss\n"
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["curves.png"]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "PNG"])
def test_picture_goes_where_it_is_asked_for(runs, tmp_path, ending):
    assert run(*runs, "--metric", "loss", "--out", tmp_path / f"x.{ending}").exit_code == 0
    assert (tmp_path / f"x.{ending}").stat().st_size > 1000


def test_run_is_only_read(runs):
    before = (runs[0] / "run.sqlite").read_bytes()
    run(runs[0])
    assert (runs[0] / "run.sqlite").read_bytes() == before
    assert sorted(path.name for path in runs[0].iterdir()) == ["curves.png", "run.sqlite"]


@pytest.mark.parametrize("content", [b"", b"nothing of ours", b"SQLite format 3\0" + bytes(4096)])
def test_what_is_no_journal_gives_one_sentence(tmp_path, content):
    (tmp_path / "run.sqlite").write_bytes(content)
    error = run(tmp_path).exception
    assert isinstance(error, RunError)
    assert str(error).startswith(f"{tmp_path / 'run.sqlite'} cannot be read: ")
    assert "\n" not in str(error)


def test_folder_without_a_run_is_named(tmp_path):
    error = run(tmp_path / "missing").exception
    assert isinstance(error, RunError)
    assert str(error).startswith(f"{tmp_path / 'missing'} holds no run")


def test_help_teaches_by_example():
    told = run("--help").output
    assert "refluid plot runs/adam runs/momentum" in told.replace("\n", " ") or "compared" in told
