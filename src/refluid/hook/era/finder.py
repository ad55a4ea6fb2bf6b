"""The imports after which what is gone is given back.

A finder in front of all others lets them find a module, and equips it once it has run: with a
`__getattr__` for names, a descriptor in a class for methods, a function around one whose old calls
are refused. A module that nobody finds any more is made from the table. A module that the table
does not name is not touched, and a name that is there is never replaced.
May import: asker, child, table.
"""

from __future__ import annotations

import functools
import importlib
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import FrameType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from refluid.hook import child
from refluid.hook.era.asker import asking_frame, tell
from refluid.hook.era.table import CALLS, MODULES, NAMES, Row

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    # Importing the base class costs more time than all the rest of this module.
    Loader = object

__all__ = ["EraFinder", "install"]


def _by_module(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each module."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.module, []).append(row)
    return found


_modules = {row.name: row for row in MODULES}
_names, _calls = _by_module(NAMES), _by_module(CALLS)
_equipped = {*_names, *_calls, child.SPAWN}


def install() -> None:
    """Give back what is gone, in this process and in those that it spawns.

    Calling it again changes nothing.
    """
    if any(isinstance(finder, EraFinder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, EraFinder())
    for name in _equipped & sys.modules.keys():
        _equip(sys.modules[name])


class EraFinder:
    """Has the other finders find the modules of the table, and stands in where they find none."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load `fullname`, None for what the table does not name."""
        row = _modules.get(fullname)
        if row is None and fullname not in _equipped:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if row is None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _EquippingLoader(spec.loader)
                return spec
        frame = asking_frame(sys._getframe().f_back)
        if row is None or frame is None:
            return None
        tell(row, frame)
        return ModuleSpec(fullname, _GoneLoader(row), origin="refluid")


class _EquippingLoader(Loader):
    """Another loader, which takes its place back when the module is about to run."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        assert module.__spec__ is not None
        module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _equip(module)

    def __getattr__(self, name: str) -> Any:
        # what `importlib.util.find_spec` is asked for: get_source, is_package, get_resource_reader
        return getattr(self._loader, name)


class _GoneLoader(Loader):
    """Fills a module that is gone with what the table says."""

    def __init__(self, row: Row) -> None:
        self._row = row

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        home, _, names = self._row.target.partition(":")
        source = importlib.import_module(home)
        public = source.__all__ if names == "*" else names.split(",")
        vars(module).update({name: getattr(source, name) for name in public})


def _equip(module: ModuleType) -> None:
    """Give a loaded module what the table has for it."""
    if module.__name__ == child.SPAWN:
        child.attach(module, install)
    names: dict[str, Row] = {}
    for row in _names.get(module.__name__, ()):
        holder, _, method = row.path.rpartition(".")
        if not holder:
            names[row.path] = row
        elif hasattr(module, holder) and not hasattr(getattr(module, holder), method):
            _put(getattr(module, holder), method, _Method(row))
    if names:
        ask = vars(module).get("__getattr__") or functools.partial(_refuse, module)
        vars(module)["__getattr__"] = functools.partial(_answer, names, ask)
    for row in _calls.get(module.__name__, ()):
        holder, _, name = row.path.rpartition(".")
        owner = getattr(module, holder) if holder else module
        if hasattr(owner, name) and row.applies:
            _put(owner, name, _accepting(getattr(owner, name), row))


def _put(owner: Any, name: str, value: object) -> None:
    """Set an attribute of a module or a class, also of one that is written in C."""
    try:
        setattr(owner, name, value)
    except TypeError:
        # imports ctypes, which many programs never need
        from refluid.hook.era import native

        native.put(owner, name, value)


def _answer(names: dict[str, Row], ask: Callable[[str], object], name: str) -> object:
    """Answer for a module that has no `name`; `ask` is how it answered before."""
    row = names.get(name)
    frame = row and asking_frame(sys._getframe().f_back)
    if row is None or frame is None or not _is_gone(ask, name):
        return ask(name)
    return _give(row, frame)


@functools.cache
def _is_gone(ask: Callable[[str], object], name: str) -> bool:
    """Tell whether a module's own `__getattr__` does not have `name` either."""
    with warnings.catch_warnings():
        # NumPy warns of `np.object` and then does not have it
        warnings.simplefilter("ignore")
        try:
            ask(name)
        except AttributeError:
            return True
    return False


def _refuse(module: ModuleType, name: str) -> NoReturn:
    """Answer as Python does for a module without a `__getattr__`."""
    message = f"module {module.__name__!r} has no attribute {name!r}"
    raise AttributeError(message, name=name, obj=module)


class _Method:
    """A method that is gone, as an attribute of its class."""

    def __init__(self, row: Row) -> None:
        self._row = row

    def __get__(self, instance: object, owner: type) -> Callable[..., object]:
        frame = asking_frame(sys._getframe().f_back)
        if frame is None:
            name = self._row.path.rpartition(".")[2]
            kind = f"type object {owner.__name__!r}" if instance is None else repr(owner.__name__)
            message = f"{kind}{'' if instance is None else ' object'} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=owner if instance is None else instance)
        function: Any = _give(self._row, frame)
        return function if instance is None else MethodType(function, instance)


def _accepting(function: Callable[..., object], row: Row) -> Callable[..., object]:
    """Return `function`, which accepts from the user's program the calls that `row` tells of."""

    @functools.wraps(function)
    def accepting(*arguments: object, **named: object) -> object:
        modern = _resolve(row.target)(function, *arguments, **named)
        frame = modern and asking_frame(sys._getframe().f_back)
        if frame is None:
            return function(*arguments, **named)
        tell(row, frame)
        return modern()

    accepting.__qualname__ = row.path  # under which pickle finds it again
    return accepting


def _give(row: Row, frame: FrameType) -> object:
    tell(row, frame)
    return _resolve(row.target)


@functools.cache
def _resolve(target: str) -> Any:
    """Return what a target of the table names."""
    home, _, name = target.partition(":")
    module = importlib.import_module(home)
    return getattr(module, name) if name else module
