"""What two processes make of their gradients, and that they train as one process does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
LAUNCH = [sys.executable, "-m", "refluid", "-m", "refluid.distributed.fluid_launch"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
CHECKS = re.findall(r"@check\ndef (\w+)", (HERE / "sums.py").read_text(encoding="utf-8"))
STEPS = 100


def run(*command: str, num_processes: int = 0, folder: Path = HERE) -> str:
    front = [*LAUNCH, f"--nproc_per_node={num_processes}", "--timeout=50", "--print_config=no"]
    done = subprocess.run(
        [*(front if num_processes else [sys.executable, "-m", "refluid"]), *command],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=55,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def passed() -> list[str]:
    return run(str(HERE / "sums.py"), num_processes=2).splitlines()


@pytest.mark.parametrize("name", CHECKS)
def test_in_both_of_two_processes(name, passed):
    assert [f"[{rank}] {name}" in passed for rank in (0, 1)] == [True, True]


def losses(text: str) -> dict[str, list[float]]:
    lines = [line.removeprefix("[0] ").split() for line in text.splitlines()]
    return {name: [float.fromhex(value) for value in found] for name, *found in lines}


@pytest.fixture(scope="module")
def alone() -> dict[str, list[float]]:
    return losses(run(str(HERE / "training.py"), str(STEPS)))


@pytest.fixture(scope="module")
def together() -> str:
    return run(str(HERE / "training.py"), str(STEPS), num_processes=2)


def check_same_course(found: dict[str, list[float]], alone: dict[str, list[float]]) -> None:
    assert list(found) == list(alone) == ["sgd", "momentum", "adam"]
    for name, expected in alone.items():
        assert len(found[name]) == STEPS
        assert max(abs(a - b) for a, b in zip(found[name], expected, strict=True)) < 1e-5
        assert expected[-1] < expected[0]


def test_two_processes_train_as_one_with_their_batches_together(together, alone):
    check_same_course(losses(together), alone)


def test_four_processes_train_as_one_with_their_batches_together(alone):
    found = run(str(HERE / "training.py"), str(STEPS), num_processes=4)
    check_same_course(losses(found), alone)


def test_a_repetition_gives_the_same_bits(together):
    assert run(str(HERE / "training.py"), str(STEPS), num_processes=2) == together


def test_the_example_trains_in_two_processes(tmp_path):
    pytest.importorskip("sklearn", reason="the examples train on scikit-learn's digits")
    example = HERE.parents[1] / "examples" / "fluid_parallel.py"
    lines = run(str(example), num_processes=2, folder=tmp_path).splitlines()
    found = [line.split(": accuracy ") for line in lines if "accuracy" in line]
    assert sorted(place for place, _ in found) == [
        f"[{rank}] rank {rank}, epoch {epoch}" for rank in (0, 1) for epoch in range(5)
    ]
    assert all(float(accuracy) > 0.85 for place, accuracy in found if place.endswith("epoch 4"))
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.pdparams"]
