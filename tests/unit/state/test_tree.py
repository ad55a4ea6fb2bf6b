"""What is packed comes back as the same bits, or is refused by name."""

from __future__ import annotations

import json
import math
import random
import struct
from collections import Counter, OrderedDict, defaultdict, namedtuple
from enum import Enum

import numpy as np
import pytest
import torch
from torch.testing._internal.two_tensor import TwoTensor

from refluid.errors import CheckpointError, StateError
from refluid.state.tree import MAX_DEPTH, Packed, check_packable, pack, unpack

_OUR_DTYPES = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
    torch.uint16, torch.uint32, torch.uint64, torch.float16, torch.bfloat16, torch.float32,
    torch.float64, torch.complex32, torch.complex64, torch.complex128, torch.float8_e4m3fn,
    torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz,
]  # fmt: skip


def through_json(value):
    packed = pack(value)
    return unpack(Packed(json.loads(json.dumps(packed.structure)), packed.tensors))


def bits(number):
    return struct.pack(">d", number)


def raw(tensor):
    return bytes(tensor.contiguous().reshape(-1).view(torch.uint8).numpy())


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -1, 2**53, 2**53 + 1, -(2**64), 10**5000, 0.1, 1.0, 1e16, 5e-324,
        1.7976931348623157e308, math.inf, -math.inf, "", "a.b", "\0\n\"\\", "\u00e9\U0001f600",
        "\ud83d\ude00", "\udcff", b"", bytes(range(256)), [], (), {}, set(), frozenset(),
        [1, [2, (3, [])]], (1,), {1, "a", 2.5, (1, 2)}, frozenset({b"x"}),
        {"a": 1, 1: 2, 2.5: 3, (1, "x"): 4, None: 5, b"k": 6, True or 0: 7, "\udc80": 8},
        {"tuple": [1]}, {"tensor": {"name": "a"}}, Counter("abca"), torch.Size([2, 3]),
        torch.Size([]), torch.float16, torch.device("cuda:1"), torch.device("cpu"),
        complex(-0.0, math.inf), 1.5j, {10**5000: 1},
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_value_comes_back_equal_and_of_the_same_type(value):
    got = through_json(value)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    "pattern", ["8000000000000000", "7ff8000000000000", "fff8000000000001", "7ff00000000000ff"]
)
def test_floats_keep_every_bit(pattern):
    (value,) = struct.unpack(">d", bytes.fromhex(pattern))
    assert bits(through_json([value])[0]).hex() == pattern


def test_random_floats_keep_every_bit():
    draw = random.Random(4)
    values = [struct.unpack(">d", draw.randbytes(8))[0] for _ in range(2000)]
    assert [bits(x) for x in through_json(values)] == [bits(x) for x in values]


def test_dict_keeps_its_order_and_the_types_of_its_keys():
    value = {"b": 1, 2: 2, "2": 3, 2.5: 4, (1, 2): 5, "a": 6}
    assert list(through_json(value)) == list(value)


def test_subclasses_of_dict_come_back_as_they_were():
    ordered = OrderedDict([("b", 1), ("a", 2)])
    default = defaultdict(list, {"x": [1]})
    got = through_json([ordered, default, defaultdict(None, {1: 2}), Counter("aab")])
    assert [type(x) for x in got] == [OrderedDict, defaultdict, defaultdict, Counter]
    assert list(got[0]) == ["b", "a"]
    assert got[1]["new"] == []
    assert got[2].default_factory is None
    assert got[3].most_common(1) == [("a", 2)]


def test_metadata_of_a_module_state_is_kept():
    state = torch.nn.BatchNorm1d(2).state_dict()
    assert through_json(state)._metadata == state._metadata


@pytest.mark.parametrize("dtype", _OUR_DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (7,), (2, 3)], ids=str)
@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental")
def test_tensors_of_every_dtype_keep_every_bit(dtype, shape):
    size = math.prod(shape) * dtype.itemsize
    data = torch.tensor(list(random.Random(size).randbytes(size)), dtype=torch.uint8)
    value = (data % 2 if dtype is torch.bool else data).view(dtype).reshape(shape)
    got = through_json({"x": value})["x"]
    assert (got.dtype, got.shape, raw(got)) == (dtype, value.shape, raw(value))


def test_tensors_of_a_pack_are_contiguous_and_have_memory_of_their_own():
    weight = torch.arange(12.0).reshape(3, 4)
    packed = pack({"t": weight.t(), "row": weight[1], "wide": torch.ones(1).expand(5)})
    for tensor in packed.tensors.values():
        assert tensor.is_contiguous()
        assert tensor.untyped_storage().nbytes() == tensor.nbytes
    before = {name: raw(tensor) for name, tensor in packed.tensors.items()}
    weight.zero_()
    assert {name: raw(tensor) for name, tensor in packed.tensors.items()} == before
    assert packed.tensors["t"].tolist() == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]


@pytest.mark.parametrize(
    "tensor",
    [
        torch.rand(4, 3, 5, 6).to(memory_format=torch.channels_last),
        torch.rand(4, 1, 5, 6).to(memory_format=torch.channels_last),
        torch.rand(2, 3, 4, 5, 6).to(memory_format=torch.channels_last_3d),
        torch.rand(3, 4).t(),
    ],
    ids=["channels_last", "one channel", "3d", "transposed"],
)
def test_dense_tensors_keep_their_order_in_memory(tensor):
    got = through_json(tensor)
    assert got.stride() == tensor.stride()
    assert raw(got) == raw(tensor)


def test_complex_views_are_stored_as_their_values():
    value = torch.tensor([1 + 2j, 3 - 4j])
    got = through_json([value.conj(), value.imag, value.conj().imag])
    assert got[0].tolist() == [1 - 2j, 3 + 4j]
    assert got[1].tolist() == [2, -4]
    assert got[2].tolist() == [-2, 4]
    assert not got[0].is_conj()


def test_tied_weights_are_stored_once_and_come_back_as_one():
    model = torch.nn.ModuleDict({"a": torch.nn.Linear(2, 3), "b": torch.nn.Linear(2, 3)})
    model["b"].weight = model["a"].weight
    packed = pack(model.state_dict())
    assert sorted(packed.tensors) == ["a.bias", "a.weight", "b.bias"]
    got = unpack(packed)
    assert got["a.weight"] is got["b.weight"]


def test_empty_tensors_are_not_taken_for_each_other():
    got = through_json([torch.empty(0, 3), torch.empty(0, 4), torch.empty(0, 3)])
    assert [list(x.shape) for x in got] == [[0, 3], [0, 4], [0, 3]]


def test_parts_of_one_memory_are_stored_apart():
    base = torch.arange(6.0)
    got = through_json([base[:3], base[3:], base.view(torch.int32)])
    assert got[0].tolist() == [0, 1, 2]
    assert got[1].tolist() == [3, 4, 5]
    assert got[2].dtype == torch.int32


def test_parameters_come_back_as_plain_tensors():
    got = through_json([torch.nn.Parameter(torch.ones(2))])[0]
    assert type(got) is torch.Tensor
    assert not got.requires_grad


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3), np.float32(1.5), np.array(7), np.zeros((0, 3)),
        np.arange(6, dtype=">i4"), np.array([True, False]), np.array([1 + 2j]), np.bool_(True),
        np.array([1, 2], np.float16), np.array(["ab", "c"]), np.array([b"ab"]),
        np.uint64(2**64 - 1), np.array(["2020-01-01"], "M8[D]"), np.timedelta64(5, "us"),
        np.float64(-0.0), np.asfortranarray(np.arange(6).reshape(2, 3)), np.arange(10)[::3],
        np.longdouble(1) / 3,
    ],
    ids=repr,
)  # fmt: skip
def test_numpy_values_keep_dtype_shape_and_bits(array):
    got = through_json({"x": array})["x"]
    assert type(got) is type(array)
    assert (got.dtype, got.shape, got.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_unpacked_arrays_can_be_written_to():
    got = through_json(np.zeros(3))
    got[1] = 5
    assert got.tolist() == [0, 5, 0]


def test_names_of_tensors_are_their_paths_and_never_collide():
    tensors = [torch.full((1,), float(k)) for k in range(6)]
    value = {
        "a.b": tensors[0],
        "a": {"b": tensors[1]},
        1: tensors[2],
        "1": tensors[3],
        "__metadata__": tensors[4],
        "\ud800": tensors[5],
    }
    packed = pack(value)
    assert "a.b" in packed.tensors
    assert "__metadata__" not in packed.tensors
    assert all(name.encode() for name in packed.tensors)
    assert list(map(float, [*unpack(packed).values()][2:])) == [2, 3, 4, 5]
    assert float(unpack(packed)["a"]["b"]) == 1
    assert list(pack(torch.ones(1)).tensors) == ["value"]


class _Colour(Enum):
    RED = 1


class _Count(int):
    pass


_Point = namedtuple("_Point", "x y")


@pytest.mark.parametrize(
    "value",
    [
        object(), _Colour.RED, _Count(1), _Point(1, 2), lambda: None, int, np.dtype("f4"), range(3),
        np.array([None]), np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
        np.ma.MaskedArray([1, 2]), defaultdict(lambda: 3), torch.eye(2).to_sparse(),
        torch.ones(2, device="meta"), bytearray(b"x"), np.str_(""),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_cannot_be_saved_is_refused_with_its_path(value):
    with pytest.raises(StateError, match=r"`optimizer\.state\.3\.foo`"):
        pack({"optimizer": {"state": {3: {"foo": value}}}})
    with pytest.raises(StateError, match=r"`optimizer\.state\.3\.foo`"):
        check_packable({"state": {3: {"foo": value}}}, "optimizer")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: torch.eye(2).to_sparse_csr(), "sparse_csr"),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "quantized"),
        (lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), "nested"),
        (lambda: torch.nn.LazyLinear(3).weight, "without a shape yet"),
        (lambda: TwoTensor(torch.ones(2), torch.ones(2)), "TwoTensor"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # torch warns of most of these when they are made
def test_tensors_that_are_no_plain_numbers_are_refused(make, what):
    with pytest.raises(StateError, match=f"`x` is .*{what}"):
        pack({"x": make()})


def test_all_refused_values_are_named_at_once():
    with pytest.raises(StateError, match=r"`a` is a .*`b\.1` is a .*and 3 more"):
        pack({"a": object(), "b": [1, object()], "c": [object()] * 6})


def test_containers_that_contain_themselves_are_refused():
    value = {"x": []}
    value["x"] += [1, value["x"], value]
    with pytest.raises(StateError, match=r"`x\.1` contains itself; `x\.2` contains itself"):
        pack(value)


def test_one_list_in_two_places_is_no_cycle():
    part = [1]
    assert through_json([part, part]) == [[1], [1]]


def test_depth_is_limited_on_both_sides():
    value = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert through_json(value) == value
    with pytest.raises(StateError, match="containers deep"):
        pack([value])
    node = []
    for _ in range(100_000):
        node = [node]
    with pytest.raises(CheckpointError, match="containers deep"):
        unpack(Packed(node, {}))
    while node:  # Python itself would free it by recursion
        node = node[0]


def test_check_accepts_what_pack_accepts_without_copying():
    value = {"x": torch.ones(3), "y": [np.ones(2), "a", {1.5: None}]}
    check_packable(value, "z")


_GOOD = torch.arange(6, dtype=torch.uint8)


@pytest.mark.parametrize(
    "node",
    [
        {}, {"tuple": [], "list": []}, {"nothing": 1}, {"tuple": 3}, {"tuple": {"a": 1}},
        {"tuple": "ab"}, {"int": "zz"}, {"int": 3}, {"int": None}, {"float": "00"},
        {"float": 1.5}, {"float": "zz" * 8}, {"str": "ff"}, {"str": "g"}, {"bytes": "*"},
        {"bytes": 3}, {"complex": "00"}, {"dict": {"a": 1}}, {"dict": [1]}, {"dict": [["a"]]},
        {"dict": [["a", 1], ["a", 2]]}, {"dict": [[[], 1]]}, {"dict": [[{"dict": []}, 1]]},
        {"dict": [[1, 1], [True, 2]]}, {"dict": None}, {"set": [[]]}, {"set": [1, 1]},
        {"set": 3}, {"counter": 3}, {"ordereddict": []}, {"ordereddict": {"items": []}},
        {"ordereddict": {"items": [], "metadata": None, "more": 1}},
        {"defaultdict": {"items": [], "factory": "eval"}},
        {"defaultdict": {"items": [], "factory": []}}, {"size": "abc"}, {"size": [1.5]},
        {"dtype": "float"*9}, {"dtype": "nn"}, {"dtype": "_inductor"}, {"dtype": 3}, {"dtype": []},
        {"device": "nowhere"}, {"device": "cuda:x"}, {"device": []}, {"tensor": "x"},
        {"tensor": {"name": "y"}}, {"tensor": {"name": []}}, {"tensor": {}}, {"tensor": None},
        {"tensor": {"name": "x", "strides": [2]}}, {"tensor": {"name": "x", "strides": [1, 1]}},
        {"tensor": {"name": "x", "strides": [10**12]}}, {"tensor": {"name": "x", "strides": "a"}},
        {"tensor": {"name": "x", "strides": [1.0]}}, {"tensor": {"name": "x", "strides": []}},
        {"tensor": {"name": "x", "device": "nowhere"}}, {"tensor": {"name": "x", "device": 3.5}},
        {"array": {"name": "x", "dtype": "|u1", "shape": [7]}},
        {"array": {"name": "x", "dtype": "|u1", "shape": [-1]}},
        {"array": {"name": "x", "dtype": "|u1", "shape": [-2, -3]}},
        {"array": {"name": "x", "dtype": "|u1", "shape": 6}},
        {"array": {"name": "x", "dtype": "|u1", "shape": [6.0]}},
        {"array": {"name": "x", "dtype": "|u1", "shape": [10**30, 0]}},
        {"array": {"name": "x", "dtype": "|O8", "shape": [1]}},
        {"array": {"name": "x", "dtype": "i4,i4", "shape": [1]}},
        {"array": {"name": "x", "dtype": "|V6", "shape": [1]}},
        {"array": {"name": "x", "dtype": "<f7", "shape": [1]}},
        {"array": {"name": "x", "dtype": None, "shape": [1]}},
        {"array": {"name": "e", "dtype": "<U999999999", "shape": [10**12, 0]}},
        {"array": {"name": "e", "dtype": "|u1", "shape": [10**30, 0]}},
        {"scalar": {"dtype": "<f4", "hex": "00"}}, {"scalar": {"dtype": "<f4", "hex": "0" * 16}},
        {"scalar": {"dtype": "|O8", "hex": "0" * 16}}, {"scalar": {"dtype": "<f4"}},
        {"scalar": {"dtype": "<f4", "hex": 3}}, float("nan"), (1, 2), b"x", object(),
    ],
)  # fmt: skip
def test_malformed_structures_are_checkpoint_errors(node):
    tensors = {"x": _GOOD, "e": _GOOD[:0]}
    with pytest.raises(CheckpointError, match=r"malformed at `a\.0`"):
        unpack(Packed({"dict": [["a", [node]]]}, tensors))


def test_no_mutation_of_a_structure_does_anything_but_load_or_raise_a_checkpoint_error():
    model = torch.nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last)
    packed = pack(
        {"m": model.state_dict(), "n": np.arange(4), 3: (1.5, math.inf, {1, 2}), "s": np.float32(1)}
    )
    text = json.dumps(packed.structure)
    draw, refused = random.Random(5), 0
    for _ in range(3000):
        place = draw.randrange(len(text))
        mutated = text[:place] + draw.choice('0123456789"[]{},:-.aeu|<') + text[place + 1 :]
        try:
            structure = json.loads(mutated)
        except ValueError:
            continue
        try:
            unpack(Packed(structure, packed.tensors))
        except CheckpointError:
            refused += 1
    assert refused > 100
