from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# At the top of the program, where a spawned child runs it too, and in the child's own work.
PROGRAM = """
import importlib.util, multiprocessing, os, sys
origin = importlib.util.find_spec("paddle").origin

def work(queue):
    queue.put((os.getpid(), origin, importlib.util.find_spec("paddle").origin))

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    queue = context.SimpleQueue()
    process = context.Process(target=work, args=(queue,))
    process.start()
    child, *origins = queue.get()
    process.join()
    print(child != os.getpid(), *(each == origin for each in origins))
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("command", [["program.py"], ["-m", "program"]], ids=["script", "module"])
def test_child_processes_have_the_hook(method: str, command: list[str], tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    result = subprocess.run(
        [sys.executable, "-m", "refluid", *command, method],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (result.stdout, result.stderr) == ("True True True\n", "")


def test_install_after_multiprocessing_reaches_the_children_too(tmp_path: Path) -> None:
    program = PROGRAM.replace(
        "origin = ",
        "import multiprocessing.spawn, refluid\n"
        "if __name__ == '__main__': refluid.install()\n"
        "origin = ",
        1,
    )
    (tmp_path / "program.py").write_text(program)
    result = subprocess.run(
        [sys.executable, "program.py", "spawn"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (result.stdout, result.stderr) == ("True True True\n", "")
