"""What holds for every test: no settings of the developer, numbers drawn anew, and its turn."""

from __future__ import annotations

import os
import random
import sys
from collections import Counter

import numpy as np
import pytest

for _name in [name for name in os.environ if name.startswith(("REFLUID_", "PADDLE_", "FLAGS_"))]:
    del os.environ[_name]
for _name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
    os.environ.pop(_name, None)
# no test opens a window, nor does a program that it starts
os.environ["MPLBACKEND"] = "Agg"
# each of hundreds of processes would compile what it imports, which takes longer than many tests
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests, so that none of them is still at it in the end."""
    num_slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -num_slow[item.path])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Draw the same numbers in a test, and in what is made for it, in whatever order tests run."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
