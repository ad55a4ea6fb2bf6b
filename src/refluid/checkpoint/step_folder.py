"""One checkpoint: a folder with the state in two files, and the manifest that vouches for them.

    state.safetensors    the tensors
    state.json           what they belong to, and everything that is no tensor
    manifest.json        written last: run, step, metrics, and the size and SHA-256 of the two

Reading trusts nothing: links and pipes are not opened, sizes are compared before anything is read,
hashes before anything is parsed. Damage is told apart from what may pass, such as a lack of memory
or of permission, since a damaged checkpoint is put away.
May import: errors, refluid.state, manifest, strict_json, tensor_file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from io import BufferedReader
from pathlib import Path

from refluid.checkpoint import manifest as manifests
from refluid.checkpoint import strict_json, tensor_file
from refluid.checkpoint.manifest import FileRecord, Manifest
from refluid.errors import CheckpointError
from refluid.state.tree import Packed

__all__ = ["Damaged", "describe", "glance", "read", "write"]

_MANIFEST = "manifest.json"
_TENSORS = "state.safetensors"
_STRUCTURE = "state.json"
_MAX_MANIFEST_BYTES = 1 << 24
_PIECE_BYTES = 1 << 20
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
# What a file system says where a checkpoint is not whole
_BROKEN = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EIO}


class Damaged(Exception):
    """The folder does not hold what was saved; the message is the reason."""


def write(folder: Path, run: str, step: int, packed: Packed, metrics: Mapping[str, float]) -> None:
    """Write a checkpoint's files into an empty folder, and force each to the disk.

    Raises:
        OSError: one of them cannot be written.
        ValueError: `packed` or `metrics` is beyond what the format can hold.
    """
    contents: dict[str, Iterable[bytes | memoryview]] = {
        _TENSORS: tensor_file.pieces(packed.tensors),
        _STRUCTURE: [strict_json.render(packed.structure)],
    }
    files = {name: _write_file(folder / name, contents[name]) for name in contents}
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    manifest = manifests.encode(Manifest(run, step, now, metrics, files))
    if len(manifest) > _MAX_MANIFEST_BYTES:
        raise ValueError(f"`metrics` takes more than {_MAX_MANIFEST_BYTES} bytes.")
    _write_file(folder / _MANIFEST, [manifest])


def read(folder: Path, run: str, step: int) -> tuple[Packed, Mapping[str, float]]:
    """Read a checkpoint, verified byte for byte, and its metrics.

    Raises:
        Damaged: it is not whole, or is not that step of that run.
        CheckpointError: it can be neither used nor called damaged.
    """
    with _opened(folder, run, step) as (manifest, files):
        for name, file in files.items():
            if _sha256(file) != manifest.files[name].sha256:
                raise Damaged(f"{name} does not match the SHA-256 in {_MANIFEST}")
            file.seek(0)
        with _blaming(_TENSORS):
            tensors = tensor_file.read(files[_TENSORS], manifest.files[_TENSORS].num_bytes)
        with _blaming(_STRUCTURE):
            structure = strict_json.parse(files[_STRUCTURE].read())
    return Packed(structure, tensors), manifest.metrics


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
