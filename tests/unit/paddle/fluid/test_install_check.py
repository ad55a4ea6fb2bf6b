"""`fluid.install_check.run_check()`."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx import CPUPlace, get_cuda_device_count
from refluid.paddle.fluid.framework import in_dygraph_mode
from refluid.paddle.fluid.install_check import _compare, run_check


def test_check_says_that_training_works(capsys: pytest.CaptureFixture[str]) -> None:
    run_check()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Running Verify Fluid Program ... "
    assert lines[1] == "Your Paddle Fluid works well on SINGLE GPU or CPU."
    assert ("MUTIPLE" in lines[2]) == (get_cuda_device_count() > 1)
    assert lines[-1].startswith("Your Paddle Fluid is installed successfully!")
    assert not in_dygraph_mode()


def test_wrong_results_are_found() -> None:
    _compare(CPUPlace(), np.array([[0.06] * 3, [0.04] * 3], "float32"))
    with pytest.raises(RuntimeError, match="CPUPlace: one step of training gave the weights"):
        _compare(CPUPlace(), np.full((2, 3), 0.1, "float32"))
