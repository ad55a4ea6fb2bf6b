"""The engine under `paddle.fluid`, in place of Paddle's C++ extension of the same name.

variable.py  VarBase, a torch.Tensor      operator.py  the one door for operators
tracer.py    modes and the backward pass  ops/         operators that carry weights
program.py   empty programs and blocks    flag.py      Paddle's flags
arithmetic.py, array.py, complex.py, dtype.py, error.py, layer.py, parameter.py, place.py,
random.py, strategy.py, text.py: what their names say.

May import: torch, numpy, refluid.env, refluid.errors; nothing of Paddle's public API.
"""

from __future__ import annotations

import torch

from refluid import env
from refluid.paddle.fluid.core_avx.dtype import VarDesc
from refluid.paddle.fluid.core_avx.error import EnforceNotMet, EOFException
from refluid.paddle.fluid.core_avx.layer import Layer
from refluid.paddle.fluid.core_avx.lod_tensor import LoDTensor, LoDTensorArray
from refluid.paddle.fluid.core_avx.place import CPUPlace, CUDAPinnedPlace, CUDAPlace, Place
from refluid.paddle.fluid.core_avx.strategy import BackwardStrategy, ParallelStrategy
from refluid.paddle.fluid.core_avx.tracer import Tracer
from refluid.paddle.fluid.core_avx.variable import VarBase

__all__ = [
    "BackwardStrategy",
    "CPUPlace",
    "CUDAPinnedPlace",
    "CUDAPlace",
    "EOFException",
    "EnforceNotMet",
    "Layer",
    "LoDTensor",
    "LoDTensorArray",
    "ParallelStrategy",
    "Place",
    "Tracer",
    "VarBase",
    "VarDesc",
    "get_cuda_device_count",
    "is_compiled_with_brpc",
    "is_compiled_with_cuda",
    "is_compiled_with_dist",
    "is_compiled_with_mkldnn",
    "set_num_threads",
]


def is_compiled_with_cuda() -> bool:
    """Return whether there is a GPU to run on: False under `--device cpu`."""
    return env.forced_device() != "cpu" and torch.cuda.is_available()


def get_cuda_device_count() -> int:
    """Return the number of GPUs a program may use: 0 under `--device cpu`."""
    return torch.cuda.device_count() if is_compiled_with_cuda() else 0


def is_compiled_with_mkldnn() -> bool:
    """Return whether operators on the CPU may use oneDNN, which was called MKL-DNN."""
    return torch.backends.mkldnn.is_available()


def is_compiled_with_dist() -> bool:
    """Return whether several processes can train together."""
    return torch.distributed.is_available()


def is_compiled_with_brpc() -> bool:
    """Return False: refluid has no brpc, a library of Paddle's parameter servers."""
    return False


def set_num_threads(arg0: int) -> None:
    """Let operators on the CPU use `arg0` threads."""
    torch.set_num_threads(arg0)
