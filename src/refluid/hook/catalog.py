"""The names that Paddle 1.8 has.

`catalog.json` beside this file holds them, with the way they were found. It is read when a missing
name is reported and never before, so a program that finds all its names does not pay for it.
May import: name.
"""

from __future__ import annotations

import functools
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from refluid.hook.name import engine_name

__all__ = ["Catalog", "Entry", "is_implemented", "load"]


class Entry(NamedTuple):
    """One public name of Paddle 1.8.

    Attributes:
        kind: `function`, `class`, `module`, or the type of a constant.
        dygraph: whether Paddle itself can use it in the dynamic graph: `yes`, `no`, or `n/a` where
            no graph is involved.
        signature: the parameters as text, None for modules and constants.
    """

    kind: str
    dygraph: str
    signature: str | None


@dataclass(frozen=True)
class Catalog:
    """What Paddle 1.8 offers.

    Attributes:
        paddle: the version that was read.
        names: for each documented module, its public names.
        modules: for every module, the names beyond those in `names`.
        reasons: why refluid cannot have a name, where more is known than `Entry.dygraph` says.
    """

    paddle: str
    names: dict[str, dict[str, Entry]]
    modules: dict[str, tuple[str, ...]]
    reasons: dict[str, str]

    def __contains__(self, dotted: str) -> bool:
        """Tell whether Paddle 1.8 has `dotted`, as a module or as a name inside of one."""
        module, _, name = dotted.rpartition(".")
        return (
            dotted in self.modules
            or name in self.names.get(module, ())
            or name in self.modules.get(module, ())
        )

    def find(self, dotted: str) -> Entry | None:
        """Return what is known about `dotted`, None where only its name is known."""
        module, _, name = dotted.rpartition(".")
        return self.names.get(module, {}).get(name)

    def homes(self, name: str) -> list[str]:
        """Return the documented modules that have a public `name`."""
        return [module for module, names in self.names.items() if name in names]


@functools.cache
def load() -> Catalog:
    """Read the catalog of Paddle 1.8's names."""
    text = Path(__file__).with_name("catalog.json").read_text(encoding="ascii")
    content = json.loads(text)
    names = {
        module: {name: Entry(*entry) for name, entry in entries.items()}
        for module, entries in content["names"].items()
    }
    modules = {module: tuple(more) for module, more in content["modules"].items()}
    reasons = {name: reason for reason, named in content["reasons"].items() for name in named}
    return Catalog(paddle=content["paddle"], names=names, modules=modules, reasons=reasons)


def is_implemented(dotted: str) -> bool:
    """Tell whether refluid, as far as it is loaded, has Paddle's `dotted`.

    A module where Paddle has a function, or the other way round, is another thing of the same name
    and does not count.
    """
    home, _, name = dotted.rpartition(".")
    module = sys.modules.get(engine_name(home))
    if dotted not in load() or module is None or name not in vars(module):
        return False
    entry = load().find(dotted)
    return entry is None or isinstance(vars(module)[name], ModuleType) == (entry.kind == "module")
