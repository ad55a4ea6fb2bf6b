"""Imports point one way: what lies below never knows what lies above."""

from __future__ import annotations

import ast
import subprocess
import sys

FLUID = "refluid.paddle.fluid"

# From the lowest to the highest; those on one line do not know each other, but for `ALLOWED`.
ORDER = (
    ("refluid.errors", "refluid.env", "refluid.memory"),
    ("refluid.state", "refluid.observe"),
    ("refluid.checkpoint", "refluid.data", "refluid.distributed"),
    ("refluid.loop", "refluid.paddle", "refluid.proof", "refluid.visualdl"),
    ("refluid.hook",),
    # the package itself: its version, and what it takes from below
    ("refluid",),
    ("refluid.sweep", "refluid.train"),
    ("refluid.cli", "refluid.__main__"),
)
ALLOWED = {
    ("refluid.env", "refluid.errors"),
}

# Within fluid: a module of the first name imports nothing of the second.
FORBIDDEN_IN_FLUID = (
    ("core_avx", "framework"),
    ("core_avx", "dygraph"),
    ("core_avx", "layers"),
    ("framework", "dygraph"),
    ("framework", "layers"),
    ("unique_name", "dygraph"),
    ("initializer", "dygraph"),
    ("regularizer", "dygraph"),
    ("param_attr", "dygraph"),
    ("dygraph", "layers"),
    ("dygraph", "optimizer"),
    ("layers", "optimizer"),
)


def unit_of(module: str) -> str:
    """The part of the package that `module` belongs to."""
    parts = module.split(".")
    return ".".join(parts[:2])


def rank_of(unit: str) -> int:
    ranks = [k for k, units in enumerate(ORDER) if unit in units]
    assert len(ranks) == 1, f"{unit} has no place in the order of imports"
    return ranks[0]


def test_every_part_imports_only_what_lies_below(tree):
    wrong = []
    for module in tree.modules.values():
        unit = unit_of(module.name)
        for found in tree.imports(module):
            other = unit_of(found.module)
            if other == unit or (unit, other) in ALLOWED:
                continue
            if rank_of(other) >= rank_of(unit):
                wrong.append(f"{module.place}:{found.line} imports {found.module}")
    assert wrong == []


def test_engine_knows_nothing_of_paddle_around_it(tree):
    wrong = [
        f"{module.place}:{found.line} imports {found.module}"
        for module in tree.modules.values()
        if module.name.startswith(f"{FLUID}.core_avx")
        for found in tree.imports(module)
        if found.module.startswith("refluid.paddle")
        and not found.module.startswith(f"{FLUID}.core_avx")
    ]
    assert wrong == []


def test_parts_of_fluid_import_only_what_lies_below(tree):
    wrong = []
    for module in tree.modules.values():
        for found in tree.imports(module):
            for lower, higher in FORBIDDEN_IN_FLUID:
                below = f"{module.name}.".startswith(f"{FLUID}.{lower}.")
                if below and f"{found.module}.".startswith(f"{FLUID}.{higher}."):
                    wrong.append(f"{module.place}:{found.line} imports {found.module}")
    assert wrong == []


def test_no_module_imports_itself_through_others(tree):
    edges = {
        name: {found.module for found in tree.imports(module)} - {name}
        for name, module in tree.modules.items()
    }
    # take away what imports nothing that is left, until nothing changes: what stays is a cycle
    left = dict(edges)
    while free := {name for name, found in left.items() if not found & left.keys()}:
        left = {name: found for name, found in left.items() if name not in free}
    # and what only leads to a cycle, without being part of one
    while leading := left.keys() - set().union(*left.values()):
        left = {name: found & left.keys() for name, found in left.items() if name not in leading}
    assert sorted(left) == []


def test_imports_within_functions_have_a_reason(tree):
    wrong = []
    for module in tree.modules.values():
        lines = module.text.splitlines()
        for function in ast.walk(module.tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for node in ast.walk(function):
                if not isinstance(node, ast.Import | ast.ImportFrom):
                    continue
                above = node.lineno - 2
                # imports that stand together share their reason
                while not lines[above].strip() or lines[above].split()[0] in ("import", "from"):
                    above -= 1
                if "#" not in lines[above] and "#" not in lines[node.lineno - 1]:
                    wrong.append(f"{module.place}:{node.lineno}")
    assert wrong == []


def test_only_env_reads_the_environment(tree):
    wrong = [
        f"{module.place}:{node.lineno}"
        for module in tree.modules.values()
        if module.name != "refluid.env"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv")
    ]
    assert wrong == []


def loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_fluid_loads_no_extra_and_nothing_above_it():
    loaded = loaded_by("import refluid.paddle.fluid")
    extras = {"matplotlib", "sklearn", "scipy", "tensorboard", "visualdl", "ray", "typer", "rich"}
    above = {"refluid.loop", "refluid.train", "refluid.cli", "refluid.observe"}
    assert loaded & (extras | above) == set()


def test_data_loads_no_torch():
    assert loaded_by("import refluid.data.mnist") & {"torch", "sklearn", "matplotlib"} == set()
