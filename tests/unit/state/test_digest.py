"""Digests are equal where values are, and only there."""

from __future__ import annotations

from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch

from refluid.state.digest import digests
from refluid.state.tree import pack


def of(value):
    return digests(pack(value))


def test_every_leaf_has_a_digest_under_its_path():
    model = torch.nn.Linear(2, 3)
    got = of(
        {"model": model.state_dict(), "generators": {"torch": torch.get_rng_state()}, 1: [2.5]}
    )
    assert {"model.weight", "model.bias", "generators.torch", "1.0"} <= got.keys()
    assert all(len(digest) == 16 and int(digest, 16) >= 0 for digest in got.values())


DIFFERENT = [
    None, True, False, 0, 1, 1.0, -0.0, 0.0, float("nan"), float("inf"), "", "1", b"", b"1", 1j, [],
    (), {}, set(), frozenset(), OrderedDict(), Counter(), [0], [[0]], [0, 0], (0,), {0}, {"0": 0},
    {0: 0}, {0.5: 0}, torch.zeros(1), torch.zeros(2), torch.zeros(1, 2), torch.zeros(2, 1),
    torch.zeros(1, dtype=torch.int32), torch.tensor([-0.0]), torch.zeros(()), torch.zeros(0),
    torch.zeros(0, 3), torch.zeros(4, dtype=torch.uint8), np.zeros(1), np.zeros(1, "f4"),
    np.zeros(1, ">f4"), np.zeros((1, 1)), np.float64(0), np.float32(0), torch.Size([]),
    torch.Size([0]), torch.float32, torch.float64, torch.device("cpu"), torch.device("cuda"),
    "\ud800", 2**60, -(2**60),
]  # fmt: skip


def test_all_values_that_differ_have_different_digests():
    texts = [str(sorted(of([value]).items())) for value in DIFFERENT]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("value", DIFFERENT, ids=lambda value: type(value).__name__)
def test_digests_do_not_change_from_call_to_call(value):
    assert of(value) == of(value)


def test_one_changed_bit_changes_one_digest():
    value = {"a": torch.zeros(5), "b": {"c": torch.zeros(1000, dtype=torch.uint8), "d": 1}}
    before = of(value)
    value["b"]["c"][997] = 1
    after = of(value)
    assert {path for path in before if before[path] != after[path]} == {"b.c"}


def test_a_missing_key_changes_the_digest_of_its_container():
    before, after = of({"a": {"b": 1, "c": 2}}), of({"a": {"b": 1}})
    assert {path for path in after if before[path] != after[path]} == {"a"}


def test_order_counts_in_lists_and_ordered_dicts_only():
    assert of({"a": 1, "b": 2}) == of({"b": 2, "a": 1})
    assert of({"x", "y"}) == of({"y", "x"})
    assert of(OrderedDict(a=1, b=2)) != of(OrderedDict(b=2, a=1))
    assert of([1, 2]) != of([2, 1])


def test_order_in_memory_and_sharing_do_not_count():
    tensor = torch.rand(2, 3, 4, 5)
    assert of([tensor]) == of([tensor.to(memory_format=torch.channels_last)])
    assert of([tensor, tensor]) == of([tensor, tensor.clone()])
    assert of([np.ones((2, 3))]) == of([np.asfortranarray(np.ones((2, 3)))])


def test_paths_that_read_the_same_are_kept_apart():
    got = of({"a.b": 1, "a": {"b": 2}, 1: 3, "1": 4})
    assert {"a.b", "a.b#2", "1", "1#2"} <= got.keys()
    assert len({got["a.b"], got["a.b#2"], got["1"], got["1#2"]}) == 4
