"""`refluid verify` takes a command with options of its own, and refuses what it cannot use."""

from __future__ import annotations

import pytest
import typer
from typer.main import get_command

from refluid.cli import app, main


def parsed(*arguments: str) -> dict[str, object]:
    command = get_command(app).commands["verify"]
    context = command.make_context("verify", list(arguments))
    return {**context.params, "command": list(context.params["command"])}


@pytest.mark.parametrize("separator", [["--"], []])
def test_options_behind_the_command_are_its_own(separator):
    program = ["python", "train.py", "--kills", "7", "--", "-h", "--keep=x"]
    found = parsed("--kills", "3", *separator, *program)
    assert found == {"command": program, "kills": 3, "seed": 1, "keep": None}


def refused(monkeypatch, capsys, *arguments: str) -> str:
    monkeypatch.setattr("sys.argv", ["refluid", "verify", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def test_command_is_needed(monkeypatch, capsys):
    assert "Missing argument" in refused(monkeypatch, capsys, "--kills", "3")


def test_no_kill_is_refused(monkeypatch, capsys):
    assert "--kills" in refused(monkeypatch, capsys, "--kills", "0", "--", "true")


def test_folder_that_is_there_is_not_written_into(monkeypatch, capsys, tmp_path):
    (tmp_path / "mine").touch()
    told = refused(monkeypatch, capsys, "--keep", str(tmp_path), "--", "true")
    assert "`--keep` must be a new folder" in told
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_command_is_shown_in_the_help(capsys):
    with pytest.raises(typer.Exit):
        parsed("--help")
    assert "refluid verify -- python train.py" in capsys.readouterr().out
