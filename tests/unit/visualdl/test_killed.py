"""A process that is killed while it writes loses nothing, and leaves a file that is whole."""

from __future__ import annotations

import random
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
from refluid.visualdl import LogWriter

writer = LogWriter(sys.argv[1])
noise = np.random.default_rng(0).integers(0, 256, (int(sys.argv[2]), 64, 3), np.uint8)
step = int(sys.argv[3])
while True:
    writer.add_scalar("a", step, step)
    if step % 5 == 0:
        writer.add_image("i", noise, step)
    sys.stdout.write(f"{step}\\n")
    sys.stdout.flush()
    step += 1
"""


@pytest.mark.parametrize("height", [8, 300])
def test_killed_program_loses_nothing_and_goes_on(read, scalars, tmp_path, height) -> None:
    """Each time, it goes on five steps before the last that it has told of."""
    drawn, step, rounds = random.Random(height), 0, 4
    for _ in range(rounds):
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, tmp_path, str(height), str(step)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout
        for _ in range(drawn.randint(8, 60)):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        told = [int(line) for line in child.communicate()[0].split()]
        (path,) = tmp_path.iterdir()
        found = scalars(path, "a")
        assert [number for number, _ in found] == list(range(len(found)))
        assert len(found) > max(told, default=0)
        assert all(value == number for number, value in found)
        pictures = [int(each.get("id", 0)) for each in read(path)["image"]["i"]]
        assert pictures == list(range(0, 5 * len(pictures), 5))
        step = max(0, len(found) - 6)
    assert step > 8 * rounds - 6 * rounds
