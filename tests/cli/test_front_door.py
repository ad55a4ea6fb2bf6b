"""The same program under `python` and under `python -m refluid`: nothing that it sees differs."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

# What a program can see of how it was started.
LOOK = """
import sys
print(sys.argv)
print(sys.path)
print(__name__, __doc__, __package__, __spec__ and (__spec__.name, __spec__.origin))
print(sorted(globals()))
print(globals().get("__file__"), globals().get("__cached__"), __annotations__)
print(getattr(__loader__, "__name__", type(__loader__)), __builtins__)
print(sys.modules["__main__"].__dict__ is globals())
"""

# Chained exceptions, from several files and lines.
FAIL = """
import other

def outer():
    try:
        other.inner(0)
    except ZeroDivisionError as error:
        raise KeyError("outer") from error

if __name__ == "__main__":
    outer()
"""

OTHER = """
def inner(x):
    return 1 / x
"""

THREAD = """
import atexit, sys, threading
first = threading.Event()

def late():
    first.wait()
    import __main__
    print("thread", __main__ is sys.modules["__main__"], __main__.first.is_set(), flush=True)

atexit.register(lambda: print("exit", sys.modules["__main__"].first.is_set()))
threading.Thread(target=late).start()
first.set()
"""

PICKLE = """
import pickle, pickletools

class Point:
    def __init__(self, x):
        self.x = x

text = pickle.dumps(Point(3))
print(text)
print(pickle.loads(text).x, Point.__module__, Point.__qualname__)
"""

HOOK = """
import sys, traceback

def hook(kind, value, tb):
    print("hook", kind.__name__, value, [frame.name for frame in traceback.extract_tb(tb)])

sys.excepthook = hook

def fail():
    raise ValueError("seen by the hook")

fail()
"""

SPAWN = """
import multiprocessing, sys

class Box:
    pass

def work(connection):
    box = Box()
    connection.send((__name__, sys.argv, Box.__module__))

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there,))
    process.start()
    print(here.recv())
    process.join()
    print(process.exitcode)
"""


@dataclass(frozen=True)
class Case:
    """One command line: what stands after `python` or after `python -m refluid`."""

    command: tuple[str, ...]
    files: dict[str, str | bytes] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    stdin: str = ""


CASES = {
    "script": Case(("a.py", "-m", "--device", "x"), {"a.py": LOOK}),
    "script in a folder": Case(("sub/a.py",), {"sub/a.py": LOOK}),
    "script by a winding path": Case(("./sub/../sub/a.py",), {"sub/a.py": LOOK}),
    "script imports its neighbour": Case(
        ("sub/a.py",), {"sub/a.py": "import b", "sub/b.py": "print(__file__)"}
    ),
    "script beside files with the names of Python's own modules": Case(
        ("sub/a.py",), {"sub/a.py": LOOK, **dict.fromkeys(("grp.py", "fnmatch.py"), "1 / 0")}
    ),
    "module": Case(
        ("-m", "package.mod", "-c"), {"package/mod.py": LOOK, "package/__init__.py": ""}
    ),
    "module without a space": Case(("-mmod", "x"), {"mod.py": LOOK}),
    "package": Case(
        ("-m", "package"),
        {"package/__init__.py": "import sys; print(sys.argv)", "package/__main__.py": LOOK},
    ),
    "module imported by its package": Case(
        ("-m", "package.mod"),
        {"package/__init__.py": "import package.mod", "package/mod.py": "print(__name__)"},
    ),
    "code": Case(("-c", LOOK, "-m", "x")),
    "code without a space": Case(("-cprint(1)",)),
    "standard input": Case(("-", "x"), stdin=LOOK),
    "folder": Case(("app", "x"), {"app/__main__.py": LOOK}),
    "exit status": Case(("a.py",), {"a.py": "import sys; sys.exit(3)"}),
    "exit with words": Case(("a.py",), {"a.py": "import sys; sys.exit('words')"}),
    "exit with nothing": Case(("a.py",), {"a.py": "raise SystemExit"}),
    "exit in a module": Case(("-m", "a"), {"a.py": "raise SystemExit(4)"}),
    "hard exit": Case(("a.py",), {"a.py": "import os; os._exit(5)"}),
    "uncaught exception": Case(("a.py",), {"a.py": FAIL, "other.py": OTHER}),
    "uncaught exception in a module": Case(("-m", "a"), {"a.py": FAIL, "other.py": OTHER}),
    "uncaught exception in a folder": Case(
        ("app",), {"app/__main__.py": FAIL, "app/other.py": OTHER}
    ),
    "uncaught exception in code": Case(("-c", "def f():\n    1 / 0\nf()")),
    "uncaught exception on standard input": Case(("-",), stdin="def f():\n    1 / 0\nf()"),
    "failing import": Case(("a.py",), {"a.py": "\nimport absent_module"}),
    "interrupt": Case(("a.py",), {"a.py": "print('before')\nraise KeyboardInterrupt"}),
    "interrupt in a module": Case(("-m", "a"), {"a.py": "raise KeyboardInterrupt"}),
    "interrupt by signal": Case(
        ("a.py",), {"a.py": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('no')"}
    ),
    "killed": Case(
        ("a.py",), {"a.py": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nprint('no')"}
    ),
    "excepthook of the program": Case(("a.py",), {"a.py": HOOK}),
    "threads and exit handlers": Case(("a.py",), {"a.py": THREAD}),
    "missing file": Case(("absent.py",)),
    "missing module": Case(("-m", "absent_module")),
    "missing package": Case(("-m", "absent_package.module")),
    "folder without a program": Case(("app",), {"app/x.py": ""}),
    "package without a program": Case(("-m", "package"), {"package/__init__.py": ""}),
    "syntax error": Case(("a.py",), {"a.py": "x = 1\nif x\n    y = 2\n"}),
    "syntax error in a module": Case(("-m", "a"), {"a.py": "x = 1\nx = = 2\n"}),
    "syntax error in code": Case(("-c", "x = = 2")),
    "other encoding": Case(
        ("a.py",), {"a.py": "# -*- coding: latin-1 -*-\nprint(ascii('\xe9'))\n".encode("latin-1")}
    ),
    "byte order mark": Case(("a.py",), {"a.py": b"\xef\xbb\xbfprint(__doc__)\n"}),
    "not a program at all": Case(("a.gz",), {"a.gz": b"print(1)\n"}),
    "annotations": Case(("a.py",), {"a.py": "x: 1 + 1 = 5\nprint(__annotations__)"}),
    "source of a function": Case(
        ("a.py",), {"a.py": "import inspect\ndef f(): pass\nprint(inspect.getsource(f))"}
    ),
    "pickle of its own class": Case(("a.py",), {"a.py": PICKLE}),
    "warning": Case(("a.py",), {"a.py": "import warnings\nwarnings.warn('careful')"}),
    "reads standard input": Case(("a.py",), {"a.py": "print(input())"}, stdin="line"),
    "optimized": Case(
        ("a.py",), {"a.py": "assert False\nprint(__debug__)"}, options=("-O", "-u", "-Wignore")
    ),
    "children by fork": Case(("a.py", "fork"), {"a.py": SPAWN}),
    "children by spawn": Case(("a.py", "spawn"), {"a.py": SPAWN}),
    "children by forkserver": Case(("a.py", "forkserver"), {"a.py": SPAWN}),
    "children of a module": Case(("-m", "a", "spawn"), {"a.py": SPAWN}),
}


def python(case: Case, cwd: Path, *, refluid: bool) -> subprocess.CompletedProcess[str]:
    """Run a case in `cwd`, in which its files are."""
    command = [sys.executable, *case.options, *(("-m", "refluid") if refluid else ())]
    return subprocess.run(
        [*command, *case.command], cwd=cwd, input=case.stdin, capture_output=True, text=True
    )


def write(files: dict[str, str | bytes], folder: Path) -> None:
    """Write the files of a case."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_program_sees_what_python_shows_it(case: Case, tmp_path: Path) -> None:
    write(case.files, tmp_path)
    expected = python(case, tmp_path, refluid=False)
    result = python(case, tmp_path, refluid=True)
    assert result.stderr == expected.stderr
    assert result.stdout == expected.stdout
    assert result.returncode == expected.returncode


def test_zip_file_runs_as_under_python(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", LOOK + "import other; other.inner(0)")
        archive.writestr("other.py", OTHER)
    case = Case(("app.pyz", "x"))
    expected = python(case, tmp_path, refluid=False)
    result = python(case, tmp_path, refluid=True)
    assert (result.stdout, result.stderr) == (expected.stdout, expected.stderr)
    assert result.returncode == expected.returncode == 1


def test_linked_script_has_the_path_of_the_file_itself(tmp_path: Path) -> None:
    write({"real/a.py": LOOK}, tmp_path)
    (tmp_path / "link.py").symlink_to("real/a.py")
    case = Case(("link.py",))
    assert python(case, tmp_path, refluid=True).stdout == (
        python(case, tmp_path, refluid=False).stdout
    )


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no -P")
def test_safe_path_is_respected(tmp_path: Path) -> None:
    write({"a.py": LOOK}, tmp_path)
    case = Case(("a.py",), options=("-P",))
    assert python(case, tmp_path, refluid=True).stdout == (
        python(case, tmp_path, refluid=False).stdout
    )


def test_help_is_printed_without_a_program(tmp_path: Path) -> None:
    alone = python(Case(()), tmp_path, refluid=True)
    asked = python(Case(("--help",)), tmp_path, refluid=True)
    assert alone.returncode == asked.returncode == 0
    assert alone.stdout == asked.stdout
    assert "python -m refluid train.py" in alone.stdout
    assert alone.stderr == ""


def test_version_is_printed(tmp_path: Path) -> None:
    result = python(Case(("--version",)), tmp_path, refluid=True)
    assert result.stdout.split()[0] == "refluid"
    assert result.returncode == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("-u", "a.py"), "python -u -m refluid"),
        (("-W", "error", "a.py"), "is for the interpreter"),
        (("--fast", "a.py"), "`--fast` is not an option of refluid"),
        (("--device",), "`--device` needs a value"),
        (("--device", "gpu", "a.py"), "`--device` must be one of cpu, cuda, but is 'gpu'"),
        (("--device=", "a.py"), "but is ''"),
        (("--no-era=1", "a.py"), "`--no-era` takes no value, but got '1'"),
        (("-c",), "`-c` needs a value"),
        (("-m",), "`-m` needs a value"),
    ],
)
def test_wrong_option_is_named_with_a_remedy(
    command: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    write({"a.py": "print('ran')"}, tmp_path)
    result = python(Case(command), tmp_path, refluid=True)
    assert result.returncode == 2
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.startswith("refluid: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("option", [("--device", "cpu"), ("--device=cpu",)])
def test_device_reaches_the_program_and_its_children(
    option: tuple[str, ...], tmp_path: Path
) -> None:
    ask = "from refluid import env; print(env.forced_device())"
    program = f"""
        import subprocess, sys
        {ask}
        sys.stdout.flush()
        subprocess.run([sys.executable, "-c", {ask!r}], check=True)
    """
    write({"a.py": textwrap.dedent(program)}, tmp_path)
    result = python(Case((*option, "a.py")), tmp_path, refluid=True)
    assert result.stdout.split() == ["cpu", "cpu"]
