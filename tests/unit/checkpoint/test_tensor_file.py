from __future__ import annotations

import io
import json
import struct

import pytest
import safetensors.torch
import torch

from refluid.checkpoint.tensor_file import pieces, read


def written(tensors: dict[str, torch.Tensor]) -> bytes:
    return b"".join(pieces(tensors))


def read_back(content: bytes) -> dict[str, torch.Tensor]:
    return read(io.BufferedReader(io.BytesIO(content)), len(content))


def raw(tensor: torch.Tensor) -> bytes:
    return tensor.reshape(-1).view(torch.uint8).numpy().tobytes()


def random_of(dtype: torch.dtype, *shape: int) -> torch.Tensor:
    """Random bits, NaNs with payloads among them."""
    count = torch.Size(shape).numel() * dtype.itemsize
    generator = torch.Generator().manual_seed(count)
    data = torch.randint(256, (count,), generator=generator, dtype=torch.uint8)
    if dtype == torch.bool:
        data &= 1
    return data.view(dtype).reshape(shape)


DTYPES = sorted(
    {
        dtype
        for dtype in vars(torch).values()
        if isinstance(dtype, torch.dtype) and "torch.q" not in str(dtype)
    },
    key=str,
)
COMMON = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
    torch.float16, torch.bfloat16, torch.float32, torch.float64,
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (2, 0, 4), (0,)], ids=str)
def test_every_dense_element_type_comes_back_as_bits(dtype, shape):
    tensor = random_of(dtype, *shape)
    (name, found), *others = read_back(written({"w": tensor})).items()
    assert (name, others) == ("w", [])
    assert (found.dtype, found.shape) == (tensor.dtype, tensor.shape)
    assert raw(found) == raw(tensor)


def test_tensors_of_all_types_in_one_file_keep_their_order():
    tensors = {str(dtype): random_of(dtype, 3, 7) for dtype in DTYPES}
    found = read_back(written(tensors))
    assert list(found) == list(tensors)
    assert {name: raw(t) for name, t in found.items()} == {n: raw(t) for n, t in tensors.items()}


def test_nothing_is_a_file_too():
    assert read_back(written({})) == {}


def test_what_is_larger_than_a_piece_comes_back():
    tensor = random_of(torch.float32, 700, 1001)
    assert raw(read_back(written({"a": tensor[:1], "w": tensor}))["w"]) == raw(tensor)


def test_the_safetensors_package_reads_what_is_written_here():
    tensors = {f"model.{dtype}\n\u4e2d": random_of(dtype, 3, 5) for dtype in COMMON}
    tensors["empty"] = torch.empty(0, 3)
    tensors["scalar"] = torch.tensor(1.5)
    found = safetensors.torch.load(written(tensors))
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape)
        assert raw(found[name]) == raw(tensor)


def test_the_safetensors_package_sees_other_types_as_bytes():
    found = safetensors.torch.load(written({"c": random_of(torch.complex64, 3, 5)}))
    assert (found["c"].dtype, found["c"].shape) == (torch.uint8, (3, 5, 8))


def test_what_the_safetensors_package_writes_is_read_here():
    tensors = {str(dtype): random_of(dtype, 3, 5) for dtype in COMMON}
    found = read_back(safetensors.torch.save(tensors, metadata={"format": "pt"}))
    assert {name: raw(t) for name, t in found.items()} == {n: raw(t) for n, t in tensors.items()}


def test_each_tensor_begins_at_a_multiple_of_its_element_size():
    content = written({str(dtype): random_of(dtype, 3, 3) for dtype in [*COMMON, *COMMON[::-1]]})
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    del header["__metadata__"]
    for name, entry in header.items():
        size = getattr(torch, name.removeprefix("torch.")).itemsize
        assert (8 + length + entry["data_offsets"][0]) % size == 0


def test_each_tensor_has_memory_of_its_own():
    found = read_back(written({"a": torch.zeros(3), "b": torch.zeros(3)}))
    found["a"].fill_(1)
    assert found["b"].tolist() == [0, 0, 0]
    assert found["a"].untyped_storage().nbytes() == 12


@pytest.mark.parametrize(
    ("name", "reason"), [("__metadata__", "has for itself"), ("\ud800", "surrogates not allowed")]
)
def test_a_name_that_the_format_cannot_have_is_refused(name, reason):
    with pytest.raises(ValueError, match=reason):
        written({name: torch.zeros(1)})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "ends within its header"),
        (b"\0" * 7, "ends within its header"),
        (struct.pack("<Q", 2**63) + b"{}", "claims a header of 9223372036854775808 bytes"),
        (struct.pack("<Q", 2) + b"{}\0", "lists 0 bytes of tensors and has 1"),
        (struct.pack("<Q", 2) + b"[]", "has a header that is no dictionary"),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_reason(content, reason):
    with pytest.raises(ValueError, match=reason):
        read_back(content)


def test_a_tensor_larger_than_any_memory_is_a_lack_of_memory():
    entry = {"dtype": "U8", "shape": [2**50], "data_offsets": [0, 2**50]}
    header = json.dumps({"w": entry}).encode()
    content = struct.pack("<Q", len(header)) + header
    with pytest.raises(MemoryError, match="1125899906842624 bytes"):
        read(io.BufferedReader(io.BytesIO(content)), len(content) + 2**50)


def test_a_shape_of_a_million_sizes_is_refused_at_once():
    entry = {"dtype": "U8", "shape": [3] * 1_000_000, "data_offsets": [0, 0]}
    header = json.dumps({"w": entry}).encode()
    with pytest.raises(ValueError, match="gives 'w' a shape beyond all counting"):
        read_back(struct.pack("<Q", len(header)) + header)
