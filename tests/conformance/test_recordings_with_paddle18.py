"""The numbers kept in tests/parity are those that a real PaddlePaddle 1.8.5 gives today."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import paddle18

PARITY = Path(__file__).parents[1] / "parity"


@pytest.mark.timeout(300)
@pytest.mark.skipif(paddle18.interpreter() is None, reason=paddle18.MISSING)
def test_recordings_are_what_paddle_gives(tmp_path):
    command = [paddle18.interpreter(), PARITY / "cases.py", tmp_path / "now.npz"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=240)
    with np.load(PARITY / "recordings.npz") as kept, np.load(tmp_path / "now.npz") as now:
        assert sorted(now.files) == sorted(kept.files)
        for key in kept.files:
            if kept[key].dtype.kind == "U":
                assert now[key] == kept[key], key
            else:
                # another processor rounds otherwise
                np.testing.assert_allclose(now[key], kept[key], 1e-5, 1e-6, err_msg=key)
