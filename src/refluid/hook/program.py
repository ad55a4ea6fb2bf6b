"""A user's program, run as `__main__` so that it cannot tell refluid from `python`.

Scripts and pieces of code are run here; modules, folders and zip files by the very function that
the interpreter calls for `-m`. What the program sees of itself is what `python` shows it:
`sys.argv`, the head of `sys.path`, a `__main__` module of its own. Its exceptions go on to the
interpreter, which ends the process as always; only the frames of refluid are taken out of the
traceback on the way. The caller has left `sys.path` without a folder of any program.
May import: nothing of refluid.
"""

from __future__ import annotations

import builtins
import linecache
import os
import pkgutil
import runpy
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any

__all__ = ["run_code", "run_input", "run_module", "run_script"]

_HOOK = os.path.dirname(__file__) + os.sep

# Private, but the same in Python 3.10 to 3.13: it is what `python -m` itself calls. The public
# functions of runpy take their `__main__` away again after the program's last line, under the feet
# of its threads and exit handlers.
_run_module_as_main: Callable[[str, bool], object] = runpy._run_module_as_main  # type: ignore[attr-defined]


def run_script(path: str, arguments: Sequence[str]) -> None:
    """Run a script, a folder or a zip file as `python path arguments...` does."""
    sys.argv = [path, *arguments]
    # Not normalized: Python does not do that either.
    full_path = os.path.join(os.getcwd(), path)
    if pkgutil.get_importer(full_path) is not None:
        _set_path_head(full_path, always=True)
        _new_main()
        _run(_run_module_as_main, "__main__", False)
        return
    _set_path_head(os.path.dirname(os.path.realpath(path)))
    compiled = path.endswith(".pyc")
    loader = (SourcelessFileLoader if compiled else SourceFileLoader)("__main__", full_path)
    try:
        source = loader.get_data(full_path)
    except OSError as error:
        sys.stderr.write(
            f"{sys.orig_argv[0]}: can't open file {full_path!r}: "
            f"[Errno {error.errno}] {error.strerror}\n"
        )
        sys.exit(2)
    code = loader.get_code("__main__") if compiled else _compile(source, full_path)
    _run(exec, code, vars(_new_main(__loader__=loader, __file__=full_path, __cached__=None)))


def run_module(name: str, arguments: Sequence[str]) -> None:
    """Run a module as `python -m name arguments...` does."""
    sys.argv = ["-m", *arguments]
    _set_path_head(os.getcwd())
    _new_main()
    _run(_run_module_as_main, name, True)


def run_code(source: str, arguments: Sequence[str]) -> None:
    """Run a piece of code as `python -c source arguments...` does."""
    sys.argv = ["-c", *arguments]
    _set_path_head("")
    code = _compile(source, "<string>")
    if sys.version_info >= (3, 13):
        # From 3.13 on, tracebacks show the lines of such code.
        linecache.cache["<string>"] = (len(source), None, source.splitlines(True), "<string>")
    _run(exec, code, vars(_new_main()))


def run_input(arguments: Sequence[str]) -> None:
    """Run what comes on standard input as `python - arguments...` does."""
    sys.argv = ["-", *arguments]
    _set_path_head("")
    code = _compile(sys.stdin.buffer.read(), "<stdin>")
    _run(exec, code, vars(_new_main(__file__="<stdin>", __cached__=None)))


def _set_path_head(entry: str, *, always: bool = False) -> None:
    """Put `entry` first on `sys.path`, unless the interpreter was told to put nothing there."""
    if always or not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        sys.path.insert(0, entry)


def _new_main(**attributes: Any) -> ModuleType:
    """Return a fresh `__main__` module, as the interpreter makes it, and register it."""
    main = ModuleType("__main__")
    main.__loader__ = BuiltinImporter
    main.__annotations__ = {}
    vars(main).update(__builtins__=builtins, **attributes)
    sys.modules["__main__"] = main
    return main


def _compile(source: str | bytes, path: str) -> CodeType:
    """Compile the program, reporting its syntax errors without a traceback."""
    try:
        # Not with this module's __future__ imports.
        return compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        _show(error, None)
        raise


def _run(body: Callable[..., object], *arguments: object) -> None:
    """Call `body`, in whose traceback the program's own frames begin."""
    try:
        body(*arguments)
    except SystemExit:
        raise
    except BaseException as error:
        _show(error, _without_hook(error.__traceback__))
        raise


def _without_hook(traceback: TracebackType | None) -> TracebackType | None:
    """Take the frames of the import hook out of a traceback."""
    kept: list[TracebackType] = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_HOOK):
            kept.append(traceback)
        traceback = traceback.tb_next
    for here, following in zip(kept, [*kept[1:], None], strict=False):
        here.tb_next = following
    return kept[0] if kept else None


def _show(error: BaseException, traceback: TracebackType | None) -> None:
    """Have the interpreter print `error` with `traceback`, when it gets there.

    The interpreter adds refluid's frames while the exception leaves them, then calls
    `sys.excepthook`: the program's, if it has set one.
    """
    shown_by = sys.excepthook

    def excepthook(
        kind: type[BaseException], value: BaseException, complete: TracebackType | None
    ) -> None:
        sys.excepthook = shown_by
        if value is error:
            value.__traceback__ = sys.last_traceback = complete = traceback
        shown_by(kind, value, complete)

    sys.excepthook = excepthook
