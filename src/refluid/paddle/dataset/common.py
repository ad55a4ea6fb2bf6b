"""Where data sets are kept, and how they come there.

A file is downloaded beside its place, checked, and then renamed, so that what is in the folder is
whole. Nothing is downloaded that is already there with the right checksum.
May import: refluid.env, refluid.errors.
"""

from __future__ import annotations

import glob
import gzip
import hashlib
import http.client
import os
import pickle
import shutil
import sys
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from refluid import env
from refluid.errors import DataError

__all__ = ["DATA_HOME", "cluster_files_reader", "download", "md5file", "split"]

DATA_HOME = str(env.data_home())

# MD5 of a gzipped file: MD5 of what is in it. The same data packed by another program, or on
# another day, are as good, and that is how copies of well-known data sets go around.
CONTENT_MD5: dict[str, str] = {}

_ATTEMPTS = 3
_TIMEOUT_S = 30.0


def must_mkdirs(path: str) -> None:
    """Make a folder and those above it, unless they are there."""
    os.makedirs(path, exist_ok=True)


def md5file(fname: str) -> str:
    """Return the MD5 checksum of a file, in hexadecimal. Same as Paddle 1.8."""
    with open(fname, "rb") as file:
        return _md5(file)


def _md5(file: IO[bytes] | gzip.GzipFile) -> str:
    checksum = hashlib.md5(usedforsecurity=False)
    while block := file.read(1 << 20):
        checksum.update(block)
    return checksum.hexdigest()


def download(url: str, module_name: str, md5sum: str, save_name: str | None = None) -> str:
    """Return the path of a file of a data set; download it if it is not there.

    Differs from Paddle: nothing is written before its checksum is right, a file that holds the same
    in another gzip wrapping will do where `CONTENT_MD5` knows it, and the error says where the file
    was expected.

    Args:
        url: where it is on the network.
        module_name: the folder in `DATA_HOME` to keep it in.
        md5sum: its checksum.
        save_name: its name there; by default the last part of `url`.

    Raises:
        DataError: it is not there, or is another file, and cannot be downloaded.

    Effects:
        May write the file; says so on standard error.
    """
    path = os.path.join(DATA_HOME, module_name, save_name or url.split("/")[-1])
    found = md5file(path) if os.path.isfile(path) else None
    if found == md5sum or (found and _holds(path, CONTENT_MD5.get(md5sum))):
        return path
    trouble = "it is not there"
    if found is not None:
        trouble = f"the file there has MD5 {found} instead of {md5sum}"
    sys.stderr.write(f"Cache file {path}: {trouble}; downloading {url}\n")
    try:
        _fetch(url, path, md5sum)
    except (OSError, http.client.HTTPException, _WrongContent) as error:
        reason = str(error) or type(error).__name__
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is the server's answer too, and holds the connection
        raise DataError(
            f"data set {module_name!r}: expected {path} (MD5 {md5sum}), but {trouble}, and "
            f"downloading {url} failed: {reason}. Put the file there, or set {env.DATA} to a "
            f"folder that has it as {module_name}/{os.path.basename(path)}."
        ) from None
    return path


def _holds(path: str, content_md5: str | None) -> bool:
    if content_md5 is None:
        return False
    try:
        with gzip.open(path) as file:
            return _md5(file) == content_md5
    except (OSError, EOFError, zlib.error):
        return False


class _WrongContent(Exception):
    """What was downloaded has another checksum."""


def _fetch(url: str, path: str, md5sum: str) -> None:
    must_mkdirs(os.path.dirname(path))
    part = f"{path}.part-{os.getpid()}"
    found = ""
    try:
        for _ in range(_ATTEMPTS):
            with (
                urllib.request.urlopen(url, timeout=_TIMEOUT_S) as source,
                open(part, "wb") as file,
            ):
                shutil.copyfileobj(source, file)
            found = md5file(part)
            if found == md5sum:
                os.replace(part, path)
                return
        raise _WrongContent(f"{_ATTEMPTS} times its MD5 was another, at last {found}")
    finally:
        if os.path.exists(part):
            os.remove(part)


def fetch_all() -> None:
    """Download every data set that can be."""
    package = sys.modules[__package__ or "refluid.paddle.dataset"]
    for module in list(vars(package).values()):
        if hasattr(module, "fetch"):
            module.fetch()


def split(
    reader: Callable[[], Iterable[Any]],
    line_count: int,
    suffix: str = "%05d.pickle",
    dumper: Callable[[list[Any], IO[Any]], object] = pickle.dump,
) -> None:
    """Write the samples of a reader to files of `line_count` samples each.

    Differs from Paddle: the first file has `line_count` samples too, not one more, and the default
    `dumper` works (in Paddle its file is opened for text).

    Args:
        reader: gives the samples.
        line_count: how many go into each file.
        suffix: path of the files, with a place for their number.
        dumper: called with a list of samples and a file: of bytes for `pickle.dump`, else of text.

    Raises:
        TypeError: `dumper` cannot be called.
        ValueError: `line_count` is less than 1.
    """
    if not callable(dumper):
        raise TypeError(f"`dumper` should be callable, but received {type(dumper).__name__}.")
    if line_count < 1:
        raise ValueError(f"`line_count` must be at least 1, but received {line_count!r}.")
    lines: list[Any] = []
    number = 0
    for line in reader():
        lines.append(line)
        if len(lines) == line_count:
            _dump(lines, suffix % number, dumper)
            lines = []
            number += 1
    if lines:
        _dump(lines, suffix % number, dumper)


def _dump(lines: list[Any], path: str, dumper: Callable[[list[Any], IO[Any]], object]) -> None:
    with open(path, "wb" if dumper is pickle.dump else "w") as file:
        dumper(lines, file)


def cluster_files_reader(
    files_pattern: str,
    trainer_count: int,
    trainer_id: int,
    loader: Callable[[IO[Any]], Iterable[Any]] = pickle.load,
) -> Callable[[], Iterator[Any]]:
    """Make a reader of this process's share of files that `split` wrote.

    Differs from Paddle: the default `loader` works (in Paddle its file is opened for text).

    Args:
        files_pattern: pattern of their paths; they are dealt in sorted order.
        trainer_count: how many processes share them.
        trainer_id: which of them this is, from 0.
        loader: called with a file: of bytes for `pickle.load`, else of text. Unpickling runs
            code, so read only files that you wrote.

    Raises:
        TypeError: (while reading) `loader` cannot be called.
    """

    def reader() -> Iterator[Any]:
        if not callable(loader):
            raise TypeError(f"`loader` should be callable, but received {type(loader).__name__}.")
        mode = "rb" if loader is pickle.load else "r"
        for path in sorted(glob.glob(files_pattern))[trainer_id::trainer_count]:
            with open(path, mode) as file:
                yield from loader(file)

    return reader
