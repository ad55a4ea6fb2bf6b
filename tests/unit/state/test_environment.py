"""The fingerprint names what can change the bits of results."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import refluid
from refluid.state.deterministic import deterministic
from refluid.state.environment import differences, fingerprint


def changed_by(change, undo):
    before = fingerprint()
    change()
    try:
        return differences(before, fingerprint())
    finally:
        undo()


def test_a_fingerprint_is_text_by_name_and_does_not_change_by_itself():
    got = fingerprint()
    assert got == fingerprint()
    assert differences(got, fingerprint()) == []
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in got.items())
    assert json.loads(json.dumps(got)) == got
    assert got["torch"] == torch.__version__
    assert got["numpy"] == np.__version__
    assert got["refluid"] == refluid.__version__
    assert got["threads"] == str(torch.get_num_threads())


def test_a_difference_is_a_line_with_both_values():
    before = {"torch": "2.12.0", "threads": "2", "old": "x", "cpu": "a"}
    now = {"torch": "2.13.0", "threads": "2", "cpu": "a", "new": "y"}
    assert differences(before, now) == [
        "torch: 2.12.0 before, 2.13.0 now",
        "new: not set before, y now",
        "old: x before, not set now",
    ]


@pytest.mark.parametrize(
    ("setter", "values", "line"),
    [
        (torch.set_num_threads, (1, 2), "threads: 2 before, 1 now"),
        (torch.set_default_dtype, (torch.float64, torch.float32), "default dtype: torch.float32"),
        (torch.use_deterministic_algorithms, (True, False), "deterministic: off before, on now"),
        (torch.set_flush_denormal, (True, False), "subnormals: kept before, flushed now"),
    ],
    ids=["threads", "dtype", "deterministic", "subnormals"],
)
def test_a_changed_setting_is_named(setter, values, line):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        (got,) = changed_by(lambda: setter(values[0]), lambda: setter(values[1]))
    finally:
        torch.set_num_threads(before)
    assert got.startswith(line)


CHANGES = {
    "torch.set_float32_matmul_precision('medium')": "matmul",
    "torch.backends.mkldnn.enabled = False": "mkldnn: True before, False now",
    "torch.backends.cudnn.allow_tf32 = False": "cudnn",
    "torch.backends.cuda.matmul.allow_tf32 = False": "cuda matmul",
    "os.environ['MKL_CBWR'] = 'COMPATIBLE'": "MKL_CBWR: not set before, COMPATIBLE now",
    "os.environ['PADDLE_TRAINERS_NUM'] = '4'": "world size: 1 before, 4 now",
}
if hasattr(torch.backends.mkldnn, "matmul"):
    # torch then refuses to tell the older settings
    CHANGES["torch.backends.mkldnn.matmul.fp32_precision = 'ieee'"] = "mkldnn matmul"
PROGRAM = """
import json, os, sys, torch
from refluid.state.environment import differences, fingerprint
found = {}
for change in json.loads(sys.argv[1]):
    before = fingerprint()
    exec(change)
    found[change] = differences(before, fingerprint())
print(json.dumps(found))
assert not torch.cuda.is_initialized()
"""


def test_settings_that_cannot_be_put_back_are_named():
    command = [sys.executable, "-W", "error", "-c", PROGRAM, json.dumps(list(CHANGES))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [k for k, part in CHANGES.items() if not any(part in line for line in found[k])] == []


def test_deterministic_mode_is_named():
    before = fingerprint()
    with deterministic():
        assert "deterministic: off before, on now" in differences(before, fingerprint())
