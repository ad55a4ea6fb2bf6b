"""Fixtures of the document tests: where the documents are, and data files to run them on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from documents import SHARED


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the source documents and MNIST, or a skip that says what is missing."""
    for name in ("seeds", "mnist", "tools", "golden"):
        if not (SHARED / name).is_dir():
            pytest.skip(f"the source documents are not here: {SHARED / name} does not exist")
    return SHARED


def _make_data(shared: Path, path: Path, train: int) -> Path:
    command = [sys.executable, shared / "tools" / "make_mnist_json.py", shared / "mnist", path]
    sizes = ["--train", str(train), "--valid", "200", "--test", "200"]
    subprocess.run([*map(str, command), *sizes], check=True, timeout=120)
    return path


@pytest.fixture(scope="session")
def small_data(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course's data file with its first 1,000 training images: ten steps an epoch."""
    return _make_data(shared, tmp_path_factory.mktemp("small") / "mnist.json.gz", 1000)


@pytest.fixture(scope="session")
def data_of_100_steps(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course's data file with its first 10,000 training images."""
    return _make_data(shared, tmp_path_factory.mktemp("large") / "mnist.json.gz", 10_000)
