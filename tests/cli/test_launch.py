"""`refluid launch` as it is typed; what it does is tested in tests/distributed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from refluid.cli import main; main()", "launch"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100", "TERM": "dumb"}
PROGRAM = """
import os, sys
print(sys.argv[1:], os.environ["RANK"], os.environ["WORLD_SIZE"], os.environ["MASTER_ADDR"])
if "fail" in sys.argv:
    sys.exit(5)
"""


def launch(folder: Path, *arguments: str) -> tuple[int, list[str], str]:
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=50,
    )
    return done.returncode, sorted(done.stdout.splitlines()), done.stderr


def test_a_program_is_started_with_its_own_options(tmp_path):
    status, out, err = launch(tmp_path, "--nproc", "2", "program.py", "--nproc", "7", "-x")
    assert (status, err) == (0, "")
    assert out == [f"[{rank}] ['--nproc', '7', '-x'] {rank} 2 127.0.0.1" for rank in (0, 1)]


def test_a_module_is_started_after_two_dashes(tmp_path):
    assert launch(tmp_path, "--", "-m", "program", "a") == (0, ["[0] ['a'] 0 1 127.0.0.1"], "")


def test_ranks_are_counted_over_all_nodes(tmp_path):
    options = ["--nproc", "2", "--nnodes", "2", "--node-rank", "1", "--master", "10.0.0.1:99"]
    status, out, _ = launch(tmp_path, *options, "program.py")
    assert status == 0
    assert out == [f"[{rank}] [] {rank} 4 10.0.0.1" for rank in (2, 3)]


def test_output_goes_into_files(tmp_path):
    assert launch(tmp_path, "--log-dir", "log", "program.py") == (0, [], "")
    text = (tmp_path / "log" / "workerlog.0").read_text(encoding="utf-8")
    assert text == "[] 0 1 127.0.0.1\n"


def test_the_status_of_the_program_is_passed_on_and_restarts_are_counted(tmp_path):
    status, out, err = launch(tmp_path, "--max-restarts", "1", "program.py", "fail")
    assert (status, len(out)) == (5, 2)
    assert err.splitlines() == [
        "refluid: rank 0 of 1 failed with exit status 5.",
        "refluid: all are started again: 1 of 1.",
        "refluid: rank 0 of 1 failed with exit status 5.",
        "refluid: rank 0 of 1 failed with exit status 5.",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.py"], "refluid: there is no program 'none.py' in "),
        (["--nnodes", "2", "program.py"], "refluid: `master` is missing: with several nodes"),
        (["--timeout", "0", "program.py"], "refluid: `timeout` must be above 0 s, but is 0."),
        (["--master", "here", "program.py"], "refluid: `master` must be HOST:PORT"),
        (["--master", "192.0.2.1:99", "program.py"], "refluid: 192.0.2.1 is no address of this"),
        (["--nnodes", "2", "--node-rank", "2", "--master", "a:1", "program.py"],
         "refluid: `node_rank` must be from 0 to 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(tmp_path, arguments, said):
    status, out, err = launch(tmp_path, *arguments)
    assert (status, out) == (2, [])
    assert err.startswith(said)
    assert err.count("\n") == 1
