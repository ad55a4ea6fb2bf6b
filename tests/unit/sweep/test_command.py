"""A command gets the options that are tried, and nothing that it has already."""

from __future__ import annotations

import subprocess
import sys

import pytest

from refluid.sweep.command import read_command

VALUES = {"lr": "0.1", "shift": "-1e-05"}


def test_values_are_appended_as_options():
    command = read_command([sys.executable, "train.py", "--epochs", "5"], VALUES)
    words = [sys.executable, "train.py", "--epochs", "5", "--lr", "0.1", "--shift=-1e-05"]
    assert command.trial(VALUES) == command.final(VALUES) == words
    assert not command.leaves_test
    assert command.text(VALUES).endswith(" train.py --epochs 5 --lr 0.1 --shift=-1e-05")


@pytest.mark.parametrize(
    "words",
    [["refluid", "train", "--epochs", "5"], ["--epochs", "5"], ["--no-test", "--epochs", "5"]],
)
def test_training_is_the_command_if_there_is_none_and_tests_at_the_end_alone(words):
    command = read_command(words, ["lr"])
    assert command.leaves_test
    assert command.text({"lr": "1"}) == "refluid train --epochs 5 --lr 1"
    trial, final = command.trial({"lr": "1"}), command.final({"lr": "1"})
    assert trial[0] == final[0] == sys.executable
    assert trial[3:] == ["train", "--epochs", "5", "--no-test", "--lr", "1"]
    assert final[3:] == ["train", "--epochs", "5", "--lr", "1"]


def test_files_beside_the_user_do_not_stand_in_for_modules(tmp_path):
    for name in ("typer", "random", "refluid"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    command = read_command(["refluid", "--version"], ["lr"])
    done = subprocess.run(
        command.trial({}), cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refluid ")


@pytest.mark.parametrize("given", [["--lr", "0.1"], ["--lr=0.1"]])
def test_option_that_is_tried_and_given_is_refused(given):
    with pytest.raises(ValueError, match="--lr is tried and stands in the command too"):
        read_command([*given, "--epochs", "5"], ["lr", "l2"])


def test_program_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="'nowhere.py' is not a program"):
        read_command(["nowhere.py"], ["lr"])
