"""Paddle's flags."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from refluid.paddle.fluid.core_avx import flag
from refluid.paddle.fluid.core_avx.flag import get_flags, set_flags


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    names = list(flag._values)
    before = get_flags(names)
    yield
    set_flags(before)


def test_flags_begin_with_paddles_values() -> None:
    names = ["FLAGS_eager_delete_tensor_gb", "FLAGS_check_nan_inf"]
    assert get_flags(names) == {"FLAGS_eager_delete_tensor_gb": 0.0, "FLAGS_check_nan_inf": False}
    assert get_flags("FLAGS_allocator_strategy") == {"FLAGS_allocator_strategy": "auto_growth"}


def test_flags_keep_their_type() -> None:
    set_flags({"FLAGS_eager_delete_tensor_gb": 1, "FLAGS_check_nan_inf": 1})
    found = get_flags(("FLAGS_eager_delete_tensor_gb", "FLAGS_check_nan_inf"))
    assert [type(value) for value in found.values()] == [float, bool]
    with pytest.raises(TypeError, match="FLAGS_check_nan_inf must be of type bool"):
        set_flags({"FLAGS_benchmark": True, "FLAGS_check_nan_inf": "abc"})
    with pytest.raises(TypeError, match="FLAGS_paddle_num_threads must be of type int"):
        set_flags({"FLAGS_paddle_num_threads": 1.5})
    # one that is wrong leaves all as they were
    assert get_flags("FLAGS_benchmark") == {"FLAGS_benchmark": False}


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("FLAGS_cudnn_deterministic", "deterministic"),
        ("FLAGS_cudnn_exhaustive_search", "benchmark"),
    ],
)
def test_flags_of_cudnn_are_torchs(name: str, attribute: str) -> None:
    set_flags({name: True})
    assert getattr(torch.backends.cudnn, attribute) is True
    setattr(torch.backends.cudnn, attribute, False)
    assert get_flags(name) == {name: False}


def test_other_names_and_types_are_refused() -> None:
    for name in ("check_nan_inf", "FLAGS_use_mkldnn", 3):
        with pytest.raises(ValueError, match="has no public flag"):
            get_flags([name])
        with pytest.raises(ValueError, match="has no public flag"):
            set_flags({name: True})
    with pytest.raises(TypeError, match="`flags` must be a str, or a list"):
        get_flags(3)
    with pytest.raises(TypeError, match="`flags` must be a dict, but received list"):
        set_flags(["FLAGS_benchmark"])


READ = """
import sys
import torch
from refluid.errors import RefluidError
try:
    from refluid.paddle.fluid.core_avx.flag import get_flags
except RefluidError as error:
    print(error)
else:
    print(get_flags(sys.argv[1:]), torch.backends.cudnn.deterministic)
"""


def read_with(**variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", READ, *variables],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_flags_begin_as_the_environment_says() -> None:
    found = read_with(FLAGS_cudnn_deterministic="True", FLAGS_fraction_of_gpu_memory_to_use="0.5")
    assert found == (
        "{'FLAGS_cudnn_deterministic': True, 'FLAGS_fraction_of_gpu_memory_to_use': 0.5} True\n"
    )


def test_environment_that_fits_no_flag_is_refused() -> None:
    found = read_with(FLAGS_benchmark="perhaps")
    assert found.startswith("the environment variable FLAGS_benchmark must be of type bool")
