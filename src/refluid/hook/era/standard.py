"""What stands in for names that Python's own library had until 2020.

May import: nothing of refluid.
"""

from __future__ import annotations

import html
import importlib.machinery
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from importlib import reload
from types import ModuleType
from typing import IO, Any, NamedTuple

__all__ = [
    "ArgSpec",
    "gcd",
    "getargspec",
    "getchildren",
    "getiterator",
    "isAlive",
    "load_source",
    "new_module",
    "reload",
    "unescape",
    "what",
]


class ArgSpec(NamedTuple):
    """The parameters of a function, as `inspect.getargspec` told them."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[object, ...] | None


def getargspec(func: Callable[..., object]) -> ArgSpec:
    """Return the parameters of a function.

    Raises:
        ValueError: it has annotations or parameters that can only be named, as it always did.
    """
    full = inspect.getfullargspec(func)
    if full.kwonlyargs or full.annotations:
        raise ValueError(
            "`func` has keyword-only parameters or annotations, which `inspect.getargspec` cannot "
            "tell; use `inspect.getfullargspec`."
        )
    return ArgSpec(full.args, full.varargs, full.varkw, full.defaults)


def gcd(a: int, b: int) -> int:
    """Return the greatest common divisor, with the sign of the last remainder as in 2020."""
    while b:
        a, b = b, a % b
    return a


def isAlive(thread: object) -> bool:
    """Return whether a thread runs."""
    return thread.is_alive()  # type: ignore[attr-defined]


def unescape(_: object, s: str) -> str:
    """Return text with its HTML entities replaced."""
    return html.unescape(s)


def load_source(name: str, pathname: str, file: IO[str] | None = None) -> ModuleType:
    """Run the program text at `pathname` as the module `name`, anew if it is loaded already.

    Raises:
        ImportError: the path does not end like a module's.
    """
    spec = importlib.util.spec_from_file_location(
        name, pathname, loader=importlib.machinery.SourceFileLoader(name, os.fspath(pathname))
    )
    assert spec is not None
    assert spec.loader is not None
    known = sys.modules.get(name)
    module = known or importlib.util.module_from_spec(spec)
    module.__spec__ = spec
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if known is None:
            del sys.modules[name]
        raise
    return sys.modules[name]


def new_module(name: str) -> ModuleType:
    """Return an empty module that is not registered."""
    return ModuleType(name)


# where a signature stands in a file, the signature, what `imghdr` called the kind of file
def getchildren(element: Any) -> list[Any]:
    """Return the elements right below one of XML."""
    return list(element)


def getiterator(element: Any, tag: str | None = None) -> list[Any]:
    """Return an element of XML and all below it, of a tag if one is named."""
    return list(element.iter(tag))


_SIGNATURES = (
    (6, (b"JFIF", b"Exif"), "jpeg"),
    (0, (b"\xff\xd8\xff\xdb",), "jpeg"),
    (0, (b"\x89PNG\r\n\x1a\n",), "png"),
    (0, (b"GIF87a", b"GIF89a"), "gif"),
    (0, (b"MM", b"II"), "tiff"),
    (0, (b"\x01\xda",), "rgb"),
    (0, (b"\x59\xa6\x6a\x95",), "rast"),
    (0, (b"#define ",), "xbm"),
    (0, (b"BM",), "bmp"),
    (0, (b"\x76\x2f\x31\x01",), "exr"),
)
_PORTABLE = {b"1": "pbm", b"4": "pbm", b"2": "pgm", b"5": "pgm", b"3": "ppm", b"6": "ppm"}


def what(file: Any, h: bytes | None = None) -> str | None:
    """Return the kind of an image file by its first bytes, None if they are no image's.

    Args:
        file: a path, or a file that is open for reading bytes, whose position is kept.
        h: the bytes themselves, in place of the file's.
    """
    head = _head(file) if h is None else h
    for start, signatures, kind in _SIGNATURES:
        if any(head.startswith(signature, start) for signature in signatures):
            return kind
    if head[:1] == b"P" and head[1:2] in _PORTABLE and head[2:3] in (b" ", b"\t", b"\n", b"\r"):
        return _PORTABLE[head[1:2]]
    return "webp" if head.startswith(b"RIFF") and head[8:12] == b"WEBP" else None


def _head(file: Any) -> bytes:
    """Return the first bytes of a path or an open file."""
    if isinstance(file, str | os.PathLike):
        with open(file, "rb") as opened:
            return opened.read(32)
    position = file.tell()
    head: bytes = file.read(32)
    file.seek(position)
    return head
