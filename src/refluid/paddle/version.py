"""The version of Paddle whose behaviour this package follows.

refluid's own version is `refluid.__version__`. May import: torch.
"""

from __future__ import annotations

import sys

import torch

__all__ = ["mkl", "show"]

full_version = "1.8.5"
major = "1"
minor = "8"
patch = "5"
rc = "0"
istaged = True
commit = "8e1712a71057e3ca06a2927ceec51c18cb171fdc"
with_mkl = "ON" if torch.backends.mkl.is_available() else "OFF"


def show() -> None:
    """Print the version and its parts on standard output. Same as Paddle 1.8."""
    for name in ("full_version", "major", "minor", "patch", "rc"):
        sys.stdout.write(f"{name}: {globals()[name]}\n")


def mkl() -> str:
    """Return "ON" if torch computes with Intel's MKL, else "OFF"."""
    return with_mkl
