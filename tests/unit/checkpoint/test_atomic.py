from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from refluid.checkpoint import replacing

KILLED_AT_EVERY_LINE = """
import os, signal, sys
import numpy as np
from refluid.checkpoint import atomic, pickle_writer, read_state, state_file, write_state

path = sys.argv[1]
watched = {atomic.__file__, pickle_writer.__file__, state_file.__file__}
# Larger than the file's buffer, so that the writes are spread over the saving
states = {name: {name: np.full(8000, 1.5, "float32")} for name in ("old", "new")}


def save_and_die_before_line(instant):
    lines = 0

    def trace(frame, event, arg):
        nonlocal lines
        if frame.f_code.co_filename not in watched:
            return None
        if event == "line":
            lines += 1
            if lines == instant:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    write_state(path, states["new"])
    os._exit(0)


instant = 0
ended = False
write_state(path, states["old"])
while not ended:
    instant += 1
    if "old" not in read_state(path):
        write_state(path, states["old"])
    child = os.fork()
    if child == 0:
        save_and_die_before_line(instant)
    ended = os.WIFEXITED(os.waitpid(child, 0)[1])
    (name,) = read_state(path)
    print(name, len(os.listdir(os.path.dirname(path))))
"""

KILLED_AT_ANY_INSTANT = """
import os, random, signal, sys, time
import numpy as np
from refluid.checkpoint import read_state, write_state

path = sys.argv[1]
rng = random.Random(7)
last = 0
for _ in range(60):
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        for number in range(last + 1, last + 1000):
            write_state(path, {"number": number, "w": np.full(5000, number)})
            os.write(sending, b"x")
        os._exit(1)
    os.close(sending)
    acknowledged = last + len(os.read(receiving, 1))
    until = time.perf_counter() + rng.random() * 0.01
    while time.perf_counter() < until:
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    acknowledged += len(os.read(receiving, 1000))
    os.close(receiving)
    state = read_state(path)
    assert state["w"].tolist() == [state["number"]] * 5000
    assert state["number"] in (acknowledged, acknowledged + 1), (state["number"], acknowledged)
    last = state["number"]
print("good")
"""

SAVED_BY_SEVERAL = """
import os, sys
import numpy as np
from refluid.checkpoint import read_state, write_state

path = sys.argv[1]
write_state(path, {"w": np.zeros(5000)})
children = []
for number in range(1, 5):
    child = os.fork()
    if child == 0:
        for _ in range(25):
            write_state(path, {"w": np.full(5000, number)})
        os._exit(0)
    children.append(child)
while children:
    assert len(set(read_state(path)["w"].tolist())) == 1
    child, status = os.waitpid(children[0], os.WNOHANG)
    if child:
        assert status == 0, status
        children.pop(0)
print(*os.listdir(os.path.dirname(path)))
"""


@pytest.fixture
def folder(tmp_path):
    """A folder in memory where there is one: a kill, unlike a power cut, does not touch disks."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


def run(program: str, path: Path) -> str:
    # From `python -c` on, there are no threads that a fork would lose
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_killed_before_any_line_of_saving_leaves_the_old_file_or_the_new_one(folder):
    lines = run(KILLED_AT_EVERY_LINE, folder / "state.pdopt").splitlines()
    names = [line.split()[0] for line in lines]
    assert len(names) > 120
    assert names == sorted(names, reverse=True), "new, once there, stays"
    assert names.count("new") < 20, "the new file has its name only when it is complete"
    # What a killed one left is removed by the next save, so there is never more than one
    assert {line.split()[1] for line in lines} == {"1", "2"}
    assert lines[-1] == "new 1"


def test_killed_at_any_instant_keeps_the_last_save_that_was_acknowledged(folder):
    assert run(KILLED_AT_ANY_INSTANT, folder / "state.pdopt") == "good\n"


def test_several_processes_saving_to_one_file_leave_one_of_theirs_and_nothing_else(folder):
    assert run(SAVED_BY_SEVERAL, folder / "state.pdopt") == "state.pdopt\n"


def test_the_contents_are_on_the_disk_before_the_name_and_the_name_before_the_end(tmp_path):
    calls = []

    def note(frame, event, function):
        name = getattr(function, "__name__", "")
        if event == "c_call" and name in ("write", "flush", "fsync", "replace"):
            calls.append(name)

    sys.setprofile(note)
    try:
        with replacing(tmp_path / "file") as file:
            file.write(b"contents")
    finally:
        sys.setprofile(None)
    assert calls == ["write", "flush", "fsync", "replace", "fsync"]


def test_an_error_in_the_block_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(KeyError), replacing(tmp_path / "file") as file:
        file.write(b"new")
        raise KeyError
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_target_that_is_a_folder_is_refused_and_nothing_is_left_beside_it(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError), replacing(tmp_path / "folder") as file:
        file.write(b"new")
    assert os.listdir(tmp_path) == ["folder"]


def test_a_new_file_has_the_permissions_that_open_gives(tmp_path):
    before = os.umask(0o027)
    try:
        (tmp_path / "by_open").write_bytes(b"")
        with replacing(tmp_path / "by_replacing"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "by_open").stat().st_mode == (tmp_path / "by_replacing").stat().st_mode


def test_an_existing_file_keeps_its_permissions(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o604)
    with replacing(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o604


def test_a_link_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    with replacing(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"new"


def test_a_file_that_is_still_being_written_is_not_taken_for_a_leftover(tmp_path):
    path = tmp_path / "file"
    with replacing(path) as outer:
        outer.write(b"outer")
        thread = threading.Thread(target=write_inner, args=(path,))
        thread.start()
        thread.join()
        assert path.read_bytes() == b"inner"
    assert path.read_bytes() == b"outer"
    assert os.listdir(tmp_path) == ["file"]


def write_inner(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"inner")


def test_leftovers_of_other_files_are_left_alone(tmp_path):
    (tmp_path / ".other.0.tmp").write_bytes(b"")
    (tmp_path / ".file.0.tmp").write_bytes(b"")
    with replacing(tmp_path / "file"):
        pass
    assert sorted(os.listdir(tmp_path)) == [".other.0.tmp", "file"]
