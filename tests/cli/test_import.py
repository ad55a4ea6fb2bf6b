"""`import refluid` alone: what it loads, what it leaves alone, what it costs."""

from __future__ import annotations

import json
import subprocess
import sys

# Modules whose import would cost more than all that `import refluid` does.
HEAVY = {
    "argparse",
    "asyncio",
    "dataclasses",
    "difflib",
    "importlib.abc",
    "importlib.metadata",
    "importlib.resources",
    "inspect",
    "json",
    "logging",
    "matplotlib",
    "multiprocessing",
    "numpy",
    "optuna",
    "pathlib",
    "rich",
    "safetensors",
    "socket",
    "subprocess",
    "tempfile",
    "tensorboard",
    "torch",
    "typer",
    "visualdl",
}


def python(code: str) -> object:
    """Return what `code`, run in an interpreter of its own, prints as JSON."""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return json.loads(result.stdout)


def test_import_loads_nothing_heavy() -> None:
    before = "import sys; before = set(sys.modules); import refluid; "
    loaded = python(before + "import json; print(json.dumps(sorted(set(sys.modules) - before)))")
    assert isinstance(loaded, list)
    assert HEAVY.intersection(loaded) - {"json"} == set()
    assert "refluid.paddle" not in loaded


def test_import_changes_nothing() -> None:
    code = """
import importlib, json, os, sys, warnings, multiprocessing.spawn
def state():
    return [
        [repr(finder) for finder in sys.meta_path], sys.path_hooks == hooks, list(sys.path),
        dict(os.environ), len(warnings.filters), sys.excepthook is sys.__excepthook__,
        multiprocessing.spawn.get_preparation_data.__module__, "paddle" in sys.modules,
    ]
hooks = list(sys.path_hooks)
before = state()
import refluid
print(json.dumps([before, state()]))
"""
    states = python(code)
    assert isinstance(states, list)
    assert states[0] == states[1]


def test_import_takes_less_than_a_tenth_of_a_second() -> None:
    code = """
import time
start = time.process_time()
import refluid
print(time.process_time() - start)
"""
    seconds = [python(code) for _ in range(3)]
    assert min(float(str(each)) for each in seconds) < 0.1


def test_public_names_are_there_and_sorted() -> None:
    import refluid

    assert refluid.__all__ == sorted(refluid.__all__)
    assert all(hasattr(refluid, name) for name in refluid.__all__)
