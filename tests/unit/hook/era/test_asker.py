from __future__ import annotations

import importlib
import os
import sys
from types import FrameType

import pytest

from refluid.hook.era import asker
from refluid.hook.era.asker import asking_frame, tell
from refluid.hook.era.table import Row


def frame_of(path: str) -> FrameType | None:
    """What `asking_frame` finds for a frame of code in `path`, called from this file."""
    found: dict[str, FrameType | None] = {"asking_frame": asking_frame}  # type: ignore[dict-item]
    source = "import sys\nframe = asking_frame(sys._getframe())"
    exec(compile(source, path, "exec"), found)
    return found["frame"]


@pytest.mark.parametrize(
    "path",
    [
        "/venv/lib/python3.11/site-packages/scipy/x.py",
        "/usr/lib/python3/dist-packages/x.py",
        os.path.join(os.path.dirname(os.__file__), "json", "decoder.py"),
        os.path.join(os.path.dirname(asker.__file__), "finder.py"),
    ],
)
def test_installed_libraries_are_none_of_the_program(path: str) -> None:
    assert frame_of(path) is None


@pytest.mark.parametrize("path", ["/home/me/train.py", "lib/x.py", "app.pyz/__main__.py"])
def test_other_code_is_the_program(path: str) -> None:
    frame = frame_of(path)
    assert frame is not None
    assert frame.f_code.co_filename == path


@pytest.mark.parametrize("path", ["<frozen importlib._bootstrap>", "<string>", "importlib"])
def test_code_without_a_file_asks_for_its_caller(path: str) -> None:
    if path == "importlib":
        path = importlib.__file__
    frame = frame_of(path)
    assert frame is not None
    assert frame.f_code.co_filename == __file__


def test_no_frame_asks_for_nobody() -> None:
    assert asking_frame(None) is None


def test_a_row_is_told_once_and_a_closed_stderr_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Row("test:of_telling", "a:b", "b", "Python 3.9")
    frame = sys._getframe()
    line = frame.f_lineno + 1
    tell(row, frame)
    tell(row, frame)
    assert capsys.readouterr().err == (
        f"refluid: `test.of_telling` (used in {__file__}, line {line}) is gone since Python 3.9 "
        "and given back; today: `b`\n"
    )
    monkeypatch.setattr(sys, "stderr", None)
    tell(row._replace(name="test:of_none"), frame)
    with open(os.devnull, "w") as closed:
        pass
    monkeypatch.setattr(sys, "stderr", closed)
    tell(row._replace(name="test:of_closed"), frame)
