"""Paddle's flags: settings of its engine that programs read and write by name.

Two of them have a counterpart in torch, and act: `FLAGS_cudnn_deterministic` and
`FLAGS_cudnn_exhaustive_search`. All others govern what refluid does not have, such as Paddle's
memory allocator; they keep the value that a program gives them, and nothing follows from it. As in
Paddle, a flag begins with the value of the environment variable of its name.
May import: torch, refluid.env, refluid.errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from refluid import env
from refluid.errors import RefluidError

__all__ = ["Flag", "get_flags", "set_flags"]

Flag = bool | int | float | str

# the public flags of Paddle 1.8.5, with the values they begin with
_values: dict[str, Flag] = {
    "FLAGS_allocator_strategy": "auto_growth",
    "FLAGS_benchmark": False,
    "FLAGS_check_nan_inf": False,
    "FLAGS_cpu_deterministic": False,
    "FLAGS_eager_delete_tensor_gb": 0.0,
    "FLAGS_enable_parallel_graph": False,
    "FLAGS_enable_rpc_profiler": False,
    "FLAGS_fraction_of_cpu_memory_to_use": 1.0,
    "FLAGS_fuse_parameter_groups_size": 1,
    "FLAGS_fuse_parameter_memory_size": -1.0,
    "FLAGS_init_allocated_mem": False,
    "FLAGS_initial_cpu_memory_in_mb": 500,
    "FLAGS_inner_op_parallelism": 0,
    "FLAGS_memory_fraction_of_eager_deletion": 1.0,
    "FLAGS_multiple_of_cupti_buffer_size": 1,
    "FLAGS_paddle_num_threads": 1,
    "FLAGS_pe_profile_fname": "",
    "FLAGS_print_sub_graph_dir": "",
    "FLAGS_reader_queue_speed_test_mode": False,
    "FLAGS_tracer_profile_fname": "xxgperf",
    "FLAGS_use_pinned_memory": True,
    "FLAGS_use_system_allocator": False,
    # only Paddle for GPUs has these; here they are known everywhere, for programs moved to a CPU
    "FLAGS_conv_workspace_size_limit": 512,
    "FLAGS_cudnn_batchnorm_spatial_persistent": False,
    "FLAGS_cudnn_deterministic": False,
    "FLAGS_cudnn_exhaustive_search": False,
    "FLAGS_enable_cublas_tensor_op_math": False,
    "FLAGS_fraction_of_gpu_memory_to_use": 0.92,
    "FLAGS_gpu_allocator_retry_time": 10000,
    "FLAGS_gpu_memory_limit_mb": 0,
    "FLAGS_initial_gpu_memory_in_mb": 0,
    "FLAGS_local_exe_sub_scope_limit": 256.0,
    "FLAGS_reallocate_gpu_memory_in_mb": 0,
    "FLAGS_selected_gpus": "",
    "FLAGS_sync_nccl_allreduce": True,
}
_WORDS = {
    **dict.fromkeys(("1", "t", "true", "y", "yes"), True),
    **dict.fromkeys(("0", "f", "false", "n", "no"), False),
}
_TORCH = {
    "FLAGS_cudnn_deterministic": "deterministic",
    "FLAGS_cudnn_exhaustive_search": "benchmark",
}


def set_flags(flags: Mapping[str, Flag]) -> None:
    """Set flags by name, all of them or none.

    Same as Paddle 1.8, where most of them act only on what it does itself; here
    `FLAGS_cudnn_deterministic` and `FLAGS_cudnn_exhaustive_search` act, on torch's cuDNN.

    Args:
        flags: their values; a flag keeps its type.

    Raises:
        TypeError: `flags` is no dict, or a value is of another type than the flag.
        ValueError: Paddle 1.8 has no such public flag.
    """
    if not isinstance(flags, dict):
        raise TypeError(f"`flags` must be a dict, but received {type(flags).__name__}.")
    new = {name: _of_type(_known(name), name, value) for name, value in flags.items()}
    _values.update(new)
    for name, attribute in _TORCH.items():
        if name in new:
            setattr(torch.backends.cudnn, attribute, new[name])


def get_flags(flags: str | Sequence[str]) -> dict[str, Flag]:
    """Return the values of one flag or of several, by name. Same as Paddle 1.8.

    Raises:
        TypeError: `flags` is neither a str nor a list or tuple.
        ValueError: Paddle 1.8 has no such public flag.
    """
    if isinstance(flags, str):
        flags = [flags]
    elif not isinstance(flags, (list, tuple)):
        raise TypeError(
            f"`flags` must be a str, or a list or tuple of them, but received "
            f"{type(flags).__name__}."
        )
    return {name: _known(name) for name in flags}


def _known(name: object) -> Flag:
    """Return the value of a flag."""
    if not (isinstance(name, str) and name in _values):
        raise ValueError(
            f"`flags`: Paddle 1.8 has no public flag {name!r}; the names begin with FLAGS_, as in "
            "FLAGS_cudnn_deterministic."
        )
    if name in _TORCH:
        return bool(getattr(torch.backends.cudnn, _TORCH[name]))
    return _values[name]


def _of_type(before: Flag, name: str, value: object) -> Flag:
    """Return `value` as a flag's own type."""
    if isinstance(before, bool) and isinstance(value, (bool, int)):
        return bool(value)
    if isinstance(before, float) and isinstance(value, (int, float)):
        return float(value)
    if not isinstance(value, type(before)):
        raise TypeError(
            f"`flags`: {name} must be of type {type(before).__name__}, but received {value!r}."
        )
    return value


def _read_environment() -> None:
    """Set the flags that are environment variables."""
    texts = {name: env.flag(name) for name in _values}
    set_flags({name: _parsed(name, text) for name, text in texts.items() if text is not None})


def _parsed(name: str, text: str) -> Flag:
    """Return the text of a flag as its own type."""
    kind = type(_values[name])
    try:
        return _WORDS[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise RefluidError(
            f"the environment variable {name} must be of type {kind.__name__}, but is {text!r}: "
            "correct it, or unset it."
        ) from None


_read_environment()
