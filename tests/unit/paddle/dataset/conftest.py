"""A cache folder of its own for each test, and archives to put into it."""

from __future__ import annotations

import hashlib
import io
import tarfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest

from refluid.paddle.dataset import common

Members = Iterable[tuple[str, bytes]]


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty folder in the place of Paddle's cache; without a network."""
    folder = tmp_path / "home"
    monkeypatch.setattr(common, "DATA_HOME", str(folder))
    # it is made once in a process, with the proxies of that moment
    monkeypatch.setattr(urllib.request, "_opener", None)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    return folder


@pytest.fixture
def put(home, monkeypatch) -> Callable[..., Path]:
    """Write a file into the cache folder, and make its checksum the expected one."""

    def write(module: ModuleType, md5: str, path: str, data: bytes) -> Path:
        target = home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        monkeypatch.setattr(module, md5, hashlib.md5(data).hexdigest())
        return target

    return write


@pytest.fixture
def tar_of() -> Callable[..., bytes]:
    """Make a tar archive, by default gzipped, of named files."""

    def make(members: Members, mode: str = "w:gz") -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as tar:  # type: ignore[call-overload]
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return out.getvalue()

    return make


@pytest.fixture
def zip_of() -> Callable[[Members], bytes]:
    """Make a zip archive of named files."""

    def make(members: Members) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as package:
            for name, data in members:
                package.writestr(name, data)
        return out.getvalue()

    return make
