"""`paddle.check_import_scipy`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from refluid.paddle import check_import_scipy


@pytest.fixture
def broken_scipy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A SciPy whose libraries Windows cannot load."""
    (tmp_path / "scipy").mkdir()
    (tmp_path / "scipy" / "__init__.py").write_text(
        'raise ImportError("DLL load failed while importing _ccallback_c")\n'
    )
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name[:5] == "scipy"}
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.update(kept)


@pytest.mark.usefixtures("broken_scipy")
def test_broken_scipy_is_reported_on_windows_alone() -> None:
    assert check_import_scipy("posix") is None
    with pytest.raises(ImportError, match=r"DLL load failed.*Visual C\+\+ Redistributable"):
        check_import_scipy("nt")
