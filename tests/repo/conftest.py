"""The source tree, parsed once."""

from __future__ import annotations

import pytest

from source_tree import Tree


@pytest.fixture(scope="session")
def tree() -> Tree:
    return Tree()
