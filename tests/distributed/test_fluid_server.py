"""A fluid program with the launchers' parameter servers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ray", reason="Ray, the engine of the parameter servers, is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PROGRAM = [str(Path(__file__).with_name("training.py")), "20"]
LAUNCHERS = {
    "refluid launch": [
        *(sys.executable, "-c", "from refluid.cli import main; main()", "launch", "--mode", "ps"),
        *("--servers", "2", "--trainers", "2"),
    ],
    "paddle.distributed.launch_ps": [
        *(sys.executable, "-m", "refluid", "-m", "paddle.distributed.launch_ps"),
        *("--server_num=2", "--worker_num=2"),
    ],
}


def run(folder: Path, *command: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # launch_ps writes what trainers print into files
    return done.stdout + "".join(log.read_text() for log in folder.glob("logs/workerlog.*"))


def losses(text: str) -> dict[str, list[list[float]]]:
    """The losses of each optimizer and rank."""
    found: dict[str, list[list[float]]] = {"sgd": [], "momentum": [], "adam": []}
    for line in text.splitlines():
        name, *values = line.rpartition("] ")[2].split()
        if name in found:
            found[name].append([float.fromhex(value) for value in values])
    return found


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_trains_as_one_process_does(launcher, tmp_path):
    alone = losses(run(tmp_path, sys.executable, "-m", "refluid", *PROGRAM))
    served = losses(run(tmp_path, *LAUNCHERS[launcher], *PROGRAM))
    for name, (expected,) in alone.items():
        assert len(served[name]) == 2
        assert served[name][0] != served[name][1]
        np.testing.assert_allclose(np.mean(served[name], axis=0), expected, rtol=0, atol=1e-5)
