"""Checkpoints go both ways between refluid and a real PaddlePaddle 1.8.5."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import paddle18
from refluid.checkpoint import read_state, write_state

pytestmark = pytest.mark.timeout(600)

PROGRAM = Path(__file__).parent / "checkpoint_program.py"
OPTIMIZERS = ("adam", "adam_decay", "lamb", "momentum", "rmsprop", "sgd_decay")
NAME_TABLE = "StructuredToParameterName@@"


def run_paddle(verb: str, folder: Path) -> None:
    python = paddle18.interpreter()
    assert python is not None
    subprocess.run([python, PROGRAM, verb, folder], check=True, capture_output=True, timeout=300)


def run_refluid(verb: str, folder: Path) -> None:
    command = [sys.executable, "-m", "refluid", "--device", "cpu", PROGRAM, verb, folder]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def copied(folder: Path, to: Path) -> Path:
    """Copy the checkpoints of a folder, and nothing else."""
    for path in folder.glob("*.pd*"):
        shutil.copy(path, to)
    return to


def assert_close(described, expected):
    assert described.keys() == expected.keys()
    for key, one in described.items():
        np.testing.assert_allclose(one["values"], expected[key]["values"], rtol=1e-5, atol=1e-6)


def values(described):
    """Return what `checkpoint_program.describe` described, with arrays as (dtype, shape, bytes)."""
    if isinstance(described, dict):
        if "dtype" in described:
            array = np.array(described["values"], described["dtype"])
            return array.dtype.name, described["shape"], array.tobytes()
        return {k: values(v) for k, v in described.items() if k != NAME_TABLE}
    return described


def comparable(state):
    if isinstance(state, np.ndarray):
        return state.dtype.name, list(state.shape), state.tobytes()
    if isinstance(state, dict):
        return {k: comparable(v) for k, v in state.items() if k != NAME_TABLE}
    return state


def described(path: Path):
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def saved_by_paddle(tmp_path_factory):
    if paddle18.interpreter() is None:
        pytest.skip(paddle18.MISSING)
    folder = tmp_path_factory.mktemp("saved_by_paddle")
    run_paddle("save", folder)
    return folder


@pytest.fixture(scope="module")
def loaded_by_paddle(saved_by_paddle, tmp_path_factory):
    """What Paddle makes of the same states after refluid has read and written them."""
    folder = tmp_path_factory.mktemp("saved_by_refluid")
    for name in OPTIMIZERS:
        for suffix in (".pdparams", ".pdopt"):
            state = read_state(saved_by_paddle / (name + suffix))
            write_state(folder / (name + suffix), state)
    run_paddle("load", folder)
    return folder


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_refluid_reads_the_bits_that_paddle_had_in_memory(saved_by_paddle, name):
    saved = described(saved_by_paddle / f"{name}.saved.json")
    assert comparable(read_state(saved_by_paddle / f"{name}.pdparams")) == values(saved["params"])
    assert comparable(read_state(saved_by_paddle / f"{name}.pdopt")) == values(saved["opt"])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_paddle_reads_the_bits_that_refluid_wrote(saved_by_paddle, loaded_by_paddle, name):
    loaded = described(loaded_by_paddle / f"{name}.loaded.json")
    saved = described(saved_by_paddle / f"{name}.saved.json")
    assert values(loaded["params"]) == values(saved["params"])
    assert values(loaded["opt"]) == values(saved["opt"])
    table = read_state(saved_by_paddle / f"{name}.pdparams")[NAME_TABLE]
    assert loaded["params"][NAME_TABLE] == table


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_paddle_goes_on_from_refluids_files_as_if_never_stopped(
    saved_by_paddle, loaded_by_paddle, name
):
    resumed = described(loaded_by_paddle / f"{name}.next.json")
    assert values(resumed) == values(described(saved_by_paddle / f"{name}.next.json"))


@pytest.fixture(scope="module")
def loaded_by_refluid(saved_by_paddle, tmp_path_factory):
    folder = copied(saved_by_paddle, tmp_path_factory.mktemp("loaded_by_refluid"))
    run_refluid("load", folder)
    return folder


@pytest.fixture(scope="module")
def saved_by_refluid(saved_by_paddle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_by_save_dygraph")
    run_refluid("save", folder)
    return folder


@pytest.fixture(scope="module")
def refluids_loaded_by_paddle(saved_by_refluid, tmp_path_factory):
    folder = copied(saved_by_refluid, tmp_path_factory.mktemp("refluids_loaded_by_paddle"))
    run_paddle("load", folder)
    return folder


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_program_under_refluid_goes_on_from_paddles_files(
    saved_by_paddle, loaded_by_refluid, name
):
    loaded = described(loaded_by_refluid / f"{name}.loaded.json")
    saved = described(saved_by_paddle / f"{name}.saved.json")
    assert values(loaded["params"]) == values(saved["params"])
    assert values(loaded["opt"]) == values(saved["opt"])
    following = described(loaded_by_refluid / f"{name}.next.json")
    assert_close(following, described(saved_by_paddle / f"{name}.next.json"))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_program_under_paddle_goes_on_from_refluids_files(
    saved_by_refluid, refluids_loaded_by_paddle, name
):
    loaded = described(refluids_loaded_by_paddle / f"{name}.loaded.json")
    saved = described(saved_by_refluid / f"{name}.saved.json")
    assert values(loaded["params"]) == values(saved["params"])
    assert values(loaded["opt"]) == values(saved["opt"])
    following = described(refluids_loaded_by_paddle / f"{name}.next.json")
    assert_close(following, described(saved_by_refluid / f"{name}.next.json"))
