"""The same case under refluid gives the numbers that Paddle 1.8.5 gave.

`recordings.npz` was written by `cases.py` under PaddlePaddle 1.8.5 (CPU, Python 3.7, NumPy 1.21);
`make conformance` records it anew where Paddle is installed and compares.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent
RTOL, ATOL = 1e-4, 1e-5


def load(path: Path) -> dict[str, dict[str, np.ndarray]]:
    cases: dict[str, dict[str, np.ndarray]] = {}
    with np.load(path) as arrays:
        for key in arrays.files:
            case, name = key.split("|", 1)
            cases.setdefault(case, {})[name] = arrays[key]
    return cases


RECORDED = load(FOLDER / "recordings.npz")


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, np.ndarray]]:
    out = tmp_path_factory.mktemp("parity") / "ours.npz"
    command = [sys.executable, "-m", "refluid", str(FOLDER / "cases.py"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return load(out)


@pytest.mark.timeout(150)
@pytest.mark.parametrize("case", RECORDED)
def test_case_agrees_with_paddle(case, ours):
    recorded, mine = RECORDED[case], ours[case]
    assert list(mine) == list(recorded)
    for name, expected in recorded.items():
        assert mine[name].shape == expected.shape, name
        assert mine[name].dtype == expected.dtype, name
        if expected.dtype.kind == "U":
            assert mine[name] == expected, name
        else:
            np.testing.assert_allclose(mine[name], expected, RTOL, ATOL, err_msg=name)


def test_every_case_was_recorded(ours):
    assert set(ours) == set(RECORDED)
