"""A file of records is whole at every instant, and goes on where an earlier program ended."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from refluid.errors import RunError
from refluid.visualdl.record_file import CUT_BACK, RecordFile, open_in, open_named
from refluid.visualdl.wire import Kind, Point, block, point_of, record, single

PAGE = 4096


def bodies(path: Path) -> list[tuple[int, bytes]]:
    """Where each record begins, and what it is; the file must end with a whole one."""
    content, at, found = path.read_bytes(), 0, []
    while at < len(content):
        (size,) = struct.unpack_from("<Q", content, at)
        assert at + 8 + size <= len(content), "the file ends within a record"
        found.append((at, content[at + 8 : at + 8 + size]))
        at += 8 + size
    return found


def points(path: Path) -> list[Point]:
    return [point for _, body in bodies(path) if (point := point_of(body)) is not None]


def steps(path: Path, tag: str) -> list[int]:
    return [step for (_, name, _), step in points(path) if name == tag.encode()]


def text(size: int) -> bytes:
    return record(b"text", size, 1, block(Kind.TEXT, block(1, b"x" * size)))


def add(file: RecordFile, tag: str, *steps: int) -> None:
    for step in steps:
        body = record(tag.encode(), step, 1_600_000_000_000, single(Kind.SCALAR, step))
        file.add((Kind.SCALAR, tag.encode(), b""), step, body)


def scalars(folder: Path, tag: str, *steps: int) -> Path:
    """Add points as a program of its own does."""
    file = open_in(folder, "")
    add(file, tag, *steps)
    file.close()
    return file.path


def test_no_small_record_lies_across_the_edge_of_a_page(tmp_path: Path) -> None:
    file = open_in(tmp_path, "")
    sizes = [*range(1, 400), *range(PAGE - 120, PAGE - 60)]
    for size in sizes:
        file.add((Kind.TEXT, b"text", b""), size, text(size))
    file.close()
    for at, body in bodies(file.path):
        assert at // PAGE == (at + 8 + len(body) - 1) // PAGE
    assert steps(file.path, "text") == sizes


def test_record_of_any_number_of_pages_is_written(tmp_path: Path) -> None:
    file = open_in(tmp_path, "")
    sizes = [size for k in (1, 2, 3, 40) for size in range(k * PAGE - 60, k * PAGE + 20)]
    for size in sizes:
        file.add((Kind.TEXT, b"text", b""), size, text(size))
    file.close()
    written = [body for _, body in bodies(file.path) if point_of(body) is not None]
    assert written == [text(size) for size in sizes]


def test_file_is_whole_between_any_two_writes_of_a_large_record(tmp_path: Path) -> None:
    """Each system call is one instant; every one that writes is of one page, or under a void."""
    program = """
import os, shutil, sys
from pathlib import Path
from refluid.visualdl.record_file import open_in
from refluid.visualdl.wire import Kind, block, record
pwrite, copies = os.pwrite, []
file = open_in(Path(sys.argv[1]), "")
def watched(descriptor, content, at):
    # as if it were killed at each page that it touches
    done = 0
    while done < len(content):
        part = content[done : done + 4096 - (at + done) % 4096]
        done += pwrite(descriptor, part, at + done)
        copies.append(shutil.copyfile(file.path, Path(sys.argv[2], str(len(copies)))))
    return done
os.pwrite = watched
for size in (50, 3000, 3000, 9000, 20, 12288 - 80, 100):
    file.add((Kind.TEXT, b"t", b""), 0, record(b"t", 0, 1, block(Kind.TEXT, block(1, b"x" * size))))
print(len(copies))
"""
    (tmp_path / "copies").mkdir()
    (tmp_path / "log").mkdir()
    command = [sys.executable, "-c", program, tmp_path / "log", tmp_path / "copies"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    num = int(done.stdout)
    assert num > 20
    counts = [len(points(tmp_path / "copies" / str(k))) for k in range(num)]
    assert counts == sorted(counts)
    assert counts[-1] == 7


def test_file_is_continued_by_the_next_program(tmp_path: Path) -> None:
    first = scalars(tmp_path, "a", 0, 1, 2)
    assert scalars(tmp_path, "a", 3, 4) == first
    assert steps(first, "a") == [0, 1, 2, 3, 4]


def test_points_that_come_again_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    path = scalars(tmp_path, "a", *range(10))
    file = open_in(tmp_path, "")
    add(file, "a", 6)
    add(file, "a", 7)
    file.close()
    assert steps(path, "a") == [0, 1, 2, 3, 4, 5, 6, 7]
    assert sum(CUT_BACK in body for _, body in bodies(path)) == 1
    assert os.listdir(tmp_path) == [path.name]


def test_other_series_stay(tmp_path: Path) -> None:
    scalars(tmp_path, "a", *range(10))
    path = scalars(tmp_path, "b", *range(10))
    scalars(tmp_path, "a", 5)
    assert steps(path, "a") == [0, 1, 2, 3, 4, 5]
    assert steps(path, "b") == list(range(10))


def test_steps_that_a_program_repeats_itself_stay(tmp_path: Path) -> None:
    path = scalars(tmp_path, "a", 0, 1, 2, 0, 1, 2)
    assert steps(path, "a") == [0, 1, 2, 0, 1, 2]


def test_curve_that_begins_again_is_kept_in_a_copy(tmp_path: Path) -> None:
    path = scalars(tmp_path, "a", 0, 1, 2)
    before = path.read_bytes()
    for _ in range(2):
        scalars(tmp_path, "a", 0, 1)
    assert steps(path, "a") == [0, 1]
    copies = sorted(each.name for each in tmp_path.iterdir() if each != path)
    assert copies == [path.name.replace("vdlrecords", "replaced") + end for end in ("", "-2")]
    assert (tmp_path / copies[0]).read_bytes() == before


def test_record_without_a_step_replaces_nothing(tmp_path: Path) -> None:
    path = scalars(tmp_path, "a", 0, 1)
    file = open_in(tmp_path, "")
    file.add((Kind.SCALAR, b"a", b""), None, record(b"a", 0, 1, single(Kind.SCALAR, 1)))
    file.close()
    assert steps(path, "a") == [0, 1, 0]


@pytest.mark.parametrize("missing", [1, 7, 8, 12, 22, 24])
def test_cut_record_is_taken_off(tmp_path: Path, missing: int) -> None:
    path = scalars(tmp_path, "a", 0, 1, 2)
    os.truncate(path, path.stat().st_size - missing)
    scalars(tmp_path, "a", 2, 3)
    assert steps(path, "a") == [0, 1, 2, 3]


def test_zeros_that_a_crash_leaves_are_taken_off(tmp_path: Path) -> None:
    path = scalars(tmp_path, "a", 0, 1)
    with path.open("ab") as file:
        file.write(bytes(5000))
    scalars(tmp_path, "a", 2)
    assert steps(path, "a") == [0, 1, 2]


@pytest.mark.parametrize(
    "content", [b"not records at all, but a text", bytes([1] * 5000), b"\0" * 8 + b"x"]
)
def test_foreign_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    foreign = tmp_path / "vdlrecords.9999999998.log"
    foreign.write_bytes(content)
    path = scalars(tmp_path, "a", 0)
    assert path.name > foreign.name  # viewers read the last
    assert foreign.read_bytes() == content
    with pytest.raises(RunError, match="cannot be gone on with"):
        open_named(foreign)


def test_writers_of_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    first, second = open_in(tmp_path, ""), open_in(tmp_path, "")
    for file in (first, second):
        add(file, "a", 0, 1)
    assert first.path != second.path
    with pytest.raises(RunError, match="another `LogWriter`"):
        open_named(first.path)
    for file in (first, second):
        assert steps(file.path, "a") == [0, 1]
        file.close()


def test_each_suffix_has_files_of_its_own(tmp_path: Path) -> None:
    paths = []
    for suffix in (".train", ".valid", ".train", ".valid"):
        file = open_in(tmp_path, suffix)
        paths.append(file.path)
        file.close()
    assert paths[:2] == paths[2:]
    assert paths[0].name.endswith(".log.train")


def test_forked_process_leaves_the_file_to_its_parent(tmp_path: Path) -> None:
    program = """
import os, sys
from refluid.visualdl import LogWriter
writer = LogWriter(sys.argv[1])
writer.add_scalar("a", 0, 0)
child = os.fork()
writer.add_scalar("a", 0, 1)
os.write(1, (os.path.basename(writer.file_name) + chr(10)).encode())
if child:
    sys.exit(os.waitpid(child, 0)[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    assert sorted(done.stdout.split()) == sorted(os.listdir(tmp_path))
    assert sorted(steps(path, "a") for path in tmp_path.iterdir()) == [[0, 1], [1]]


def test_full_disk_is_an_error_and_leaves_the_file_whole(tmp_path: Path) -> None:
    program = """
import json, resource, sys
from refluid.visualdl import LogWriter
writer = LogWriter(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
errors = []
for size in (5000, 3000, 3000):
    try:
        writer.add_text("t", "x" * size, size)
    except OSError as error:
        errors.append(size)
writer.add_scalar("a", 1, 1)
print(json.dumps([errors, writer.file_name]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    errors, path = json.loads(done.stdout)
    assert errors
    assert steps(Path(path), "a") == [1]
    assert 5000 in steps(Path(path), "t") or 5000 in errors
