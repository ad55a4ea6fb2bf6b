"""Every test has the same initial weights each time: some units must be dead and no others."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(1)
