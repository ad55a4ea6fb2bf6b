"""Records as bytes."""

from __future__ import annotations

import pytest

from refluid.visualdl.wire import (
    VOID_HEAD,
    Kind,
    block,
    packed,
    point_of,
    record,
    single,
    void_head,
)

SCALAR = single(Kind.SCALAR, 0.5)


@pytest.mark.parametrize("step", [0, 1, 127, 128, 10**12, 2**63 - 1, -1, -(2**63)])
@pytest.mark.parametrize("tag", [b"a", b"train/loss", "\u635f\u5931".encode(), b"long" * 100])
def test_scalar_is_found_again(step: int, tag: bytes) -> None:
    assert point_of(record(tag, step, 1_600_000_000_000, SCALAR)) == (
        (Kind.SCALAR, tag, b""),
        step,
    )


def test_kind_and_second_tag_are_found_again() -> None:
    field = block(Kind.TAG_VALUE, block(1, b"sin") + single(2, 1.0))
    assert point_of(record(b"waves", 3, 0, field)) == ((Kind.TAG_VALUE, b"waves", b"sin"), 3)


@pytest.mark.parametrize("size", [*range(VOID_HEAD, 300), 4096, 1 << 20])
def test_void_of_any_size_belongs_nowhere(size: int) -> None:
    assert len(void_head(size)) == VOID_HEAD
    assert point_of(void_head(size) + bytes(size - VOID_HEAD)) is None


def test_head_of_a_void_makes_any_record_void() -> None:
    body = record(b"a", 0, 1, SCALAR)
    assert point_of(void_head(len(body)) + body[VOID_HEAD:]) is None


@pytest.mark.parametrize("at", range(1, 23))
def test_cut_record_is_an_error(at: int) -> None:
    body = record(b"loss", 300, 1_600_000_000_000, SCALAR)
    assert len(body) == 23
    with pytest.raises(ValueError, match=r"cut|one value"):
        point_of(body[:at])


def test_what_is_too_large_for_a_float32_is_infinite() -> None:
    assert single(4, 1e300) == single(4, float("inf"))
    assert single(4, -1e300) == single(4, float("-inf"))
    assert packed(2, "f", [1e300, 3.4028235677973366e38]) == packed(2, "f", [float("inf")] * 2)
