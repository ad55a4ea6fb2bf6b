"""The errors for names that Paddle 1.8 has and refluid does not.

The finder asks here about modules that refluid lacks, and about names that its modules lack. A name
of Paddle 1.8 becomes `UnsupportedFluidAPI`, which says where the program used it and what to use
instead. Any other name gets the error that Python itself gives, and, where it came with Paddle 2 or
is VisualDL's, a word on that.
May import: errors, catalog, hint, name.
"""

from __future__ import annotations

import importlib
import opcode
import os
import runpy
import sys
from types import FrameType, ModuleType
from typing import NoReturn

from refluid.errors import UnsupportedFluidAttribute, UnsupportedFluidImport
from refluid.hook import catalog, hint
from refluid.hook.name import PADDLE, paddle_name

__all__ = ["refuse_attribute", "refuse_module"]

_IMPORT_FROM = opcode.opmap["IMPORT_FROM"]
_HOOK = os.path.dirname(__file__) + os.sep
_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep
_IMPORTLIB = os.path.dirname(importlib.__file__) + os.sep
_MACHINERY = (_OURS, _IMPORTLIB, runpy.__file__, "<frozen importlib", "<frozen runpy")


def refuse_module(name: str) -> None:
    """Raise for a module that refluid does not have, unless nobody has it.

    Effects: returns where a program only asks whether the module is there, as
    `importlib.util.find_spec` does, and where Python's own message says enough.

    Args:
        name: the full name, Paddle's or refluid's.

    Raises:
        UnsupportedFluidImport: Paddle 1.8 has a module or a name of this name.
        ModuleNotFoundError: the module came with Paddle 2, or is VisualDL's.
    """
    frame = _asking_frame()
    if frame is None or _is_engine(frame) or _is_query(frame):
        return
    dotted = paddle_name(name)
    if dotted in catalog.load():
        raise UnsupportedFluidImport(_unsupported(dotted), name=dotted)
    explanation = _explanation(dotted)
    if explanation:
        raise ModuleNotFoundError(f"No module named {dotted!r}{explanation}", name=name)


def refuse_attribute(module: ModuleType, name: str, caller: FrameType) -> NoReturn:
    """Raise the error for a name that a module of refluid does not have.

    Args:
        module: the module that was asked.
        name: the name that it does not have.
        caller: the frame that asked, which shows whether it was `from module import name`.

    Raises:
        UnsupportedFluidAttribute: Paddle 1.8 has the name.
        UnsupportedFluidImport: the same, where the name was to be imported.
        AttributeError: nobody has it.
        ImportError: the same, where the name was to be imported.
    """
    package = paddle_name(module.__name__)
    dotted = f"{package}.{name}"
    importing = _is_import_from(caller)
    path = getattr(module, "__file__", None)
    if dotted in catalog.load() and not _is_engine(caller):
        if importing:
            raise UnsupportedFluidImport(_unsupported(dotted), name=package, path=path)
        # Without `obj`, or Python would add a guess of its own to the message.
        raise UnsupportedFluidAttribute(_unsupported(dotted), name=name)
    explanation = _explanation(dotted)
    if importing:
        message = f"cannot import name {name!r} from {package!r} ({path}){explanation}"
        raise ImportError(message, name=package, path=path)
    message = f"module {package!r} has no attribute {name!r}{explanation}"
    raise AttributeError(message, name=name, obj=module)


def _unsupported(dotted: str) -> str:
    """Return the message for a name of Paddle 1.8 that refluid lacks."""
    entry = catalog.load().find(dotted)
    reason = catalog.load().reasons.get(dotted)
    if entry is not None and entry.dygraph == "no":
        reason = "it works only in Paddle's static graph" + (f", since {reason}" if reason else "")
    instead = hint.nearest(dotted)
    advice = f" Instead: {instead}." if instead else ""
    return (
        f"`{dotted}`{_place()} is part of Paddle 1.8 and not of refluid: "
        f"{reason or 'it is not implemented yet'}.{advice} "
        "What works is listed in docs/coverage.md."
    )


def _explanation(dotted: str) -> str:
    """Return what follows Python's own words about a name, empty where these say enough."""
    package, _, name = dotted.partition(".")
    if package == PADDLE and name.split(".")[0] in hint.PADDLE_2:
        return (
            f". `{dotted}` came with Paddle 2; refluid runs programs for Paddle 1.8, which use "
            "`paddle.fluid`"
        )
    if package == "visualdl":
        return (
            ". Under refluid, `visualdl` has the `LogWriter` alone; what reads its files, "
            "VisualDL itself, works in a program of its own, without refluid"
        )
    return ""


def _place() -> str:
    """Return where the program used a name, as words in parentheses."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_MACHINERY):
        frame = frame.f_back
    if frame is None:
        return ""
    return f" (used in {frame.f_code.co_filename}, line {frame.f_lineno})"


def _asking_frame() -> FrameType | None:
    """Return the frame that made the import system look for a module."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((_HOOK, "<frozen importlib._")):
        frame = frame.f_back
    return frame


def _is_engine(frame: FrameType) -> bool:
    """Tell whether `frame` is refluid's: what refluid misses in itself is an error of refluid."""
    return frame.f_code.co_filename.startswith(_OURS)


def _is_query(frame: FrameType) -> bool:
    """Tell whether `frame` looks for a module without importing it."""
    if frame.f_globals.get("__name__") != "importlib.util":
        return False
    # runpy asks too, for `-m`, but shows the user what is raised here.
    asker = frame.f_back
    return asker is None or asker.f_globals.get("__name__") != "runpy"


def _is_import_from(frame: FrameType) -> bool:
    """Tell whether `frame` is in the middle of `from module import name`.

    Python asks a module for the name as for any attribute, and turns an AttributeError into an
    ImportError with words of its own. The one way to have ours shown is to raise an ImportError,
    and the one way to know when is the instruction that is being run.
    """
    code, at = frame.f_code.co_code, frame.f_lasti
    # Python 3.10 stops at the prefix that an instruction has where there are many names.
    while code[at] == opcode.EXTENDED_ARG:
        at += 2
    return code[at] == _IMPORT_FROM
