"""One checkpoint: a folder with the state in two files, and the manifest that vouches for them.

    state.safetensors    the tensors
    state.json           what they belong to, and everything that is no tensor
    state-1.safetensors  where several processes train together, those of rank 1 that are not
    state-1.json         rank 0's; and so on
    manifest.json        written last: run, step, metrics, and the size and SHA-256 of the others

Reading trusts nothing: links and pipes are not opened, sizes are compared before anything is read,
hashes before anything is parsed. Damage is told apart from what may pass, such as a lack of memory
or of permission, since a damaged checkpoint is put away.
May import: torch, errors, refluid.state, manifest, strict_json, tensor_file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from io import BufferedReader
from pathlib import Path
from typing import Any

import torch

from refluid.checkpoint import manifest as manifests
from refluid.checkpoint import strict_json, tensor_file
from refluid.checkpoint.manifest import FileRecord, Manifest, file_names
from refluid.errors import CheckpointError
from refluid.state.tree import Packed

__all__ = ["Damaged", "describe", "glance", "read", "seal", "write_part", "write_state"]

_MANIFEST = "manifest.json"
_MAX_MANIFEST_BYTES = 1 << 24
_PIECE_BYTES = 1 << 20
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
# What a file system says where a checkpoint is not whole
_BROKEN = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EIO}


class Damaged(Exception):
    """The folder does not hold what was saved; the message is the reason."""


def write_state(folder: Path, packed: Packed) -> dict[str, FileRecord]:
    """Write a state's two files into a folder, and force them to the disk.

    Raises:
        OSError: one of them cannot be written.
        ValueError: `packed` is beyond what the format can hold.
    """
    return _write_files(folder, 0, packed.tensors, packed.structure)


def write_part(
    folder: Path, rank: int, packed: Packed, shared: Sequence[str]
) -> dict[str, FileRecord]:
    """Write the state of another rank than 0; raises as `write_state` does.

    Args:
        folder: of the checkpoint, where rank 0 writes its state.
        rank: whose state it is, from 1.
        packed: the state.
        shared: the names of its tensors that are rank 0's, and are not written again.
    """
    common = frozenset(shared)
    own = {name: tensor for name, tensor in packed.tensors.items() if name not in common}
    structure = {"shared": list(shared), "state": packed.structure}
    return _write_files(folder, rank, own, structure)


def seal(
    folder: Path, run: str, step: int, metrics: Mapping[str, float], files: dict[str, FileRecord]
) -> None:
    """Write the manifest, which makes the files in a folder a checkpoint.

    Raises:
        OSError: it cannot be written.
        ValueError: `metrics` is beyond what the format can hold.
    """
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    manifest = manifests.encode(Manifest(run, step, now, metrics, files))
    if len(manifest) > _MAX_MANIFEST_BYTES:
        raise ValueError(f"`metrics` takes more than {_MAX_MANIFEST_BYTES} bytes.")
    _write_file(folder / _MANIFEST, [manifest])


def read(
    folder: Path, run: str, step: int, rank: int = 0
) -> tuple[Packed, Mapping[str, float], int]:
    """Read the state of a rank, verified byte for byte; for rank 0, all other ranks' files too.

    Returns:
        The state of rank `rank`, or of rank 0 if it has not saved; the metrics; and how many ranks
        have saved.

    Raises:
        Damaged: it is not whole, or is not that step of that run.
        CheckpointError: it can be neither used nor called damaged.
    """
    with _opened(folder, run, step) as (manifest, files):
        for name, file in files.items():
            if rank and name not in (*file_names(0), *file_names(rank)):
                continue
            if _sha256(file) != manifest.files[name].sha256:
                raise Damaged(f"{name} does not match the SHA-256 in {_MANIFEST}")
            file.seek(0)
        tensors, structure = _read_files(manifest, files, 0)
        if 0 < rank < manifest.num_ranks:
            own, part = _read_files(manifest, files, rank)
            with _blaming(file_names(rank)[1]):
                tensors = {**own, **_chosen(part, tensors)}
                structure = part["state"]
    return Packed(structure, tensors), manifest.metrics, manifest.num_ranks


def glance(folder: Path, run: str | None, step: int) -> Manifest:
    """Return a checkpoint's manifest; besides it, only the sizes of the files are verified.

    Args:
        folder: the checkpoint.
        run: the id that it must have; None accepts that of any run.
        step: the step that it must be.

    Raises:
        Damaged: these are wrong, or it is not that step of that run.
        CheckpointError: it can be neither used nor called damaged.
    """
    with _opened(folder, run, step) as (manifest, _):
        return manifest


def describe(error: OSError) -> str:
    """Return what the system says went wrong, and with which file."""
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}"


@contextlib.contextmanager
def _opened(
    path: Path, run: str | None, step: int
) -> Iterator[tuple[Manifest, dict[str, BufferedReader]]]:
    """Open a checkpoint whose manifest is sound and whose files have the right sizes."""
    try:
        with contextlib.ExitStack() as stack:
            folder = os.open(path, _READ | os.O_DIRECTORY)
            stack.callback(os.close, folder)
            try:
                manifest = _manifest(folder)
            except CheckpointError as error:
                raise CheckpointError(f"{path} cannot be loaded: {error}.") from error
            if run not in (None, manifest.run):
                raise Damaged(f"it is of another run, {manifest.run!r}")
            if manifest.step != step:
                raise Damaged(f"it is of another step, {manifest.step}")
            files: dict[str, BufferedReader] = {}
            for name, record in manifest.files.items():
                with _blaming(name):
                    files[name] = stack.enter_context(_open(folder, name))
                    size = os.fstat(files[name].fileno()).st_size
                    if size != record.num_bytes:
                        raise ValueError(f"has {size} bytes, not {record.num_bytes}")
            yield manifest, files
    except OSError as error:
        if error.errno in _BROKEN:
            raise Damaged(describe(error)) from error
        raise CheckpointError(
            f"{path} cannot be read: {describe(error)}. Nothing was changed; give access to it."
        ) from error
    except MemoryError as error:
        raise CheckpointError(f"{path} does not fit into memory. Nothing was changed.") from error


def _manifest(folder: int) -> Manifest:
    with _blaming(_MANIFEST), _open(folder, _MANIFEST) as file:
        data = file.read(_MAX_MANIFEST_BYTES + 1)
        if len(data) > _MAX_MANIFEST_BYTES:
            raise ValueError(f"has more than {_MAX_MANIFEST_BYTES} bytes")
        return manifests.decode(data)


@contextlib.contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Say in which file something is wrong."""
    try:
        yield
    except ValueError as error:
        raise Damaged(f"{name} {error}") from error


def _open(folder: int, name: str) -> BufferedReader:
    # Without O_NONBLOCK, opening a named pipe waits for somebody to write into it
    descriptor = os.open(name, _READ | os.O_NONBLOCK, dir_fd=folder)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return open(descriptor, "rb")
    os.close(descriptor)
    raise ValueError("is not a file")


def _write_files(
    folder: Path, rank: int, tensors: Mapping[str, torch.Tensor], structure: Any
) -> dict[str, FileRecord]:
    of_tensors, of_structure = file_names(rank)
    return {
        of_tensors: _write_file(folder / of_tensors, tensor_file.pieces(tensors)),
        of_structure: _write_file(folder / of_structure, [strict_json.render(structure)]),
    }


def _read_files(
    manifest: Manifest, files: Mapping[str, BufferedReader], rank: int
) -> tuple[dict[str, torch.Tensor], Any]:
    of_tensors, of_structure = file_names(rank)
    with _blaming(of_tensors):
        tensors = tensor_file.read(files[of_tensors], manifest.files[of_tensors].num_bytes)
    with _blaming(of_structure):
        structure = strict_json.parse(files[of_structure].read())
    return tensors, structure


def _chosen(part: Any, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return those of rank 0's tensors that another rank's part refers to."""
    if (
        type(part) is not dict
        or set(part) != {"shared", "state"}
        or type(part["shared"]) is not list
    ):
        raise ValueError("is not the structure of a rank's part")
    missing = [name for name in part["shared"] if name not in tensors]
    if missing:
        raise ValueError(f"refers to tensors that rank 0 has not: {missing[:5]}")
    return {name: tensors[name] for name in part["shared"]}


def _write_file(path: Path, contents: Iterable[bytes | memoryview]) -> FileRecord:
    digest = hashlib.sha256()
    with open(path, "xb") as file:
        for piece in contents:
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
        return FileRecord(file.tell(), digest.hexdigest())


def _sha256(file: BufferedReader) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()
