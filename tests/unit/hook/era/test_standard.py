from __future__ import annotations

import io
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest

from refluid.hook.era import standard


def test_getargspec_tells_four_things() -> None:
    def function(a, b=1, *c, **d):  # type: ignore[no-untyped-def]
        pass

    found = standard.getargspec(function)
    assert found == (["a", "b"], "c", "d", (1,))
    assert (found.args, found.defaults) == (["a", "b"], (1,))
    assert found.keywords == "d"


def test_getargspec_refuses_what_it_cannot_tell() -> None:
    def named(a, *, b):  # type: ignore[no-untyped-def]
        pass

    def annotated(a: int) -> None:
        pass

    for function in (named, annotated):
        with pytest.raises(ValueError, match="use `inspect.getfullargspec`"):
            standard.getargspec(function)


@pytest.mark.parametrize(
    ("a", "b", "divisor"),  # of Python 3.7
    [(12, 8, 4), (8, -12, -4), (-12, 8, 4), (0, 5, 5), (5, 0, 5), (-3, 0, -3)],
)
def test_gcd_keeps_its_sign(a: int, b: int, divisor: int) -> None:
    assert standard.gcd(a, b) == divisor


def test_a_thread_tells_whether_it_lives() -> None:
    assert standard.isAlive(threading.current_thread()) is True
    assert standard.isAlive(threading.Thread()) is False


def test_entities_are_replaced() -> None:
    assert standard.unescape(None, "a&lt;b&#39;&amp;") == "a<b'&"


def test_a_source_is_loaded_again_into_the_same_module(tmp_path: Path) -> None:
    path = tmp_path / "settings.cfg"
    path.write_text("x = globals().get('x', 0) + 1")
    try:
        module = standard.load_source("era_settings", str(path))
        assert standard.load_source("era_settings", str(path)) is module
        assert (module.x, module.__file__) == (2, str(path))
        assert sys.modules["era_settings"] is module
    finally:
        sys.modules.pop("era_settings", None)


def test_a_source_that_fails_leaves_no_module(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        standard.load_source("era_failing", str(path))
    with pytest.raises(FileNotFoundError):
        standard.load_source("era_failing", str(tmp_path / "absent.py"))
    assert "era_failing" not in sys.modules


def test_a_new_module_is_not_registered() -> None:
    assert standard.new_module("era_new").__name__ == "era_new"
    assert "era_new" not in sys.modules


@pytest.mark.parametrize(
    ("head", "kind"),  # of Python 3.11
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "jpeg"),
        (b"\xff\xd8\xff\xe1\x00\x10Exif", "jpeg"),
        (b"\xff\xd8\xff\xdb", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF87a", "gif"),
        (b"GIF88a", None),
        (b"MM\0*", "tiff"),
        (b"II*\0", "tiff"),
        (b"\x01\xda", "rgb"),
        (b"P4\n", "pbm"),
        (b"P2 ", "pgm"),
        (b"P6\t", "ppm"),
        (b"P7\n", None),
        (b"P6", None),
        (b"\x59\xa6\x6a\x95", "rast"),
        (b"#define x", "xbm"),
        (b"BM", "bmp"),
        (b"RIFF\0\0\0\0WEBP", "webp"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"\x76\x2f\x31\x01", "exr"),
        (b"", None),
    ],
)
def test_the_kind_of_an_image_is_told_by_its_head(
    head: bytes, kind: str | None, tmp_path: Path
) -> None:
    (tmp_path / "image").write_bytes(head)
    assert standard.what(None, head) == kind
    assert standard.what(str(tmp_path / "image")) == kind
    opened = io.BytesIO(b"before" + head)
    opened.seek(6)
    assert standard.what(opened) == kind
    assert opened.tell() == 6


def test_elements_of_xml_below_one() -> None:
    element = ElementTree.fromstring("<a><b/><c><b/></c></a>")
    assert [each.tag for each in standard.getchildren(element)] == ["b", "c"]
    assert [each.tag for each in standard.getiterator(element, "b")] == ["b", "b"]
    assert len(standard.getiterator(ElementTree.ElementTree(element))) == 4
