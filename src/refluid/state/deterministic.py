"""Have torch compute the same bits each time, at some cost in speed.

On the CPU next to nothing changes. On CUDA, operations without a deterministic implementation raise
an error that names them, cuDNN chooses its algorithms without measuring, and cuBLAS keeps to one
workspace. `docs/exactness.md` has the cost.
May import: torch, refluid.env.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.utils.deterministic
from torch.backends import cudnn

from refluid import env

__all__ = ["deterministic"]

_memory: Any = torch.utils.deterministic  # its attribute is not declared
_WORKSPACE = ":4096:8"  # the larger of the two that cuBLAS documents as deterministic


@contextlib.contextmanager
def deterministic() -> Iterator[None]:
    """Have torch use deterministic algorithms only, and put its settings back afterwards.

    cuBLAS reads its setting when it is first used: enter this before the first step on CUDA.

    Raises:
        RuntimeError: within the block, by torch, if an operation has no such algorithm.
    """
    was_on = torch.are_deterministic_algorithms_enabled()
    warned_only = torch.is_deterministic_algorithms_warn_only_enabled()
    filled = _memory.fill_uninitialized_memory
    cudnn_before = cudnn.deterministic, cudnn.benchmark
    with env.cublas_workspace(_WORKSPACE):
        torch.use_deterministic_algorithms(True)
        # filling all new memory with NaN finds programs that read it, and costs time in all others
        _memory.fill_uninitialized_memory = False
        cudnn.deterministic, cudnn.benchmark = True, False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(was_on, warn_only=warned_only)
            _memory.fill_uninitialized_memory = filled
            cudnn.deterministic, cudnn.benchmark = cudnn_before
