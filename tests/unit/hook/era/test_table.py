"""The table says the truth about the libraries that are installed, and docs/era.md lists it."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from refluid.hook.era.table import CALLS, MODULES, NAMES, Row

DOCS = Path(__file__).resolve().parents[4] / "docs"
LIBRARIES = {
    "NumPy": "numpy",
    "SciPy": "scipy",
    "Pillow": "PIL",
    "Matplotlib": "matplotlib",
    "pandas": "pandas",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "PyYAML": "yaml",
    "NetworkX": "networkx",
}
# gone, and there again since NumPy 2.0 with another meaning, which nobody overrides
CAME_BACK = {"numpy:bool", "numpy:long"}


def load(name: str) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def has(row: Row) -> bool:
    """Whether the installed library has what the row says is gone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not row.path:
            parent = row.module.rpartition(".")[0]
            if parent:
                load(parent)
            return importlib.util.find_spec(row.module) is not None
        value: object = load(row.module)
        for part in row.path.split("."):
            if not hasattr(value, part):
                return False
            value = getattr(value, part)
    return True


def skip_without(library: str) -> None:
    if library == "Python":
        return
    if importlib.util.find_spec(LIBRARIES[library]) is None:
        pytest.skip(f"{library} is not installed")
    load(LIBRARIES[library])


def library_of(row: Row) -> str:
    return row.since.rpartition(" ")[0]


@pytest.fixture(scope="module")
def present() -> list[str]:
    """The names of the table that installed libraries have, in a process of its own.

    In this one a library may have been given some by another: VisualDL gives NumPy its `Inf`.
    """
    command = [sys.executable, __file__]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("library", ["Python", *LIBRARIES])
def test_a_name_is_gone_from_the_version_on_that_the_table_tells(
    library: str, present: list[str]
) -> None:
    skip_without(library)
    wrong = [
        row.name
        for row in (*NAMES, *MODULES)
        if library_of(row) == library
        and row.name not in CAME_BACK
        and (row.name in present) == row.applies
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("since", "version", "applies"),
    [
        ("PyYAML 6", "6.0.3", True),
        ("PyYAML 6", "5.4.1", False),
        ("PyYAML 6", "6.0b1", True),
        ("NumPy 2.3", "2.10.0rc1", True),
        ("NumPy 2.3", "2.2.9", False),
        ("Matplotlib 3.8", "3.7", False),
        ("NumPy 2.3", None, False),
    ],
)
def test_a_row_applies_from_its_version_on(
    since: str, version: str | None, applies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("era_library")
    if version is not None:
        vars(module)["__version__"] = version
    monkeypatch.setitem(sys.modules, "era_library", module)
    assert Row("era_library.part:name", "", "", since).applies is applies


@pytest.mark.parametrize("library", ["Python", *LIBRARIES])
def test_what_is_given_exists(library: str) -> None:
    skip_without(library)
    for row in (*NAMES, *MODULES, *CALLS):
        if library_of(row) == library and row.applies:
            home, _, names = row.target.partition(":")
            module = load(home)
            for name in names.split(","):
                assert name in ("", "*") or hasattr(module, name), row
            assert names != "*" or module.__all__


def test_nothing_is_listed_twice() -> None:
    names = [row.name for row in (*NAMES, *MODULES, *CALLS)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("page", ["era.md", "era.zh-CN.md"])
def test_the_page_lists_the_table(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    # the page's last table, of what is not given back, has two columns
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    rows = [line for line in lines if line.count("| ") == 3]
    assert sorted(rows) == sorted(
        f"| `{row.shown}` | {row.since} | `{row.write}` |" for row in (*NAMES, *MODULES, *CALLS)
    )


if __name__ == "__main__":
    installed = {"Python", *(k for k, v in LIBRARIES.items() if importlib.util.find_spec(v))}
    rows = [row for row in (*NAMES, *MODULES) if library_of(row) in installed]
    sys.stdout.write(json.dumps([row.name for row in rows if has(row)]))
