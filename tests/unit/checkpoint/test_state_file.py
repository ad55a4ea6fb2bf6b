from __future__ import annotations

import gzip
import json
import os
import pickle
import random
import resource
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from refluid.checkpoint import read_state, write_state
from refluid.errors import CheckpointError

GOLDEN = Path(__file__).parents[2] / "golden" / "checkpoint"
NAME_TABLE = "StructuredToParameterName@@"


def bits(value):
    """Return a value with every array as its type, shape and bytes, which compare exactly."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {k: bits(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(bits(v) for v in value)
    return type(value), value


def recorded(value):
    """Return what a golden JSON file describes, as arrays and numbers."""
    if isinstance(value, dict) and "dtype" in value:
        return np.array(value["values"], value["dtype"]).reshape(value["shape"])
    if isinstance(value, dict):
        return {k: recorded(v) for k, v in value.items()}
    return value


def without_names(state):
    return {k: v for k, v in state.items() if k != NAME_TABLE}


@pytest.fixture
def state():
    return {
        "conv.weight": np.linspace(-1, 1, 12, dtype="float32").reshape(3, 2, 2),
        "step": np.array([7], "int64"),
        "LR_Scheduler": {"step_num": 500, "rate": 0.25, "best": None, "cosine": False},
        NAME_TABLE: {"conv.weight": "conv2d_0.w_0"},
    }


class Rewritten:
    """A file whose contents are replaced many thousand times; opening it anew is slow."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb", buffering=0)

    def read(self, content: bytes):
        # Cutting a file to nothing first would make ext4 force it to the disk each time
        self._file.seek(0)
        self._file.write(content)
        self._file.truncate()
        return read_state(self.path)

    def refuse(self, content: bytes) -> str:
        """Read some bytes as a checkpoint and return why they are refused."""
        with pytest.raises(CheckpointError) as caught:
            self.read(content)
        message = str(caught.value)
        assert message.startswith(f"{self.path} cannot be loaded: ")
        return message

    def close(self) -> None:
        self._file.close()


@pytest.fixture
def rewritten(tmp_path):
    file = Rewritten(tmp_path / "some.pdparams")
    yield file
    file.close()


@pytest.fixture
def refuse(rewritten):
    return rewritten.refuse


# --- files of others ------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "part"), [(".pdparams", "params"), (".pdopt", "opt")])
def test_files_of_paddle_1_8_have_the_values_that_paddle_saved(suffix, part):
    saved = json.loads((GOLDEN / "adam_decay.saved.json").read_text())[part]
    read = read_state(GOLDEN / f"adam_decay{suffix}")
    assert bits(without_names(read)) == bits(recorded(saved))


def test_files_of_paddle_1_8_have_the_name_table():
    table = read_state(GOLDEN / "adam_decay.pdparams")[NAME_TABLE]
    assert table["fc.weight"] == "linear_0.w_0"
    assert table["bn._variance"] == "batch_norm_0.w_2"


def test_arrays_read_are_plain_and_writable():
    for value in without_names(read_state(GOLDEN / "adam_decay.pdparams")).values():
        assert type(value) is np.ndarray
        assert value.flags.writeable
        assert value.flags.aligned


def test_a_file_written_under_python_2_has_the_values_saved():
    expected = {
        "linear_0.w_0_moment1_0": np.array([[-1.5, 0.1, 3e38], [0.0, -0.0, 1e-45]], "float32"),
        "global_step": np.array([3], "int32"),
        "LR_Scheduler": {"step_num": 3, "rate": 0.5, "large": 2**40, "larger": 2**70},
        NAME_TABLE: {"global_step": "global_step"},
    }
    assert bits(read_state(GOLDEN / "python2.pdopt")) == bits(expected)


def test_a_file_of_paddle_3_and_numpy_2_has_the_values_saved():
    expected = {
        "weight": np.array(
            [[-0.6907109022140503, 0.4360218346118927], [-0.749093770980835, 0.02302565611898899]],
            "float32",
        ),
        "bias": np.array([-0.1, -0.1], "float32"),
        NAME_TABLE: {"weight": "linear_0.w_0", "bias": "linear_0.b_0"},
    }
    assert bits(read_state(GOLDEN / "paddle3.pdparams")) == bits(expected)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_pickle_itself_writes_is_read(tmp_path, state, protocol):
    state["ordered"] = OrderedDict(a=np.ones(2), b=np.float64(0.5))
    state["fortran"] = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    state["big_endian"] = np.arange(3, dtype=">i4")
    state["empty"] = np.zeros((0, 3), "float32")
    path = tmp_path / "state.pdopt"
    path.write_bytes(pickle.dumps(state, protocol))
    state["ordered"] = dict(state["ordered"])
    state["big_endian"] = np.arange(3, dtype="i4")
    assert bits(read_state(path)) == bits(state)


# --- files of its own -----------------------------------------------------------------------


def test_what_is_written_is_read_back_bit_for_bit(tmp_path, state):
    write_state(tmp_path / "state.pdopt", state)
    assert bits(read_state(tmp_path / "state.pdopt")) == bits(state)


def test_pickle_reads_what_is_written_and_passes_over_the_checksum(tmp_path, state):
    path = tmp_path / "state.pdopt"
    write_state(path, state)
    assert b"refluid.sha256:" in path.read_bytes()
    for encoding in ("ASCII", "latin1"):
        assert bits(pickle.loads(path.read_bytes(), encoding=encoding)) == bits(state)


def test_every_bit_flip_in_a_file_of_its_own_is_noticed(refuse, tmp_path):
    write_state(tmp_path / "state.pdopt", {"w": np.arange(3, dtype="float32")})
    content = (tmp_path / "state.pdopt").read_bytes()
    for position in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[position] ^= 1 << bit
            refuse(bytes(damaged))


def test_a_damaged_value_in_a_file_of_its_own_is_told_as_such(refuse, tmp_path, state):
    write_state(tmp_path / "state.pdopt", state)
    content = bytearray((tmp_path / "state.pdopt").read_bytes())
    content[content.index(b"conv2d_0.w_0") + 2] ^= 1
    assert "do not match the SHA-256" in refuse(bytes(content))


def test_folders_on_the_way_are_made(tmp_path, state):
    write_state(tmp_path / "a" / "b" / "state.pdopt", state)
    assert read_state(tmp_path / "a" / "b" / "state.pdopt").keys() == state.keys()


# --- damage ---------------------------------------------------------------------------------


def test_every_cut_of_a_file_of_paddle_is_refused(refuse):
    content = (GOLDEN / "adam_decay.pdparams").read_bytes()
    for length in range(len(content)):
        refuse(content[:length])


def test_every_cut_of_a_file_of_its_own_is_refused(refuse, tmp_path):
    write_state(tmp_path / "state.pdopt", {"w": np.arange(3, dtype="float32")})
    content = (tmp_path / "state.pdopt").read_bytes()
    for length in range(len(content)):
        refuse(content[:length])


def test_3000_damaged_files_load_or_are_refused_and_nothing_else(rewritten, tmp_path):
    rng = random.Random(18)
    write_state(tmp_path / "own.pdopt", {"w": np.arange(9, dtype="float32"), "n": {"k": [1, 2.5]}})
    sources = [*sorted(GOLDEN.glob("*.pd*")), tmp_path / "own.pdopt"]
    contents = [path.read_bytes() for path in sources]
    refused = loaded = 0
    for _ in range(3000):
        try:
            assert type(rewritten.read(damage(rng, rng.choice(contents)))) is dict
        except CheckpointError as error:
            refused += str(error).startswith(f"{rewritten.path} cannot be loaded: ")
        else:
            loaded += 1
    assert refused + loaded == 3000
    assert refused > 2000


def damage(rng: random.Random, content: bytes) -> bytes:
    """Flip, replace, insert, delete or repeat some bytes, or write over a length."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 8])):
        at = rng.randrange(len(data))
        kind = rng.randrange(6)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            data[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0"])
        elif kind == 3:
            del data[at : at + rng.randrange(1, 20)]
        elif kind == 4:
            start = rng.randrange(len(data))
            data[at:at] = data[start : start + rng.randrange(40)]
        else:
            data[at] = rng.choice(b"0.(tuseaRbcN)}]K\x85\x93\x94qhX\x95")
        if not data:
            break
    return bytes(data)


def test_bytes_after_the_end_are_refused(refuse):
    content = (GOLDEN / "adam_decay.pdparams").read_bytes()
    assert "3 bytes follow its end" in refuse(content + b"abc")


# --- files of another kind --------------------------------------------------------------------


def test_an_empty_file_is_named_as_such(refuse):
    assert "it is empty" in refuse(b"")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04" + bytes(60), "a ZIP archive"),
        (gzip.compress(b"x", mtime=0), "a gzip file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "an HDF5 file"),
        (b"\x93NUMPY\x01\x00" + bytes(60), "a NumPy .npy file"),
        (bytes(80), "Paddle's static graph"),
        (b"epoch,loss\n1,0.5\n", "it does not begin as a checkpoint does, but with the byte 0x65"),
        (b'\x40\0\0\0\0\0\0\0{"w":', "it does not begin as a checkpoint does"),
        (pickle.dumps([1, 2], 2), "it holds a list, not a dictionary"),
        (pickle.dumps(None, 2), "it holds a NoneType, not a dictionary"),
        (pickle.dumps({"a": 1}, 0), "the opcode DICT"),
    ],
)
def test_a_foreign_file_is_told_as_such(refuse, content, reason):
    assert reason in refuse(content)


def test_a_missing_file_is_told_as_such(tmp_path):
    with pytest.raises(CheckpointError, match=r"absent\.pdparams cannot be loaded: No such file"):
        read_state(tmp_path / "absent.pdparams")


def test_a_folder_is_told_as_such(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be loaded: it is not a file"):
        read_state(tmp_path)


def test_a_named_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe.pdparams")
    with pytest.raises(CheckpointError, match="cannot be loaded: it is not a file"):
        read_state(tmp_path / "pipe.pdparams")


# --- failing to write -------------------------------------------------------------------------


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_beside_it(tmp_path, state):
    path = tmp_path / "state.pdopt"
    write_state(path, state)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    try:
        with pytest.raises(CheckpointError, match=r"state\.pdopt cannot be written: File too"):
            write_state(path, {"w": np.zeros(100_000, "float32")})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert bits(read_state(path)) == bits(state)
    assert os.listdir(tmp_path) == ["state.pdopt"]


def test_a_folder_that_is_a_file_is_named(tmp_path, state):
    (tmp_path / "taken").write_text("")
    with pytest.raises(CheckpointError, match=r"cannot be written: .*\(.*taken\)"):
        write_state(tmp_path / "taken" / "state.pdopt", state)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into every folder")
def test_a_read_only_folder_is_named(tmp_path, state):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(CheckpointError, match="cannot be written: Permission denied"):
            write_state(tmp_path / "state.pdopt", state)
    finally:
        tmp_path.chmod(0o755)


def test_a_state_that_cannot_be_written_leaves_the_old_file_and_nothing_beside_it(tmp_path, state):
    path = tmp_path / "state.pdopt"
    write_state(path, state)
    with pytest.raises(TypeError, match=r"`state`\['model'\] is a object"):
        write_state(path, {"w": np.zeros(5), "model": object()})
    assert bits(read_state(path)) == bits(state)
    assert os.listdir(tmp_path) == ["state.pdopt"]
