"""The manifest of a checkpoint: what was saved, its size and SHA-256, sealed with one of its own.

The seal is the manifest's last entry and stands on a line of its own. It is the SHA-256 of every
byte above that line, so it is checked before anything is parsed, and by hand:

    head -n -2 manifest.json | sha256sum

Several processes that train together save one checkpoint: rank 0 the whole state, each of the
others its own structure, and those of its tensors that are not rank 0's.
May import: errors, strict_json.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from refluid.checkpoint import strict_json
from refluid.errors import CheckpointError

__all__ = ["FORMAT", "FileRecord", "Manifest", "decode", "encode", "file_names"]

T = TypeVar("T")

# 1 has the files of one process only; it is written where there are no others
FORMAT = 2
_SEAL = re.compile(rb'  "sha256": "([0-9a-f]{64})"\n\}\n\Z')


@dataclass(frozen=True)
class FileRecord:
    """The size and the SHA-256, in 64 hexadecimal digits, of a file beside the manifest."""

    num_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a checkpoint is.

    Args:
        run: the id of the run that saved it.
        step: how many steps had been done.
        time: when it was saved, in UTC, as ISO 8601 writes it.
        metrics: what had been logged last.
        files: for each name of `file_names`, what the file of that name holds.
    """

    run: str
    step: int
    time: str
    metrics: Mapping[str, float]
    files: Mapping[str, FileRecord]

    @property
    def num_ranks(self) -> int:
        """How many processes have saved it."""
        return len(self.files) // 2


def file_names(rank: int) -> tuple[str, str]:
    """Return where the tensors of a rank are, and where its structure is."""
    stem = f"state-{rank}" if rank else "state"
    return f"{stem}.safetensors", f"{stem}.json"


def encode(manifest: Manifest) -> bytes:
    """Return the contents of `manifest.json`, sealed."""
    entries = {
        "format": FORMAT if manifest.num_ranks > 1 else 1,
        "run": manifest.run,
        "step": manifest.step,
        "time": manifest.time,
        "metrics": {name: _number_or_text(value) for name, value in manifest.metrics.items()},
        "files": {
            name: {"bytes": file.num_bytes, "sha256": file.sha256}
            for name, file in manifest.files.items()
        },
    }
    lines = [f'  "{key}": {json.dumps(value)},\n' for key, value in entries.items()]
    head = "".join(["{\n", *lines]).encode("ascii")
    return head + b'  "sha256": "%s"\n}\n' % hashlib.sha256(head).hexdigest().encode("ascii")


def decode(data: bytes) -> Manifest:
    """Read the contents of a `manifest.json` whose seal is unbroken.

    Raises:
        ValueError: it is damaged. The message is the reason, to follow a file's name.
        CheckpointError: it is sound, and of a later version of the format than this one.
    """
    seal = _SEAL.search(data)
    if seal is None:
        raise ValueError("has no seal at its end")
    if hashlib.sha256(data[: seal.start()]).hexdigest() != seal[1].decode("ascii"):
        raise ValueError("does not match the SHA-256 in it")
    record = _of(dict, strict_json.parse(data), "manifest")
    version = _entry(record, "format", int)
    if version > FORMAT:
        raise CheckpointError(
            f"it is written in version {version} of the format, and this refluid reads up to "
            f"{FORMAT}; use the refluid that wrote it, or a later one"
        )
    if version < 1:
        raise ValueError(f"names {version} as its format")
    files = _entry(record, "files", dict)
    expected = {name for rank in range(max(1, len(files) // 2)) for name in file_names(rank)}
    if set(files) != expected:
        raise ValueError(f"lists the files {sorted(files)}, not {sorted(expected)}")
    return Manifest(
        run=_entry(record, "run", str),
        step=_entry(record, "step", int),
        time=_entry(record, "time", str),
        metrics={name: _number(v, name) for name, v in _entry(record, "metrics", dict).items()},
        files={name: _file(_of(dict, entry, name)) for name, entry in files.items()},
    )


def _number_or_text(value: float) -> float | str:
    # JSON has neither NaN nor infinities
    return value if math.isfinite(value) else str(value)


def _number(value: Any, name: str) -> float:
    if value in ("nan", "inf", "-inf") or type(value) is float:
        return float(value)
    raise ValueError(f"gives {value!r} as the metric {name!r}")


def _file(record: dict[str, Any]) -> FileRecord:
    return FileRecord(_entry(record, "bytes", int), _entry(record, "sha256", str))


def _entry(record: dict[str, Any], key: str, kind: type[T]) -> T:
    return _of(kind, record.get(key), key)


def _of(kind: type[T], value: Any, name: str) -> T:
    # not isinstance: True is no number here
    if type(value) is not kind:
        raise ValueError(f"has a {type(value).__name__} as its {name!r}")
    return value
