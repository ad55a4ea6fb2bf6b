"""Fixtures of the document tests: where the documents are, and data files to run them on."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from documents import SHARED


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the source documents and MNIST, or a skip that says what is missing."""
    for name in ("seeds", "mnist", "golden"):
        if not (SHARED / name).is_dir():
            pytest.skip(f"the source documents are not here: {SHARED / name} does not exist")
    return SHARED


# what the course's file has for each pixel
_PIXELS = [str(value / 256) for value in range(256)]


def _part(mnist: Path, name: str, first: int, num: int) -> str:
    """Return images and labels of two IDX files as the course's file has them."""
    images = gzip.decompress((mnist / f"{name}-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((mnist / f"{name}-labels-idx1-ubyte.gz").read_bytes())[8:]
    starts = range(784 * first, 784 * (first + num), 784)
    rows = (",".join([_PIXELS[value] for value in images[k : k + 784]]) for k in starts)
    return f"[[[{'],['.join(rows)}]],{list(labels[first : first + num])}]"


def _make_data(shared: Path, path: Path, num_train: int) -> Path:
    mnist = shared / "mnist"
    sets = [("train", 0, num_train), ("train", 50_000, 200), ("t10k", 0, 200)]
    text = ",".join(_part(mnist, *each) for each in sets)
    path.write_bytes(gzip.compress(f"[{text}]".encode(), 1))
    return path


@pytest.fixture(scope="session")
def small_data(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course's data file with its first 1,000 training images: ten steps an epoch."""
    return _make_data(shared, tmp_path_factory.mktemp("small") / "mnist.json.gz", 1000)


@pytest.fixture(scope="session")
def data_of_100_steps(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course's data file with its first 10,000 training images."""
    return _make_data(shared, tmp_path_factory.mktemp("large") / "mnist.json.gz", 10_000)
