"""Name what around a program can change the bits of its results.

Two runs whose fingerprints are equal are expected to compute the same; what a difference does is
not known here, so it is only named.
May import: torch, numpy, refluid.env.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from refluid import env

__all__ = ["differences", "fingerprint"]

_ABSENT = "not set"


def fingerprint() -> dict[str, str]:
    """Return what can change results, by name; CUDA's part only once CUDA is in use."""
    # the parent package is loaded before this module, but lies above it
    refluid = sys.modules[__name__.partition(".")[0]]
    return {
        "refluid": str(refluid.__version__),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_model(),
        "cpu capability": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
        "deterministic": _deterministic(),
        "default dtype": str(torch.get_default_dtype()),
        "subnormals": "flushed" if _flushes_subnormals() else "kept",
        "mkldnn": str(torch.backends.mkldnn.enabled),
        **_precisions(),
        **_cuda(),
        "world size": str(_world_size()),
        **env.numeric_variables(),
    }


def differences(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return a line for everything that two fingerprints do not share.

    Args:
        before: a fingerprint that was stored.
        now: one of this process.

    Returns:
        Lines such as "torch: 2.12.0 before, 2.13.0 now", empty if the two are equal.
    """
    names = dict.fromkeys([*now, *before])
    return [
        f"{name}: {before.get(name, _ABSENT)} before, {now.get(name, _ABSENT)} now"
        for name in names
        if before.get(name) != now.get(name)
    ]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _deterministic() -> str:
    if not torch.are_deterministic_algorithms_enabled():
        return "off"
    return "warn only" if torch.is_deterministic_algorithms_warn_only_enabled() else "on"


def _flushes_subnormals() -> bool:
    # torch can set this mode but not tell it
    return bool((torch.tensor(2.0**-1060, dtype=torch.float64) * 2).item() == 0)


def _precisions() -> dict[str, str]:
    """Return how exactly float32 is multiplied, by what torch says it in this version."""
    backends: Any = torch.backends
    places = {
        "cuda matmul": backends.cuda.matmul,
        "cudnn conv": getattr(backends.cudnn, "conv", None),
        "cudnn rnn": getattr(backends.cudnn, "rnn", None),
        "mkldnn matmul": getattr(backends.mkldnn, "matmul", None),
        "mkldnn conv": getattr(backends.mkldnn, "conv", None),
        "mkldnn rnn": getattr(backends.mkldnn, "rnn", None),
    }
    if hasattr(backends.mkldnn, "matmul"):
        # torch refuses to tell the older settings below where a program has used these
        return {f"float32 in {name}": place.fp32_precision for name, place in places.items()}
    return {
        "float32 in matmul": torch.get_float32_matmul_precision(),
        "tf32 in cuda matmul": str(backends.cuda.matmul.allow_tf32),
        "tf32 in cudnn": str(backends.cudnn.allow_tf32),
    }


def _cuda() -> dict[str, str]:
    # asking for devices would start CUDA, in programs that do not use it too
    if not torch.cuda.is_initialized():
        return {}
    names = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    return {
        "cuda": str(torch.version.cuda),
        "cuda devices": ", ".join(names),
        "cudnn": str(torch.backends.cudnn.version()),
        "cudnn enabled": str(torch.backends.cudnn.enabled),
        "cudnn benchmark": str(torch.backends.cudnn.benchmark),
        "cudnn deterministic": str(torch.backends.cudnn.deterministic),
    }


def _world_size() -> int:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_world_size()
    return env.num_trainers()
