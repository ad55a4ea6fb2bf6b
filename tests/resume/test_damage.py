"""The short form of `damage.py`, and the proof that it finds a store that trusts its files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("damage.py")

# A store to which every hash is the right one
WITHOUT_HASHES = """
import runpy, sys
from refluid.checkpoint import step_folder

class AnyHash:
    def __ne__(self, other):
        return False

step_folder._sha256 = lambda file: AnyHash()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(number: int, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, str(PROGRAM), "--number", str(number)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


@pytest.mark.slow
def test_300_damaged_folders_give_the_previous_checkpoint_or_a_clear_error():
    done = run(300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "300 damaged folders, 0 wrong" in done.stdout


def test_a_store_that_does_not_compare_hashes_is_found_out():
    done = run(150, "-c", WITHOUT_HASHES)
    assert done.returncode == 1, done.stderr
    assert "other values than were saved" in done.stdout
