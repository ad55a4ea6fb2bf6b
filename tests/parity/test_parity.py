"""The same case under refluid gives the numbers that Paddle 1.8.5 gave.

`recordings.npz` was written by `cases.py` under PaddlePaddle 1.8.5 (CPU, Python 3.7, NumPy 1.21);
`make conformance` records it anew where Paddle is installed and compares.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import recorded

FOLDER = Path(__file__).parent
RECORDED = recorded.read(FOLDER / "recordings.npz")


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, recorded.Arrays]:
    out = tmp_path_factory.mktemp("parity") / "ours.npz"
    command = [sys.executable, "-m", "refluid", str(FOLDER / "cases.py"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return recorded.read(out)


@pytest.mark.timeout(150)
@pytest.mark.parametrize("case", RECORDED)
def test_case_agrees_with_paddle(case, ours):
    recorded.check(ours[case], RECORDED[case])


def test_every_case_was_recorded(ours):
    assert set(ours) == set(RECORDED)
