"""What `import paddle` gives, seen from inside a program that runs under refluid."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# One process for all facts: importing torch takes long.
PROGRAM = """
import importlib, importlib.util, inspect, json, pickle, pkgutil, sys, threading

facts = {}
before = importlib.util.find_spec("paddle")
facts["asked"] = [before.name, before.origin, list(before.submodule_search_locations)]
facts["asking loads"] = "refluid.paddle" in sys.modules
facts["code of alias"] = before.loader.get_code("paddle").co_filename
facts["source of alias"] = before.loader.get_source("paddle")[:3]

found = []
def load():
    module = importlib.import_module("paddle.fluid.dygraph.nn")
    found.append((id(module), hasattr(module, "Linear")))
threads = [threading.Thread(target=load) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
facts["threads"] = [len(found), len(set(found)), found[0][1]]

import paddle
import paddle.fluid as fluid
import paddle.fluid.dygraph.nn
from paddle.fluid.dygraph.nn import Conv2D

facts["file"] = paddle.__file__
facts["names"] = [paddle.__name__, fluid.__spec__.name, repr(paddle)]
facts["bound"] = [
    fluid.dygraph.nn is sys.modules["paddle.fluid.dygraph.nn"],
    paddle.fluid is fluid,
    Conv2D is fluid.dygraph.Conv2D,
    importlib.import_module("paddle.fluid") is fluid,
    importlib.util.find_spec("paddle.fluid") is fluid.__spec__,
]

from refluid.hook import catalog, coverage
paths = [path for path in catalog.load().modules if coverage._has(path)]
for path in paths:
    importlib.import_module(path)
facts["paths"] = len(paths)
facts["two objects"] = [
    name for name, module in sys.modules.items()
    if name.split(".")[0] == "paddle" and module is not sys.modules["refluid." + name]
]
facts["one name"] = [
    name for name in sys.modules
    if name.startswith("refluid.paddle") and name[len("refluid."):] not in sys.modules
]
facts["listed"] = sorted(module.name for module in pkgutil.iter_modules(paddle.__path__, "paddle."))
facts["source"] = inspect.getsource(fluid.dygraph.Linear)[:13]
facts["pickle"] = [
    pickle.loads(b"cpaddle.fluid.dygraph.nn\\nLinear\\n.") is fluid.dygraph.Linear,
    pickle.loads(pickle.dumps(fluid.dygraph.Linear)) is fluid.dygraph.Linear,
]
average = fluid.average
facts["reload"] = [
    importlib.reload(average) is average is sys.modules["paddle.fluid.average"],
    average.__spec__.name, hasattr(average, "no_such_name"), "__getattr__" in vars(average),
]
loader = average.__spec__.loader
facts["run"] = [
    loader.get_code("paddle.fluid.average").co_filename == average.__file__,
    loader.get_source("paddle.fluid.average") == inspect.getsource(average),
    loader.is_package("paddle.fluid.average"),
    before.loader.is_package("paddle"),
]
print(json.dumps(facts))
"""


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python, with its output as text."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("facts")
    (folder / "program.py").write_text(PROGRAM)
    result = run("-m", "refluid", "program.py", cwd=folder)
    assert result.stderr == ""
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def test_paddle_is_refluids(facts: dict[str, Any]) -> None:
    assert Path(facts["file"]).parts[-3:] == ("refluid", "paddle", "__init__.py")
    assert facts["names"][:2] == ["refluid.paddle", "refluid.paddle.fluid"]
    assert "refluid.paddle" in facts["names"][2]


def test_module_is_one_object_under_both_names(facts: dict[str, Any]) -> None:
    assert facts["paths"] > 30
    assert facts["two objects"] == []
    assert facts["one name"] == []


def test_every_way_to_a_module_gives_the_same(facts: dict[str, Any]) -> None:
    assert facts["bound"] == [True] * 5


def test_threads_that_import_at_once_get_the_finished_module(facts: dict[str, Any]) -> None:
    assert facts["threads"] == [8, 1, True]


def test_asking_for_a_module_loads_nothing(facts: dict[str, Any]) -> None:
    name, origin, locations = facts["asked"]
    assert name == "paddle"
    assert origin == facts["file"]
    assert locations == [os.path.dirname(origin)]
    assert facts["asking loads"] is False
    assert facts["code of alias"] == origin
    assert facts["source of alias"] == '"""'


def test_modules_can_be_listed(facts: dict[str, Any]) -> None:
    assert {"paddle.batch", "paddle.fluid", "paddle.reader"} <= set(facts["listed"])


def test_source_can_be_shown(facts: dict[str, Any]) -> None:
    assert facts["source"] == "class Linear("


def test_pickles_find_classes_under_both_names(facts: dict[str, Any]) -> None:
    assert facts["pickle"] == [True, True]


def test_module_can_be_reloaded_and_run(facts: dict[str, Any]) -> None:
    assert facts["reload"] == [True, "refluid.paddle.fluid.average", False, True]
    assert facts["run"] == [True, True, False, True]


@pytest.fixture
def other_paddle(tmp_path: Path) -> Path:
    """Return a folder with another package called paddle."""
    for package in ("paddle", "paddle/fluid", "paddle/nn"):
        (tmp_path / "site" / package).mkdir(parents=True)
        (tmp_path / "site" / package / "__init__.py").write_text("print('the other')\n")
    return tmp_path / "site"


def beside(other: Path) -> str:
    """Return a PYTHONPATH on which `other` stands before all that is there now."""
    return os.pathsep.join([str(other), *filter(None, [os.environ.get("PYTHONPATH")])])


def test_other_paddle_beside_is_not_used(other_paddle: Path, tmp_path: Path) -> None:
    code = """
import paddle.fluid
print(paddle.fluid.__name__)
try:
    import paddle.nn
except ImportError as error:
    print("Paddle 2" in str(error))
"""
    result = run("-m", "refluid", "-c", code, cwd=tmp_path, PYTHONPATH=beside(other_paddle))
    assert result.stdout.split() == ["refluid.paddle.fluid", "True"]


def test_other_paddle_that_is_loaded_is_an_error(other_paddle: Path, tmp_path: Path) -> None:
    code = "import paddle, refluid; refluid.install()"
    result = run("-c", code, cwd=tmp_path, PYTHONPATH=beside(other_paddle))
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("refluid.errors.RefluidError: `paddle` has been imported already")
    assert str(other_paddle / "paddle" / "__init__.py") in last
    assert "python -m refluid" in last


def test_visualdl_is_refluids_whether_or_not_another_is_there(tmp_path: Path) -> None:
    (tmp_path / "site" / "visualdl").mkdir(parents=True)
    (tmp_path / "site" / "visualdl" / "__init__.py").write_text("print('the other')\n")
    code = """
import sys
from visualdl import LogWriter
from visualdl.writer.writer import LogWriter as same
import visualdl, refluid.visualdl
print(LogWriter is same, visualdl is refluid.visualdl, visualdl.__name__, "torch" in sys.modules)
"""
    path = beside(tmp_path / "site")
    result = run("-m", "refluid", "-c", code, cwd=tmp_path, PYTHONPATH=path)
    assert (result.stdout, result.stderr) == ("True True refluid.visualdl False\n", "")
    installed = f"import refluid\nrefluid.install()\n{code}"
    assert run("-c", installed, cwd=tmp_path, PYTHONPATH=path).stdout == result.stdout
    assert run("-c", "import visualdl", cwd=tmp_path, PYTHONPATH=path).stdout == "the other\n"
    late = run("-c", "import visualdl, refluid\nrefluid.install()", cwd=tmp_path, PYTHONPATH=path)
    assert "RefluidError: `visualdl` has been imported already" in late.stderr


def test_install_works_twice_and_after_refluids_modules(tmp_path: Path) -> None:
    code = """
import sys
import refluid.paddle.fluid as before
import refluid
refluid.install()
finders = list(sys.meta_path)
refluid.install()
import paddle.fluid
print(finders == sys.meta_path, paddle.fluid is before, hasattr(before, "Executor"))
"""
    result = run("-c", code, cwd=tmp_path)
    assert (result.stdout, result.stderr) == ("True True False\n", "")


@pytest.mark.slow
def test_notebook_extension_installs_the_hook(tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    code = (
        "%load_ext refluid\n%reload_ext refluid\nimport paddle.fluid\nprint(paddle.fluid.__name__)"
    )
    result = run("-m", "IPython", "-c", code, cwd=tmp_path, IPYTHONDIR=str(tmp_path))
    assert "refluid.paddle.fluid" in result.stdout.split()
    assert result.returncode == 0
