"""What a program is told about names that are not there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Each snippet stands in a file of its own; the last line of it is where the error belongs.
SNIPPETS = {
    "attribute": "import paddle.fluid as fluid\n\nfluid.Executor(fluid.CPUPlace())",
    "attribute of a package": "import paddle.fluid as fluid\nfluid.layers.While(1)",
    "attribute for another reason": "import paddle.fluid\npaddle.fluid.load_op_library('a.so')",
    "attribute in a function": "import paddle\ndef f():\n    return 1, paddle.fluid.Executor\nf()",
    "name from a package": "from paddle.fluid.layers import While",
    "name from a module": "from paddle.fluid.io import (\n    shuffle,\n    save_inference_model)",
    "name from a deep module": "from paddle.fluid.executor import Executor",
    "renamed name": "from paddle.fluid.layers import relu, While as Loop",
    "name after many others": "\n".join(f"name_{i} = {i}" for i in range(300))
    + "\nfrom paddle.fluid.io import save_inference_model",
    "module": "import paddle.fluid.transpiler",
    "module by another name": "import paddle.fluid.transpiler.ps_dispatcher as dispatcher",
    "module by function": "import importlib\nimportlib.import_module('paddle.fluid.transpiler')",
    "module from its package": "from paddle.fluid import transpiler",
    "unknown attribute": "import paddle\npaddle.fluid.layers.whilst",
    "unknown name": "from paddle.fluid.io import whilst",
    "unknown name from a package": "from paddle.fluid import whilst",
    "unknown module": "import paddle.whilst",
    "private attribute": "import paddle\npaddle._C_ops",
    "private name": "from paddle.fluid.io import _whilst",
    "attribute of Paddle 2": "import paddle\npaddle.nn.Linear(1, 1)",
    "function of Paddle 2": "import paddle\npaddle.to_tensor([1])",
    "name of Paddle 2": "from paddle import nn",
    "module of Paddle 2": "import paddle.nn.functional as F",
    "attribute of VisualDL": "import visualdl\nvisualdl.LogReader",
    "name of VisualDL": "from visualdl import LogWriter, LogReader",
    "module of VisualDL": "import visualdl.server.app",
}

PROGRAM = """
import importlib.util, json, sys, traceback

def attempt(path):
    try:
        exec(compile(open(path).read(), path, "exec"), {"__name__": "snippet"})
    except Exception as error:
        return {
            "classes": [each.__name__ for each in type(error).__mro__],
            "message": str(error),
            "name": getattr(error, "name", None),
        }

results = {name: attempt(path) for name, path in json.load(open("snippets.json")).items()}

import paddle.fluid as fluid
results["questions"] = [
    hasattr(fluid.layers, "While"),
    getattr(fluid.layers, "While", "default"),
    importlib.util.find_spec("paddle.fluid.transpiler"),
    importlib.util.find_spec("paddle.nn"),
    "transpiler" in dir(fluid),
]
try:
    from paddle.fluid.layers import While
except ImportError as error:
    results["caught"] = error.name

from paddle.fluid.layers import *
results["star"] = "relu" in globals() and "While" not in globals()
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("gaps")
    paths = {name: str(folder / f"{name.replace(' ', '_')}.py") for name in SNIPPETS}
    for name, path in paths.items():
        Path(path).write_text(SNIPPETS[name])
    (folder / "snippets.json").write_text(json.dumps(paths))
    (folder / "program.py").write_text(PROGRAM)
    result = subprocess.run(
        [sys.executable, "-m", "refluid", "program.py"], cwd=folder, capture_output=True, text=True
    )
    assert result.stderr == ""
    content: dict[str, Any] = json.loads(result.stdout)
    return content


@pytest.mark.parametrize(
    ("snippet", "dotted", "line"),
    [
        ("attribute", "paddle.fluid.Executor", 3),
        ("attribute of a package", "paddle.fluid.layers.While", 2),
        ("attribute in a function", "paddle.fluid.Executor", 3),
    ],
)
def test_missing_attribute_is_named_with_its_place(
    snippet: str, dotted: str, line: int, results: dict[str, Any]
) -> None:
    result = results[snippet]
    assert result["classes"][0] == "UnsupportedFluidAttribute"
    assert {"UnsupportedFluidAPI", "RefluidError", "AttributeError"} <= set(result["classes"])
    assert result["message"].startswith(f"`{dotted}` (used in ")
    assert f"{snippet.replace(' ', '_')}.py, line {line})" in result["message"]
    assert "docs/coverage.md" in result["message"]
    assert result["name"] == dotted.rpartition(".")[2]


@pytest.mark.parametrize(
    ("snippet", "dotted", "lines"),
    [
        ("name from a package", "paddle.fluid.layers.While", {1}),
        # Python says where the statement begins, or where the name stands in it.
        ("name from a module", "paddle.fluid.io.save_inference_model", {1, 3}),
        ("name from a deep module", "paddle.fluid.executor", {1}),
        ("renamed name", "paddle.fluid.layers.While", {1}),
        ("name after many others", "paddle.fluid.io.save_inference_model", {301}),
        ("module", "paddle.fluid.transpiler", {1}),
        ("module by another name", "paddle.fluid.transpiler", {1}),
        ("module by function", "paddle.fluid.transpiler", {2}),
        ("module from its package", "paddle.fluid.transpiler", {1}),
    ],
)
def test_missing_import_is_named_with_its_place(
    snippet: str, dotted: str, lines: set[int], results: dict[str, Any]
) -> None:
    result = results[snippet]
    assert result["classes"][0] == "UnsupportedFluidImport"
    assert {"UnsupportedFluidAPI", "RefluidError", "ImportError"} <= set(result["classes"])
    assert result["message"].startswith(f"`{dotted}` (used in ")
    file = f"{snippet.replace(' ', '_')}.py"
    assert any(f"{file}, line {line})" in result["message"] for line in lines)


def test_message_says_why_and_what_to_do_instead(results: dict[str, Any]) -> None:
    message = results["attribute of a package"]["message"]
    assert "works only in Paddle's static graph. Instead: Python's own `if`" in message
    assert "Instead: layers run at once" in results["attribute"]["message"]
    message = results["module"]["message"]
    assert "static graph, since it rewrites programs for several machines. Instead:" in message
    message = results["attribute for another reason"]["message"]
    assert "not of refluid: it loads operators that were compiled against Paddle's own" in message
    assert "static graph" not in message


def test_asking_whether_a_name_is_there_says_no(results: dict[str, Any]) -> None:
    assert results["questions"] == [False, "default", None, None, False]
    assert results["caught"] == "paddle.fluid.layers.While"
    assert results["star"] is True


@pytest.mark.parametrize(
    ("snippet", "kind", "message"),
    [
        (
            "unknown attribute",
            "AttributeError",
            "module 'paddle.fluid.layers' has no attribute 'whilst'",
        ),
        ("unknown name", "ImportError", "cannot import name 'whilst' from 'paddle.fluid.io' ("),
        ("unknown name from a package", "ImportError", "cannot import name 'whilst' from "),
        ("unknown module", "ModuleNotFoundError", "No module named 'paddle.whilst'"),
        ("private attribute", "AttributeError", "module 'paddle' has no attribute '_C_ops'"),
        ("private name", "ImportError", "cannot import name '_whilst' from "),
    ],
)
def test_name_that_nobody_has_is_an_ordinary_error(
    snippet: str, kind: str, message: str, results: dict[str, Any]
) -> None:
    result = results[snippet]
    assert result["classes"][0] == kind
    assert result["message"].startswith(message)
    assert "Paddle" not in result["message"]


@pytest.mark.parametrize(
    ("snippet", "kind", "message"),
    [
        ("attribute of Paddle 2", "AttributeError", "module 'paddle' has no attribute 'nn'. "),
        ("function of Paddle 2", "AttributeError", "module 'paddle' has no attribute 'to_tensor'"),
        ("name of Paddle 2", "ImportError", "cannot import name 'nn' from 'paddle' ("),
        ("module of Paddle 2", "ModuleNotFoundError", "No module named 'paddle.nn'. "),
    ],
)
def test_name_of_paddle_2_is_an_ordinary_error_with_a_word_more(
    snippet: str, kind: str, message: str, results: dict[str, Any]
) -> None:
    result = results[snippet]
    assert result["classes"][0] == kind
    assert result["message"].startswith(message)
    assert "came with Paddle 2; refluid runs programs for Paddle 1.8" in result["message"]


@pytest.mark.parametrize(
    ("snippet", "kind", "message"),
    [
        ("attribute of VisualDL", "AttributeError", "module 'visualdl' has no attribute 'LogRea"),
        ("name of VisualDL", "ImportError", "cannot import name 'LogReader' from 'visualdl' ("),
        ("module of VisualDL", "ModuleNotFoundError", "No module named 'visualdl.server"),
    ],
)
def test_name_of_visualdl_is_an_ordinary_error_with_a_word_more(
    snippet: str, kind: str, message: str, results: dict[str, Any]
) -> None:
    result = results[snippet]
    assert result["classes"][0] == kind
    assert result["message"].startswith(message)
    assert "`visualdl` has the `LogWriter` alone" in result["message"]


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("import paddle.fluid as fluid\n\nfluid.Executor(None)\n", 3),
        ("import paddle.fluid\nfrom paddle.fluid.layers import While\n", 2),
    ],
)
def test_traceback_ends_in_the_line_of_the_program(program: str, line: int, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(program)
    result = subprocess.run(
        [sys.executable, "-m", "refluid", "a.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 1
    trace = result.stderr.splitlines()
    assert [text for text in trace if text.startswith("  File ")] == [
        f'  File "{path}", line {line}, in <module>'
    ]
    assert trace[-1].startswith("refluid.errors.UnsupportedFluid")


@pytest.mark.slow
def test_missing_module_after_m_is_explained(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "refluid", "-m", "paddle.fluid.transpiler"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "UnsupportedFluidImport: `paddle.fluid.transpiler`" in result.stderr
