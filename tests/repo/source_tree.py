"""The source tree, parsed once."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"


@dataclass(frozen=True)
class Import:
    """One name that an import statement brings: `module` is the module that is meant."""

    line: int
    module: str


@dataclass(frozen=True)
class Module:
    """A module of the package."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return str(self.path.relative_to(SOURCE.parent))

    @functools.cached_property
    def statements(self) -> list[ast.Import | ast.ImportFrom]:
        """Every import statement, at whatever depth, but those for type checkers alone."""
        nodes = _outside_type_checking(self.tree)
        return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def _outside_type_checking(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from _outside_type_checking(child)


def files() -> dict[str, Path]:
    """The file of every module of the package, by the module's name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


class Tree:
    """Every module of the package, by name."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}
        for name, path in files().items():
            text = path.read_text(encoding="utf-8")
            self.modules[name] = Module(name, path, text, ast.parse(text))

    def imports(self, module: Module) -> Iterator[Import]:
        """The modules of this package that `module` imports: the submodule where one is named."""
        for node in module.statements:
            if isinstance(node, ast.ImportFrom):
                base = node.module or ""
                names = [f"{base}.{alias.name}" for alias in node.names]
                found = [name if name in self.modules else base for name in names]
            else:
                found = [alias.name for alias in node.names]
            for name in found:
                if name == "refluid" or name.startswith("refluid."):
                    yield Import(node.lineno, name)
