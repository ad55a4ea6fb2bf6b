"""The source documents' programs run unmodified and do what the documents say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from numpy import float32

import documents

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
FOLDER = Path(__file__).parent
PRINTED = re.compile(r"epoch: (\d+), batch: (\d+), loss is: \[(\S+)\], acc is \[(\S+)\]")


def run(program: str, folder: Path, data: Path, *record: str) -> str:
    """Run a program in `folder` under refluid and return what it printed.

    With `record`, a file name and perhaps a number of steps, the bits of each step's loss are
    written to that file as well.
    """
    script = folder / "program.py"
    script.write_text(program, encoding="utf-8")
    (folder / "work").mkdir(exist_ok=True)
    if not (folder / "work" / "mnist.json.gz").exists():
        shutil.copy(data, folder / "work" / "mnist.json.gz")
    command = [sys.executable, "-m", "refluid"]
    command += [str(FOLDER / "record_losses.py")] if record else []
    command += [str(script), *record]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return done.stdout


def losses_of(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text().split()


def test_training_with_accuracy_learns(shared, small_data, tmp_path):
    printed = PRINTED.findall(run(documents.training_with_accuracy(), tmp_path, small_data))
    assert [(int(e), int(b)) for e, b, _, _ in printed] == [(e, 0) for e in range(5)]
    assert float(printed[-1][3]) > float(printed[0][3]) + 0.4
    for epoch in range(5):
        assert (tmp_path / "checkpoint" / f"mnist_epoch{epoch}.pdparams").is_file()
        assert (tmp_path / "checkpoint" / f"mnist_epoch{epoch}.pdopt").is_file()


def test_shapes_and_contents_of_layers_are_printed(shared, small_data, tmp_path):
    printed = run(documents.looking_into_layers(), tmp_path, small_data)
    for line in (
        "conv1-- kernel_size:[20, 1, 5, 5], padding:[2, 2], stride:[1, 1]",
        "conv2-- kernel_size:[20, 20, 5, 5], padding:[2, 2], stride:[1, 1]",
        "pool1-- pool_type:max, pool_size:[2, 2], pool_stride:[2, 2]",
        "fc-- weight_size:[980, 10], bias_size_[10], activation:softmax",
        "inputs_shape: [100, 1, 28, 28]",
        "outputs1_shape: [100, 20, 28, 28]",
        "outputs2_shape: [100, 20, 14, 14]",
        "outputs3_shape: [100, 20, 14, 14]",
        "outputs4_shape: [100, 20, 7, 7]",
        "outputs5_shape: [100, 10]",
    ):
        assert line in printed.splitlines()
    assert re.search(r"conv1 params -- kernel weights: name tmp_\d+, dtype: VarType.FP32", printed)
    assert re.search(r"The \d+th channel of conv1 layer:  name tmp_\d+", printed)
    assert printed.count("\tlayout: NCHW") == 5


def test_matplotlib_listing_collects_losses(shared, small_data, tmp_path):
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    printed = PRINTED.findall(run(documents.plotting(), tmp_path, small_data))
    assert len(printed) == 10
    assert float(printed[-1][2]) < float(printed[0][2])
    assert (tmp_path / "mnist.pdparams").is_file()


def test_visualdl_listing_writes_what_visualdl_reads(shared, small_data, tmp_path):
    printed = PRINTED.findall(run(documents.logging_for_visualdl(), tmp_path, small_data))
    (path,) = (tmp_path / "log").iterdir()
    assert re.fullmatch(r"vdlrecords\.\d{10}\.log", path.name)
    if find_spec("visualdl") is None:
        pytest.skip("VisualDL is not installed: what it reads of our file is not tested.")
    reading = """
import json, sys
from visualdl import LogReader
data = LogReader(file_path=sys.argv[1])
points = {tag: [(p.id, p.value) for p in data.get_data("scalar", tag)] for tag in ("acc", "loss")}
print(json.dumps([data.get_tags()["scalar"], points]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", reading, str(path)],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    tags, points = json.loads(done.stdout)
    assert tags == ["acc", "loss"]
    for tag, column in (("acc", 3), ("loss", 2)):
        assert [step for step, _ in points[tag]] == list(range(0, 1000, 100))
        # NumPy prints as many digits as tell a float32 from all others
        assert [float32(value) for _, value in points[tag]] == [
            float32(line[column]) for line in printed
        ]


def test_l2_regularization_keeps_weights_small(shared, small_data, tmp_path):
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    end = "\n    print('norm', float(fluid.layers.reduce_sum(model.fc.weight * model.fc.weight)))\n"
    printed = run(documents.regularization() + end, tmp_path, small_data)
    # Xavier starts 9800 weights from [-l, l] with l^2 = 6 / 990: the squares add up to about 19.8
    assert float(printed.split("norm ")[1]) < 19.8 / 3


def test_resumed_training_repeats_every_bit(shared, small_data, tmp_path):
    whole = run(documents.resumable_training(), tmp_path, small_data, "whole.txt")
    again = run(documents.resumed_training(), tmp_path, small_data, "again.txt")
    expected = losses_of(tmp_path, "whole.txt")
    assert len(expected) == 50
    assert len(set(expected)) == 50  # a dead network would look exact too
    assert losses_of(tmp_path, "again.txt") == expected[10:]
    assert PRINTED.findall(again) == PRINTED.findall(whole)[1:]


def test_training_goes_on_from_paddles_own_checkpoint(shared, data_of_100_steps, tmp_path):
    """Paddle 1.8.5 trained epoch 0 and recorded its losses of epoch 1: they agree to 1e-6."""
    (tmp_path / "checkpoint").mkdir()
    for suffix in (".pdparams", ".pdopt"):
        shutil.copy(shared / "golden" / f"mnist_epoch0{suffix}", tmp_path / "checkpoint")
    recorded = (shared / "golden" / "mnist_epoch1_losses.txt").read_text().splitlines()
    paddle = [float(line.split()[1]) for line in recorded if not line.startswith("#")]
    run(documents.resumed_training(), tmp_path, data_of_100_steps, "losses.txt", "100")
    ours = [float.fromhex(text) for text in losses_of(tmp_path, "losses.txt")]
    assert len(ours) == 100
    worst = max(abs(a - b) for a, b in zip(ours, paddle, strict=False))
    assert worst < 1e-6
