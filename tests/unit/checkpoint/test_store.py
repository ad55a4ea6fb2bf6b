from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from refluid.checkpoint.store import Store, run_of
from refluid.errors import CheckpointError
from refluid.state.tree import Packed

RUN = "f00d" * 8

PREAMBLE = """
import os, resource, shutil, signal, sys
from pathlib import Path
import torch
from refluid.checkpoint import atomic, step_folder, store
from refluid.checkpoint.store import Store
from refluid.errors import CheckpointError
from refluid.state.tree import Packed

folder = Path(sys.argv[1])

def state(step):
    # larger than a file's buffer, so that the writes are spread over the saving
    return Packed({"step": step}, {"w": torch.full((3000,), float(step)), "n": torch.tensor(step)})

def is_whole(loaded):
    step, packed = loaded.step, loaded.packed
    same = packed.structure == {"step": step} and packed.tensors["n"].item() == step
    return same and packed.tensors["w"].tolist() == [float(step)] * 3000
"""

KILLED_AT_EVERY_LINE = (
    PREAMBLE
    + """
# all that touch files; deleting a tree counts as one line, since it has lost its name before
watched = {module.__file__ for module in (atomic, step_folder, store)}

template = folder.with_name("template")
with_three = Store(template, "r")
for step in (10, 20, 30):
    with_three.save(step, state(step), {})
os.truncate(template / "step-00000030/state.json", 3)

def save_and_die_before_line(instant):
    resumed = Store(folder, "r")
    resumed.load(20)
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
    resumed.save(30, state(30), {})
    resumed.retain(1)
    sys.settrace(None)
    os._exit(0)

instant = 0
ended = False
while not ended:
    instant += 1
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    child = os.fork()
    if child == 0:
        save_and_die_before_line(instant)
    ended = os.WIFEXITED(os.waitpid(child, 0)[1])
    after = Store(folder, "r")
    loaded = after.newest()
    assert is_whole(loaded)
    # every one that has its name is whole, apart from the one that was harmed
    assert all(is_whole(after.load(step)) for step in after.steps())
    print(loaded.step, *after.steps())
    after.save(40, state(40), {})
    assert not [name for name in os.listdir(folder) if name.endswith(".tmp")]
"""
)

WITHOUT_ROOM = (
    PREAMBLE
    + """
Store(folder, "r").save(10, state(10), {})
resumed = Store(folder, "r")
resumed.newest()
for limit in range(0, 13000, 512):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        resumed.save(20, state(20), {})
    except CheckpointError as error:
        message = str(error)
        assert os.listdir(folder) == ["step-00000010"]
        assert is_whole(Store(folder, "r").newest())
    else:
        break
print(limit, resumed.save(30, state(30), {}).name)
print(message)
"""
)

WITHOUT_RIGHTS = (
    PREAMBLE
    + """
Store(folder, "r").save(10, state(10), {})
Store(folder, "r").save(20, state(20), {})
os.truncate(folder / "step-00000020/state.json", 3)
if what == "read-only":
    os.chmod(folder, 0o555)
else:
    os.chmod(folder / "step-00000020/manifest.json", 0o000)
if os.getuid() == 0:
    os.chmod(folder.parent, 0o755)
    os.chdir(folder.parent)
    os.setuid(65534)  # nothing is forbidden to root
    folder = Path(folder.name)
resumed = Store(folder, "r")
"""
)


@pytest.fixture
def folder(tmp_path):
    """A folder in memory where there is one: a kill, unlike a power cut, does not touch disks."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path / "checkpoints"
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name) / "checkpoints"


def run(program: str, *arguments: object) -> str:
    # From `python -c` on, there are no threads that a fork would lose
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    return done.stdout


def state(step: int) -> Packed:
    return Packed(
        {"step": [step, None, "\u4e2d"]}, {"w": torch.arange(5) * step, "e": torch.empty(0)}
    )


def filled(folder: Path, *steps: int, **losses: float) -> Store:
    store = Store(folder, RUN)
    for step in steps:
        store.save(step, state(step), {"loss": losses.get(f"at_{step}", 1 / step)})
    return store


def cut(folder: Path, step: int, name: str = "state.json") -> None:
    os.truncate(folder / f"step-{step:08d}" / name, 3)


def assert_is(loaded, step: int) -> None:
    assert loaded.step == step
    assert loaded.packed.structure == {"step": [step, None, "\u4e2d"]}
    assert loaded.packed.tensors["w"].tolist() == [0, step, 2 * step, 3 * step, 4 * step]
    assert loaded.packed.tensors["e"].shape == (0,)


# --- saving -------------------------------------------------------------------------------------


def test_the_newest_comes_back_in_another_store(tmp_path):
    path = filled(tmp_path / "new" / "checkpoints", 100, 500, 90).save(501, state(501), {"a": 1})
    assert path == tmp_path / "new" / "checkpoints" / "step-00000501"
    loaded = Store(tmp_path / "new" / "checkpoints", RUN).newest()
    assert_is(loaded, 501)
    assert (loaded.path, loaded.metrics) == (path, {"a": 1.0})


def test_there_is_none_in_a_folder_that_is_empty_or_missing(tmp_path):
    assert Store(tmp_path / "missing", RUN).newest() is None
    assert Store(tmp_path, RUN).newest() is None
    assert not (tmp_path / "missing").exists()


def test_a_checkpoint_can_be_verified_by_hand(tmp_path):
    path = filled(tmp_path, 500).save(500, state(500), {})
    assert sorted(os.listdir(path)) == ["manifest.json", "state.json", "state.safetensors"]
    record = json.loads((path / "manifest.json").read_bytes())
    assert (record["format"], record["run"], record["step"]) == (1, RUN, 500)
    for name, file in record["files"].items():
        content = (path / name).read_bytes()
        assert file == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    command = ["sh", "-c", "head -n -2 manifest.json | sha256sum"]
    output = subprocess.run(command, cwd=path, capture_output=True, check=True).stdout
    assert output.split()[0].decode() == record["sha256"]


def test_saving_a_step_again_changes_nothing(tmp_path):
    store = filled(tmp_path, 500)
    before = (tmp_path / "step-00000500").stat()
    assert store.save(500, state(7), {}) == tmp_path / "step-00000500"
    assert (tmp_path / "step-00000500").stat() == before
    resumed = Store(tmp_path, RUN)
    resumed.newest()
    resumed.save(500, state(7), {})
    assert (tmp_path / "step-00000500").stat() == before


def test_a_step_that_was_passed_over_is_written_anew_and_the_old_one_kept_aside(tmp_path):
    filled(tmp_path, 400, 500)
    back = Store(tmp_path, RUN)
    back.load(400)
    back.save(500, state(500), {"loss": 9})
    assert back.newest().metrics == {"loss": 9}
    (damage,) = back.damaged
    assert damage.path == tmp_path / "step-00000500.damaged"
    assert damage.path.is_dir()


@pytest.mark.parametrize("step", [-1, 10**18, True, 1.0, "1"])
def test_a_step_that_is_no_step_is_refused(tmp_path, step):
    with pytest.raises(ValueError, match=f"`step` must be an integer from 0 on, but is {step!r}"):
        Store(tmp_path, RUN).save(step, state(1), {})


def test_steps_beyond_eight_digits_are_in_order(tmp_path):
    store = filled(tmp_path, 99_999_999, 100_000_000, 10**17)
    assert store.steps() == [99_999_999, 100_000_000, 10**17]
    assert_is(Store(tmp_path, RUN).newest(), 10**17)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    store = filled(tmp_path, 400)
    with pytest.raises(CheckpointError, match="step-00000500 cannot be written: Out of range"):
        store.save(500, Packed({"nan": math.nan}, {}), {})
    with pytest.raises(CheckpointError, match="cannot be written: `metrics` takes more than"):
        store.save(500, state(500), {"loss" * 5_000_000: 1.0})
    assert os.listdir(tmp_path) == ["step-00000400"]


def test_leftovers_are_removed_by_the_next_save_and_nothing_else_is(tmp_path):
    for name in (".step-00000300.0123abcd.tmp", ".step-00000300.tmp", "step-00000300.damaged"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").write_bytes(b"{")
    filled(tmp_path, 400)
    assert sorted(os.listdir(tmp_path)) == [
        ".step-00000300.tmp", "step-00000300.damaged", "step-00000400",
    ]  # fmt: skip


def test_all_of_it_is_on_the_disk_before_it_has_its_name(tmp_path):
    store = filled(tmp_path, 400)
    calls = []

    def note(frame, event, function):
        name = getattr(function, "__name__", "")
        if event == "c_call" and name in ("fsync", "rename"):
            calls.append(name)

    sys.setprofile(note)
    try:
        store.save(500, state(500), {})
        saving = calls.copy()
        store.retain(1)
    finally:
        sys.setprofile(None)
    # three files and their folder; then the name
    assert saving == ["fsync"] * 4 + ["rename", "fsync"]
    assert calls[6:] == ["rename", "fsync"]


@pytest.mark.slow
def test_killed_before_any_line_leaves_the_old_checkpoint_or_the_new_one(folder):
    lines = run(KILLED_AT_EVERY_LINE, folder).splitlines()
    newest = [line.split()[0] for line in lines]
    assert len(lines) > 150
    assert newest == sorted(newest), "new, once there, stays"
    assert newest.count("20") > 80
    assert newest.count("30") > 10
    assert lines[0] == "20 10 20"
    assert "30 10 20 30" in lines
    assert lines[-1] == "30 30"


# --- disks that refuse --------------------------------------------------------------------------


def test_a_full_disk_is_a_clear_error_and_leaves_what_was_there(folder):
    # a limit on the size of files fails in the same places as a lack of room
    numbers, message = run(WITHOUT_ROOM, folder).splitlines()
    limit, name = numbers.split()
    assert int(limit) > 12000
    assert name == "step-00000030"
    assert "step-00000020 cannot be written: File too large" in message
    assert "The checkpoints before it are as they were; make room" in message


def test_a_folder_that_is_read_only_is_read_past_its_damage_and_refuses_to_save(folder):
    program = (
        'what = "read-only"'
        + WITHOUT_RIGHTS
        + """
assert resumed.newest().step == 10
(damage,) = resumed.damaged
print(damage.path.name, damage.reason)
try:
    resumed.save(30, state(30), {})
except CheckpointError as error:
    print(error)
try:
    resumed.retain(1)
finally:
    print(sorted(os.listdir(folder)))
"""
    )
    found, message, names = run(program, folder).splitlines()
    assert found == "step-00000020 state.json has 3 bytes, not 11"
    assert "step-00000030 cannot be written: Permission denied" in message
    assert names == "['step-00000010', 'step-00000020']"


def test_a_checkpoint_that_may_not_be_read_is_not_taken_for_damaged(folder):
    program = (
        'what = "unreadable"'
        + WITHOUT_RIGHTS
        + """
try:
    resumed.newest()
except CheckpointError as error:
    print(error)
print(sorted(os.listdir(folder)), resumed.damaged)
"""
    )
    message, rest = run(program, folder).splitlines()
    assert "step-00000020 cannot be read: Permission denied (manifest.json)." in message
    assert rest == "['step-00000010', 'step-00000020'] []"


def test_a_folder_whose_name_is_taken_by_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "checkpoints").write_bytes(b"")
    with pytest.raises(CheckpointError, match="cannot be written: .*checkpoints"):
        filled(tmp_path / "checkpoints", 400)
    with pytest.raises(CheckpointError, match="cannot be read: Not a directory"):
        Store(tmp_path / "checkpoints", RUN).newest()


# --- damage -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["manifest.json", "state.json", "state.safetensors"])
def test_a_damaged_checkpoint_is_named_and_kept_aside_and_the_one_before_is_used(tmp_path, name):
    filled(tmp_path, 300, 400, 500)
    cut(tmp_path, 500, name)
    store = Store(tmp_path, RUN)
    assert_is(store.newest(), 400)
    (damage,) = store.damaged
    assert (damage.step, damage.path) == (500, tmp_path / "step-00000500.damaged")
    assert damage.reason.startswith(name)
    assert (damage.path / name).stat().st_size == 3
    assert sorted(os.listdir(tmp_path)) == [
        "step-00000300", "step-00000400", "step-00000500.damaged",
    ]  # fmt: skip


def test_damaged_ones_of_one_step_are_all_kept(tmp_path):
    for _ in range(3):
        store = filled(tmp_path, 400, 500)
        cut(tmp_path, 500)
        assert_is(store.newest(), 400)
    assert sorted(os.listdir(tmp_path)) == [
        "step-00000400", "step-00000400.damaged", "step-00000400.damaged-2",
        "step-00000500.damaged", "step-00000500.damaged-2", "step-00000500.damaged-3",
    ]  # fmt: skip


def test_if_all_are_damaged_there_is_none(tmp_path):
    filled(tmp_path, 400, 500)
    cut(tmp_path, 400)
    cut(tmp_path, 500)
    store = Store(tmp_path, RUN)
    assert store.newest() is None
    assert [damage.step for damage in store.damaged] == [500, 400]


def test_a_checkpoint_of_another_run_is_not_loaded(tmp_path):
    filled(tmp_path, 400)
    other = Store(tmp_path, "beef" * 8)
    other.save(300, state(300), {})
    assert_is(other.newest(), 300)
    (damage,) = other.damaged
    assert damage.reason == f"it is of another run, {RUN!r}"


def test_a_checkpoint_under_the_name_of_another_step_is_not_loaded(tmp_path):
    filled(tmp_path, 400)
    (tmp_path / "step-00000400").rename(tmp_path / "step-00000500")
    store = Store(tmp_path, RUN)
    assert store.newest() is None
    assert store.damaged[0].reason == "it is of another step, 400"


def test_a_checkpoint_of_a_later_version_is_an_error_and_stays(tmp_path):
    filled(tmp_path, 400, 500)
    manifest = tmp_path / "step-00000500" / "manifest.json"
    head = manifest.read_bytes().replace(b'"format": 1', b'"format": 3').rsplit(b"  ", 1)[0]
    seal = b'  "sha256": "%s"\n}\n' % hashlib.sha256(head).hexdigest().encode()
    manifest.write_bytes(head + seal)
    store = Store(tmp_path, RUN)
    with pytest.raises(CheckpointError, match="step-00000500 .*in version 3 of the format"):
        store.newest()
    assert store.steps() == [400, 500]
    assert store.load(400).step == 400
    store.save(600, state(600), {})
    assert store.retain(1) == [400]
    assert store.steps() == [500, 600], "it is not ours to delete"


def test_a_folder_says_whose_run_it_is_of(tmp_path):
    assert run_of(tmp_path / "missing") is None
    assert run_of(tmp_path) is None
    filled(tmp_path, 300, 400, 500)
    assert run_of(tmp_path) == RUN
    cut(tmp_path, 500, "manifest.json")
    cut(tmp_path, 400)
    assert run_of(tmp_path) == RUN
    cut(tmp_path, 300)
    assert run_of(tmp_path) is None
    assert Store(tmp_path, RUN).steps() == [300, 400, 500], "it is asked, not judged"


def test_one_step_can_be_loaded_and_is_left_where_it_is(tmp_path):
    store = filled(tmp_path, 400, 500)
    assert_is(store.load(400), 400)
    cut(tmp_path, 500)
    with pytest.raises(CheckpointError, match="step-00000500 cannot be loaded: state.json has 3"):
        store.load(500)
    with pytest.raises(CheckpointError, match="step-00000600 cannot be loaded: No such file"):
        store.load(600)
    assert store.steps() == [400, 500]


def test_what_was_saved_here_and_is_damaged_since_is_written_again(tmp_path):
    store = filled(tmp_path, 400, 500)
    cut(tmp_path, 500)
    assert_is(store.newest(), 400)
    store.save(500, state(500), {})
    assert_is(Store(tmp_path, RUN).newest(), 500)


# --- retention ----------------------------------------------------------------------------------


def accuracy(metrics):
    return metrics.get("accuracy", math.nan)


def with_accuracies(folder: Path, **accuracies: float | None) -> Store:
    store = Store(folder, RUN)
    for name, value in accuracies.items():
        store.save(int(name[3:]), state(1), {} if value is None else {"accuracy": value})
    return store


def test_the_last_ones_are_kept(tmp_path):
    store = filled(tmp_path, 1, 2, 3, 4, 5)
    assert store.retain(2) == [1, 2, 3]
    assert store.steps() == [4, 5]
    assert sorted(os.listdir(tmp_path)) == ["step-00000004", "step-00000005"]


def test_the_best_is_kept_too_and_nan_never_is_the_best(tmp_path):
    values = {"at_1": math.nan, "at_2": 0.5, "at_3": 0.9, "at_4": None, "at_5": 0.8, "at_6": 0.1}
    with_accuracies(tmp_path, **values)
    resumed = Store(tmp_path, RUN)
    resumed.newest()
    assert resumed.retain(1, accuracy) == [1, 2, 4, 5]
    assert resumed.steps() == [3, 6]


def test_of_several_best_the_first_is_kept(tmp_path):
    store = with_accuracies(tmp_path, at_1=0.5, at_2=1, at_3=1, at_4=1)
    store.retain(1, accuracy)
    assert store.steps() == [2, 4]


def test_without_any_metric_the_last_ones_are_kept(tmp_path):
    store = with_accuracies(tmp_path, at_1=None, at_2=math.nan, at_3=None)
    assert store.retain(2, accuracy) == [1]


def test_nothing_is_deleted_before_one_is_known_to_be_good(tmp_path):
    filled(tmp_path, 1, 2, 3)
    assert Store(tmp_path, RUN).retain(1) == []
    back = Store(tmp_path, RUN)
    back.load(2)
    assert back.retain(1) == [1]
    assert back.steps() == [2, 3], "what is newer than the known one is not touched"


def test_a_damaged_one_does_not_count_among_the_last(tmp_path):
    filled(tmp_path, 1, 2, 3)
    cut(tmp_path, 2)
    store = Store(tmp_path, RUN)
    store.save(4, state(4), {})
    assert store.retain(3) == []
    assert store.steps() == [1, 3, 4]
    assert [damage.step for damage in store.damaged] == [2]
    cut(tmp_path, 4)
    assert_is(store.newest(), 3)


def test_keeping_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`keep_last` must be at least 1, but is 0"):
        filled(tmp_path, 1).retain(0)


def test_checkpoints_that_were_deleted_by_hand_are_not_missed(tmp_path):
    store = filled(tmp_path, 1, 2, 3)
    shutil.rmtree(tmp_path / "step-00000002")
    shutil.rmtree(tmp_path / "step-00000003")
    assert store.retain(1) == []
    assert_is(store.newest(), 1)
    store.save(3, state(3), {})
    assert store.steps() == [1, 3]
