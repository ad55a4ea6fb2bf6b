"""Damage checkpoints in every way there is, and see what the store makes of them.

    python tests/resume/damage.py [--number 10000] [--seed 0] [--only CASE]

Each case is a folder of three checkpoints. Some are harmed: their bytes by accident (cut, flipped,
swapped, replaced by a pipe) or with intent (contents that make no sense under hashes that match).
Then the newest must be one that was not harmed, with every bit as it was saved, or the error must
be a clear one; within seconds, without much memory, and with no code run. Prints a table and
leaves with status 1 if anything else happened.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import pickle
import random
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from refluid.checkpoint.store import Loaded, Store
from refluid.errors import CheckpointError
from refluid.state.tree import pack, unpack

RUN, OTHER_RUN = "c0ffee" * 5 + "01", "decade" * 5 + "02"
STEPS = (100, 200, 300)
MANIFEST, TENSORS, STRUCTURE = FILES = ("manifest.json", "state.safetensors", "state.json")
MAX_SECONDS = 10
MAX_GROWTH_BYTES = 200 << 20


# --- what is harmed -----------------------------------------------------------------------------


def state_of(step: int) -> dict[str, Any]:
    """A small state with something of everything, different in every part at every step."""
    generator = torch.Generator().manual_seed(step)
    weights = torch.randn(7, 5, generator=generator)
    return {
        "model": {"w": weights, "half": weights.bfloat16(), "mask": weights > 0},
        "optimizer": {"step": torch.tensor(float(step)), "turn": torch.complex(weights, weights)},
        "empty": torch.empty(0, 3, dtype=torch.int64),
        "generators": torch.get_rng_state()[:64] ^ (step & 0xFF),
        "position": (step // 60, step % 60, float("nan"), -0.0, 2**70 + step),
        "text": "line\nbreak \u4e2d",
    }


def same(left: Any, right: Any) -> bool:
    """Whether two states are equal, bit for bit."""
    a, b = pack(left), pack(right)
    return (
        json.dumps(a.structure) == json.dumps(b.structure)
        and list(a.tensors) == list(b.tensors)
        and all(
            x.dtype == y.dtype and x.shape == y.shape and raw(x) == raw(y)
            for x, y in zip(a.tensors.values(), b.tensors.values(), strict=True)
        )
    )


def raw(tensor: torch.Tensor) -> bytes:
    return tensor.reshape(-1).view(torch.uint8).numpy().tobytes()


@dataclass
class Case:
    """One checkpoint that is to be harmed, and where it lies."""

    rng: random.Random
    folder: Path
    step: int
    templates: Path
    canary: Path
    expected: str = "previous"  # or "error", from the store or from unpacking; or "unharmed"

    @property
    def place(self) -> Path:
        return self.folder / f"step-{self.step:08d}"

    def file(self) -> Path:
        return self.place / self.rng.choice(FILES)

    def other_place(self) -> Path:
        """The template of another step."""
        step = self.rng.choice([step for step in STEPS if step != self.step])
        return self.templates / RUN / f"step-{step:08d}"

    def rewrite(self, name: str, content: bytes) -> None:
        """Give a file other contents, and the manifest the hash and size that fit them."""
        (self.place / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()

        def edit(record: dict[str, Any]) -> None:
            record["files"][name] = {"bytes": len(content), "sha256": digest}

        self.edit_manifest(edit)

    def edit_manifest(self, edit: Callable[[dict[str, Any]], object]) -> None:
        record = json.loads((self.place / MANIFEST).read_bytes())
        del record["sha256"]
        edit(record)
        self.seal(json.dumps(record, indent=2).removesuffix("\n}") + ",\n")

    def seal(self, head: str) -> None:
        """Write a manifest with an unbroken seal, as docs/format.md describes it."""
        content = head.encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(content).hexdigest().encode()
        (self.place / MANIFEST).write_bytes(content + b'  "sha256": "' + digest + b'"\n}\n')

    def header(self) -> tuple[dict[str, Any], bytes]:
        """The header of the tensors' file, and the bytes behind it."""
        content = (self.place / TENSORS).read_bytes()
        (length,) = struct.unpack_from("<Q", content)
        return json.loads(content[8 : 8 + length]), content[8 + length :]

    def rewrite_header(self, header: Any, data: bytes) -> None:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        self.rewrite(TENSORS, struct.pack("<Q", len(text)) + text + data)


# --- accidents ----------------------------------------------------------------------------------


def cut(case: Case) -> None:
    file = case.file()
    os.truncate(file, case.rng.randrange(file.stat().st_size))


def cut_at_a_block(case: Case) -> None:
    file = case.file()
    size = file.stat().st_size
    os.truncate(file, (size - 1) // 512 * 512)


def flip_bits(case: Case) -> None:
    file = case.file()
    content = bytearray(file.read_bytes())
    for bit in case.rng.sample(range(len(content) * 8), case.rng.choice((1, 1, 1, 2, 8))):
        content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)


def overwrite(case: Case) -> None:
    file = case.file()
    content = bytearray(file.read_bytes())
    begin = case.rng.randrange(len(content))
    end = min(len(content), begin + case.rng.choice((1, 16, 512)))
    old = bytes(content[begin:end])
    new = case.rng.choice((bytes(len(old)), b"\xff" * len(old), case.rng.randbytes(len(old))))
    content[begin:end] = new if new != old else bytes(byte ^ 1 for byte in old)
    file.write_bytes(content)


def exchange_bytes(case: Case) -> None:
    file = case.file()
    content = bytearray(file.read_bytes())
    a = case.rng.randrange(len(content))
    b = next(k for k in range(len(content)) if content[k] != content[a])
    content[a], content[b] = content[b], content[a]
    file.write_bytes(content)


def append(case: Case) -> None:
    with open(case.file(), "ab") as file:
        file.write(case.rng.choice((b"\0", b"\n", b" ", b"}", case.rng.randbytes(600))))


def empty_file(case: Case) -> None:
    case.file().write_bytes(b"")


def remove_file(case: Case) -> None:
    case.file().unlink()


def remove_all_files(case: Case) -> None:
    for name in FILES:
        (case.place / name).unlink()


def grow_to_a_terabyte(case: Case) -> None:
    os.truncate(case.file(), 1 << 40)  # a hole: takes no room


def file_of_another_step(case: Case) -> None:
    name = case.rng.choice(FILES)
    shutil.copy(case.other_place() / name, case.place / name)


def files_exchanged(case: Case) -> None:
    first, second = case.rng.sample(FILES, 2)
    (case.place / first).rename(case.place / "third")
    (case.place / second).rename(case.place / first)
    (case.place / "third").rename(case.place / second)


def folder_of_another_step(case: Case) -> None:
    replace_folder(case, case.other_place())


def folder_of_another_run(case: Case) -> None:
    replace_folder(case, case.templates / OTHER_RUN / case.place.name)


def replace_folder(case: Case, source: Path) -> None:
    shutil.rmtree(case.place)
    shutil.copytree(source, case.place)


def file_is_a_link(case: Case) -> None:
    file = case.file()
    outside = case.folder / f"{case.step}-{file.name}"
    file.rename(outside)
    file.symlink_to(outside)


def file_is_a_broken_link(case: Case) -> None:
    file = case.file()
    file.unlink()
    file.symlink_to(case.rng.choice(("nowhere", file.name, "/dev/zero", "/dev/tty", "..")))


def file_is_a_folder(case: Case) -> None:
    file = case.file()
    file.unlink()
    file.mkdir()


def file_is_a_pipe(case: Case) -> None:
    file = case.file()
    file.unlink()
    os.mkfifo(file)


def folder_is_a_link(case: Case) -> None:
    moved = case.folder / f"moved-{case.step}"
    case.place.rename(moved)
    case.place.symlink_to(moved)


def folder_is_a_link_in_a_circle(case: Case) -> None:
    shutil.rmtree(case.place)
    case.place.symlink_to(case.place.name)


def folder_is_a_file(case: Case) -> None:
    shutil.rmtree(case.place)
    case.place.write_bytes(b"step")


def folder_is_a_pipe(case: Case) -> None:
    shutil.rmtree(case.place)
    os.mkfifo(case.place)


def folder_is_empty(case: Case) -> None:
    shutil.rmtree(case.place)
    case.place.mkdir()


# --- intent: manifests under an unbroken seal -----------------------------------------------------


def manifest_lies(case: Case) -> None:
    name = case.rng.choice((TENSORS, STRUCTURE))
    size = (case.place / name).stat().st_size

    def edit(record: dict[str, Any]) -> None:
        key, value = case.rng.choice(
            [("bytes", v) for v in (2**63, 10**30, -1, 0, size + 1, float(size), str(size), True)]
            + [("sha256", v) for v in ("0" * 64, "", None, 7, {}, [])]
        )
        record["files"][name][key] = value

    case.edit_manifest(edit)


def manifest_of_wrong_types(case: Case) -> None:
    def edit(record: dict[str, Any]) -> None:
        key = case.rng.choice(("format", "run", "step", "time", "metrics", "files"))
        wrong = [None, True, -1, 0.5, [], {}, "x", [1], {"a": {}}, "\ud800"]
        # any text will do as a time, and there need not be metrics
        fitting = {"time": ["x", "\ud800"], "metrics": [{}]}.get(key, [])
        record[key] = case.rng.choice([value for value in wrong if value not in fitting])

    case.edit_manifest(edit)


def manifest_lacks_a_key(case: Case) -> None:
    case.edit_manifest(lambda record: record.pop(case.rng.choice(list(record))))


def manifest_lacks_a_file(case: Case) -> None:
    case.edit_manifest(lambda record: record["files"].pop(case.rng.choice((TENSORS, STRUCTURE))))


def manifest_lists_other_files(case: Case) -> None:
    name = case.rng.choice(("../../secret", "/etc/passwd", "", ".", "x\0y", "state.pickle"))

    def edit(record: dict[str, Any]) -> None:
        if case.rng.random() < 0.5:
            del record["files"][STRUCTURE]
        record["files"][name] = {"bytes": 0, "sha256": hashlib.sha256().hexdigest()}

    case.edit_manifest(edit)


def manifest_with_wrong_metrics(case: Case) -> None:
    value = case.rng.choice(("", "NaN", "1", None, [1.0], {}, True, 10**400))
    case.edit_manifest(lambda record: record["metrics"].update(loss=value))


def manifest_is_no_record(case: Case) -> None:
    heads = ("[", "{}{", "", "{", "\0", "{" * 100_000, '{"a":' * 100_000, "[" * 1_000_000, '{"a')
    case.seal(case.rng.choice(heads))


def manifest_says_two_things(case: Case) -> None:
    head = (case.place / MANIFEST).read_text().split("\n", 1)[1].rsplit("\n", 3)[0] + "\n"
    twice = ('  "step": 1,\n', '  "format": 1,\n', '  "metrics": {},\n', '  "run": "x",\n')
    case.seal("{\n" + case.rng.choice(twice) + head)


def manifest_with_a_number_without_end(case: Case) -> None:
    digits = case.rng.choice(("9" * 5000, "1" + "0" * 1_000_000, "NaN", "-Infinity", "1e999999"))
    case.seal('{\n  "format": %s,\n' % digits)


def manifest_of_a_later_version(case: Case) -> None:
    version = case.rng.choice((3, 4, 10**18))
    case.edit_manifest(lambda record: record.update(format=version))
    case.expected = "error"


# --- intent: contents under hashes that match ----------------------------------------------------


def header_of_a_wrong_length(case: Case) -> None:
    content = (case.place / TENSORS).read_bytes()
    size = len(content)
    (length,) = struct.unpack_from("<Q", content)
    lengths = (0, 1, length - 1, length + 1, size - 8, size - 7, size, 10**8 + 1, 2**62, 2**64 - 1)
    case.rewrite(TENSORS, struct.pack("<Q", case.rng.choice(lengths)) + content[8:])


def header_is_no_header(case: Case) -> None:
    data = case.header()[1]
    texts = (b"", b"[]", b"null", b"1", b"{", b"\xff\xfe{\0}\0", b"[" * 99_999, b'{"a":' * 99_999)
    deep = b'{"a":{"dtype":"F32","shape":' + b"[" * 50_000 + b"]" * 50_000 + b"}}"
    twice = b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}}'
    case.rewrite_header(case.rng.choice((*texts, deep, twice)), data)


def entry_makes_no_sense(case: Case) -> None:
    header, data = case.header()
    header.pop("__metadata__")
    name = case.rng.choice(list(header))
    header[name] = case.rng.choice((None, [], "F32", 1, {}, {"dtype": "F32"}, [header[name]]))
    case.rewrite_header(header, data)


def filled(header: dict[str, Any]) -> list[str]:
    """The names of the tensors that have elements."""
    return [name for name, e in header.items() if name != "__metadata__" and 0 not in e["shape"]]


def entry_with_a_wrong_shape(case: Case) -> None:
    header, data = case.header()
    name = case.rng.choice(filled(header))
    shape = header[name]["shape"]
    wrong = [
        [2**62, 2**62, 2**62], [2**40], [-1, -35], ["7", 5], [7.0, 5.0], None, 35, "35", {},
        [*shape, 2], [*shape, -1], [*shape, 10**30], [*shape, True], [*shape, None],
        [2**62, 2**62, 0], [0, 2**63], [3] * 100_000, [*shape, [1]],
    ]  # fmt: skip
    header[name]["shape"] = case.rng.choice(wrong)
    case.rewrite_header(header, data)


def entry_with_wrong_offsets(case: Case) -> None:
    header, data = case.header()
    name = case.rng.choice(filled(header))
    begin, end = header[name]["data_offsets"]
    wrong = [
        [end, begin], [begin + 1, end + 1], [begin, end + 1], [begin, 2**62], [-1, end - begin - 1],
        [begin], [begin, end, end], "0", None, [str(begin), str(end)], [float(begin), float(end)],
        [begin, begin], [begin + len(data), end + len(data)], [True, end], [begin, 10**30],
    ]  # fmt: skip
    header[name]["data_offsets"] = case.rng.choice(wrong)
    case.rewrite_header(header, data)


def entry_with_a_wrong_type(case: Case) -> None:
    header, data = case.header()
    types = ("q", "qint8", "float128", "complex128", "Tensor", "os", "__name__", "", 3, None)
    harm = case.rng.randrange(3)
    if harm == 0:
        entry = header[case.rng.choice(filled(header))]
        entry["dtype"] = case.rng.choice(("F99", "", None, 3, "f32", "O", ["F32"], "float32"))
    elif harm == 1:
        header["__metadata__"]["optimizer.turn"] = case.rng.choice(types)
    else:
        header["__metadata__"] = case.rng.choice(([], "x", 1, None))
    case.rewrite_header(header, data)


def tensors_cut_or_longer(case: Case) -> None:
    header, data = case.header()
    case.rewrite_header(header, case.rng.choice((data[:-1], data + b"\0", b"", data * 2)))


def structure_is_no_json(case: Case) -> None:
    good = (case.place / STRUCTURE).read_bytes()
    bad = (
        b"", b"\0", b"NaN", b"[Infinity]", b"{", b"\xff", b"\xef\xbb\xbf" + good,
        good.decode().encode("utf-16"), good + good, good + b"x", good[:-1],
        b'{"a":1,"a":2}', b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 1_000_000, b"9" * 5000,
    )  # fmt: skip
    case.rewrite(STRUCTURE, case.rng.choice(bad))


def structure_is_pickle(case: Case) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (os.system, (f"touch {case.canary}",))

    case.rewrite(case.rng.choice((STRUCTURE, TENSORS)), pickle.dumps(Bomb(), case.rng.randrange(6)))


def structure_is_not_ours(case: Case) -> None:
    odd = (
        b'{"tensor":{"name":"absent"}}', b'{"tensor":{"name":["model.w"]}}', b'{"tuple":3}',
        b'{"tensor":{"name":"model.w","strides":[1,1]}}', b'{"tensor":"model.w"}', b'{"what":1}',
        b"{}", b'{"int":"x"}', b'{"dtype":"os"}', b'{"dict":[[1]]}', b'{"float":"00"}',
        b'{"array":{"name":"model.w","dtype":"O","shape":[1]}}', b'{"device":"/etc"}',
        b'{"tuple":[' * 300 + b"]}" * 300, b"[" * 400 + b"]" * 400, b'{"bytes":"%"}',
        b'{"defaultdict":{"items":[],"factory":"eval"}}', b'{"str":"zz"}', b'{"complex":1}',
    )  # fmt: skip
    case.rewrite(STRUCTURE, case.rng.choice(odd))
    case.expected = "error"


# --- what does no harm --------------------------------------------------------------------------


def extra_files(case: Case) -> None:
    case.expected = "unharmed"
    for name in case.rng.sample((".nfs01", "notes.txt", "state.pickle", "manifest.json~", "d"), 2):
        (case.place / name).write_bytes(case.rng.randbytes(9))


def other_names_beside_it(case: Case) -> None:
    case.expected = "unharmed"
    names = (
        "step-400", "step-0000400", "step-00000400.damaged", ".step-00000400.0a1b2c3d.tmp",
        "step-" + "9" * 200, "step-0000040x", "step-000000400", "Step-00000400", "step-\udcff0",
        "step-" + "\u0664" * 8,
    )  # fmt: skip
    for name in case.rng.sample(names, 3):
        (case.folder / name).mkdir(exist_ok=True)


def times_and_modes(case: Case) -> None:
    case.expected = "unharmed"
    os.utime(case.file(), (0, 0))
    case.file().chmod(0o444)


def nothing(case: Case) -> None:
    case.expected = "unharmed"


ACCIDENTS = (
    cut, cut_at_a_block, flip_bits, overwrite, exchange_bytes, append, empty_file, remove_file,
    remove_all_files, grow_to_a_terabyte, file_of_another_step, files_exchanged,
    folder_of_another_step, folder_of_another_run, file_is_a_link, file_is_a_broken_link,
    file_is_a_folder, file_is_a_pipe, folder_is_a_link, folder_is_a_link_in_a_circle,
    folder_is_a_file, folder_is_a_pipe, folder_is_empty,
)  # fmt: skip
INTENT = (
    manifest_lies, manifest_of_wrong_types, manifest_lacks_a_key, manifest_lacks_a_file,
    manifest_lists_other_files, manifest_with_wrong_metrics, manifest_is_no_record,
    manifest_says_two_things, manifest_with_a_number_without_end, manifest_of_a_later_version,
    header_of_a_wrong_length, header_is_no_header, entry_makes_no_sense, entry_with_a_wrong_shape,
    entry_with_wrong_offsets, entry_with_a_wrong_type, tensors_cut_or_longer, structure_is_no_json,
    structure_is_pickle, structure_is_not_ours,
)  # fmt: skip
HARMLESS = (extra_files, other_names_beside_it, times_and_modes, nothing)


# --- the cases ----------------------------------------------------------------------------------


class Wrong(AssertionError):
    """The store did what it must not do."""


@dataclass
class Result:
    """What happened: in how many cases of each kind what came out, and what was wrong."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: tuple[float, int, str] = (0.0, 0, "")  # seconds, case, kind


def prepare(templates: Path) -> None:
    """Save the checkpoints that every case begins with, of two runs."""
    for run in (RUN, OTHER_RUN):
        store = Store(templates / run, run)
        for step in STEPS:
            store.save(step, pack(state_of(step)), {"loss": 1 / step, "worst": float("nan")})


def run_case(number: int, seed: int, templates: Path, folder: Path, result: Result) -> None:
    """Harm one or more checkpoints, the newest among them, and judge what the store does."""
    rng = random.Random(f"{seed} {number}")
    shutil.copytree(templates / RUN, folder)
    kinds = (*ACCIDENTS, *ACCIDENTS, *INTENT, *HARMLESS)
    first = kinds[number % len(kinds)]
    harmed = STEPS[-rng.choice((1, 1, 1, 2, 3)) :][::-1]
    expected = ""
    canary = templates / "canary"
    for step in harmed:
        harm = first if step == STEPS[-1] else rng.choice((*ACCIDENTS, *INTENT, *HARMLESS))
        case = Case(rng, folder, step, templates, canary)
        harm(case)
        # what is older is not looked at once there is a result
        if expected in ("", "previous"):
            expected, at = case.expected, step
    if expected == "previous":
        older = [step for step in STEPS if step < at]
        expected, at = ("unharmed", older[-1]) if older else ("nothing", 0)
    started = time.perf_counter()
    outcome = judge(folder, expected, at)
    taken = time.perf_counter() - started
    result.slowest = max(result.slowest, (taken, number, first.__name__))
    if canary.exists():
        raise Wrong("code was run")
    result.outcomes[first.__name__, outcome] += 1


def judge(folder: Path, expected: str, step: int) -> str:
    """Read the folder as a resuming run does; return what came out, raise Wrong if it must not."""
    store = Store(folder, RUN)
    before = store.steps()
    try:
        loaded = store.newest()
        value = None if loaded is None else unpack(loaded.packed)
    except CheckpointError as error:
        check(expected == "error", f"refused, where {expected} was due: {error}")
        check(len(str(error)) > 20, f"an error that says nothing: {error}")
        return "clear error"
    check(expected != "error", f"loaded {loaded}, where an error was due")
    if loaded is not None:
        saved = state_of(loaded.step)
        check(same(value, saved), f"other values than were saved at {loaded.step}")
        check(loaded.metrics["loss"] == 1 / loaded.step, "other metrics")
    check_set_aside(store, before, loaded)
    if loaded is None:
        check(expected == "nothing", f"nothing found, where {step} was due")
        return "none left"
    check(expected == "unharmed", f"loaded {loaded.step}, where nothing was due")
    check(loaded.step == step, f"loaded {loaded.step}, where {step} was due")
    return "newest" if step == STEPS[-1] else "previous"


def check_set_aside(store: Store, before: list[int], loaded: Loaded | None) -> None:
    passed = [step for step in before if loaded is None or step > loaded.step]
    check([d.step for d in store.damaged] == passed[::-1], f"{store.damaged} is not {passed}")
    for damage in store.damaged:
        check(".damaged" in damage.path.name and os.path.lexists(damage.path), f"lost: {damage}")
        check(len(damage.reason) > 10, f"no reason: {damage}")
    again = Store(store._folder, RUN)
    found = again.newest()
    check(again.damaged == [], "a second look finds other damage")
    check((found and found.step) == (loaded and loaded.step), "a second look finds something else")
    again.save(10**9, pack(state_of(1)), {})
    check(not [n for n in os.listdir(store._folder) if n.endswith(".tmp")], "leftovers stay")


def check(condition: bool, message: str) -> None:
    if not condition:
        raise Wrong(message)


@contextlib.contextmanager
def time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Wrong(f"took longer than {MAX_SECONDS} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(MAX_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def run_cases(numbers: range, seed: int) -> Result:
    """Run the cases of these numbers in a folder in memory, where there is one."""
    result = Result()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        templates = Path(name) / "templates"
        prepare(templates)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in numbers:
            folder = Path(name) / "case"
            try:
                with time_limit():
                    run_case(number, seed, templates, folder, result)
            except Exception as error:  # everything but a CheckpointError is what is looked for
                result.wrong.append(f"case {number}: {type(error).__name__}: {error}"[:300])
            shutil.rmtree(folder)
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024
        if growth > MAX_GROWTH_BYTES:
            result.wrong.append(f"took {growth >> 20} MiB of memory")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=10_000, help="how many checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="run the one case of this number")
    options = parser.parse_args()
    numbers = range(options.number)
    if options.only is not None:
        numbers = range(options.only, options.only + 1)
    started = time.perf_counter()
    result = run_cases(numbers, options.seed)
    columns = ("newest", "previous", "none left", "clear error")
    print(f"{'harm':38}" + "".join(f"{column:>13}" for column in columns))
    for kind in dict.fromkeys(f.__name__ for f in (*ACCIDENTS, *INTENT, *HARMLESS)):
        counts = "".join(f"{result.outcomes[kind, column]:13}" for column in columns)
        print(f"{kind.replace('_', ' '):38}{counts}")
    print(*result.wrong[:20], sep="\n")
    taken, case, kind = result.slowest
    print(
        f"{len(numbers)} damaged folders, {len(result.wrong)} wrong, "
        f"{time.perf_counter() - started:.1f} s, slowest: {taken:.2f} s (case {case}, {kind})"
    )
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
