"""The imports: `import paddle.fluid` gives the module `refluid.paddle.fluid` itself.

So it is with `visualdl`, whose modules are those of `refluid.visualdl`. A finder stands in front of
all others on `sys.meta_path`, so a real Paddle or VisualDL beside is never looked at. A module has
one object under both names; the object calls itself by refluid's name, under which its code was
run, and under which `importlib.reload`, pickle and inspect find it again.
May import: errors, child, name; memory when torch is to come, gap when something is missing.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from refluid.errors import RefluidError
from refluid.hook import child
from refluid.hook.name import PROVIDED, engine_name, is_within, paddle_name

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    # Importing the base class costs more time than all the rest of `import refluid`.
    Loader = object

__all__ = ["FluidFinder", "install", "load_ipython_extension"]

_lock = threading.Lock()


def install() -> None:
    """Make `import paddle` mean refluid in this process and in those that it spawns.

    `import visualdl` then means `refluid.visualdl`, whose `LogWriter` needs no VisualDL.
    The same happens under `python -m refluid` and by `%load_ext refluid`. Calling it again
    changes nothing.

    Raises:
        RefluidError: another `paddle` or `visualdl` has been imported already.
    """
    with _lock:
        if any(isinstance(finder, FluidFinder) for finder in sys.meta_path):
            return
        for name in PROVIDED:
            _refuse_other(name)
        sys.meta_path.insert(0, FluidFinder())
        for name, module in list(sys.modules.items()):
            if _is_engine(name):
                _adopt(module)
            elif name == child.SPAWN:
                child.attach(module, install)


def load_ipython_extension(ipython: object) -> None:
    """Make `import paddle` mean refluid in a notebook: `%load_ext refluid`.

    Args:
        ipython: the shell, which needs nothing from here.

    Raises:
        RefluidError: another `paddle` or `visualdl` has been imported already.
    """
    install()


class FluidFinder:
    """Finds `paddle.*` and `visualdl.*` inside refluid, and equips refluid's modules for them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load `fullname`, None for what is none of our business.

        Raises:
            UnsupportedFluidImport: Paddle 1.8 has this module and refluid does not.
        """
        if fullname.partition(".")[0] in PROVIDED:
            return self._alias(fullname)
        if _is_engine(fullname):
            spec = self._followed(fullname, path, target, _adopt)
            if spec is None:
                _refuse_module(fullname)
            return spec
        if fullname == child.SPAWN:
            then = functools.partial(child.attach, install=install)
            return self._followed(fullname, path, target, then)
        return None

    def _alias(self, fullname: str) -> ModuleSpec | None:
        """Return a spec under Paddle's name that loads nothing but refluid's module."""
        engine = find_spec(engine_name(fullname))
        if engine is None:
            _refuse_module(fullname)
            return None
        spec = ModuleSpec(fullname, _AliasLoader(engine), origin=engine.origin)
        spec.submodule_search_locations = engine.submodule_search_locations
        return spec

    def _followed(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None,
        then: Callable[[ModuleType], None],
    ) -> ModuleSpec | None:
        """Return Python's own spec, with `then` to be called on the loaded module."""
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _FollowedLoader(spec, then)
        return spec


class _AliasLoader(Loader):
    """Loads a module of refluid under its second name."""

    def __init__(self, engine: ModuleSpec) -> None:
        self._engine = engine
        self._loader: Any = engine.loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        # Not importlib.import_module, whose frames would show in tracebacks.
        if "torch" in sys.modules:
            __import__(self._engine.name)
        else:
            # here, because it loads ctypes
            from refluid.memory import uncollected

            with uncollected():
                __import__(self._engine.name)
        module = sys.modules[self._engine.name]
        assert module.__spec__ is not None
        self._engine = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has put the alias's spec there; the module has been run under its own.
        module.__spec__ = self._engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


class _FollowedLoader(Loader):
    """Another loader, with something to be done after the module has been run."""

    def __init__(self, spec: ModuleSpec, then: Callable[[ModuleType], None]) -> None:
        self._name = spec.name
        self._loader: Any = spec.loader
        self._then = then

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._then(module)

    def get_code(self, fullname: str) -> CodeType | None:
        # `fullname` may be Paddle's name of the module, which the other loader would refuse.
        code: CodeType | None = self._loader.get_code(self._name)
        return code

    def get_source(self, fullname: str) -> str | None:
        source: str | None = self._loader.get_source(self._name)
        return source

    def is_package(self, fullname: str) -> bool:
        return bool(self._loader.is_package(self._name))

    def __getattr__(self, name: str) -> Any:
        # get_data, get_resource_reader and whatever else the other loader can do.
        return getattr(self._loader, name)


def _is_engine(name: str) -> bool:
    """Tell whether a module of refluid is one that programs get for another."""
    return any(is_within(name, engine) for engine in PROVIDED.values())


def _adopt(module: ModuleType) -> None:
    """Give a loaded module of refluid its Paddle name, and its answer for missing names."""
    vars(module).setdefault("__getattr__", functools.partial(_refuse_attribute, module))
    sys.modules.setdefault(paddle_name(module.__name__), module)


def _refuse_attribute(module: ModuleType, name: str) -> NoReturn:
    """Answer for `module`, which has no `name`."""
    if name.startswith("_"):
        # Python and its libraries ask for these all the time, and Paddle has none to report.
        message = f"module {paddle_name(module.__name__)!r} has no attribute {name!r}"
        raise AttributeError(message, name=name, obj=module)
    # Loaded by the first name that is missing, with the catalog: most programs miss none.
    from refluid.hook import gap

    gap.refuse_attribute(module, name, sys._getframe(1))


def _refuse_module(name: str) -> None:
    """Answer for a module that refluid does not have."""
    from refluid.hook import gap  # as above

    gap.refuse_module(name)


def _refuse_other(name: str) -> None:
    """Raise where a package `name` that is not refluid's has been imported."""
    other = sys.modules.get(name)
    if other is not None and other is not sys.modules.get(engine_name(name)):
        where = getattr(other, "__file__", None) or "an unknown place"
        raise RefluidError(
            f"`{name}` has been imported already, from {where}, and cannot be exchanged now. "
            f"Call `refluid.install()` before the first `import {name}`, run the program with "
            "`python -m refluid`, or restart the notebook's kernel and load refluid first."
        )
