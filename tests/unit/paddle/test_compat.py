"""Text, bytes and rounding as Paddle 1.8.5 has them."""

from __future__ import annotations

import pytest

from refluid.paddle import compat


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (b"a", "a"),
        ("a", "a"),
        (None, None),
        (3, 3),
        ([b"a", 3, None, 1.5], ["a", 3, None, 1.5]),
        ({b"a": b"b"}, {"a": "b"}),
        ({b"x"}, {"x"}),
        ((b"a",), (b"a",)),
    ],
)
def test_to_text(given, text):
    assert compat.to_text(given) == text


def test_to_text_reads_the_given_encoding():
    assert compat.to_text("\u4f60".encode("gbk"), encoding="gbk") == "\u4f60"


@pytest.mark.parametrize(
    ("given", "data"),
    [("a", b"a"), (b"a", b"a"), (None, None), (["a", b"b"], [b"a", b"b"]), ({"x"}, {b"x"}), (3, 3)],
)
def test_to_bytes(given, data):
    assert compat.to_bytes(given) == data


@pytest.mark.parametrize("given", [[b"a", b"b"], {b"a", b"b"}, {b"a": b"b"}])
def test_inplace_changes_the_given_container(given):
    result = compat.to_text(given, inplace=True)
    assert result is given
    assert result == compat.to_text(result)
    assert "a" in result


def test_without_inplace_the_given_list_stays():
    given = [b"a"]
    assert compat.to_text(given) == ["a"]
    assert given == [b"a"]


@pytest.mark.parametrize(
    ("x", "d", "rounded"),
    [
        (2.5, 0, 3.0),
        (-2.5, 0, -3.0),
        (0.0, 0, 0.0),
        (1.25, 1, 1.3),
        (1.4, 0, 1.0),
        (17.0, -1, 20.0),
    ],
)
def test_halves_are_rounded_away_from_zero(x, d, rounded):
    assert compat.round(x, d) == rounded


def test_the_rest():
    assert compat.floor_division(7, 2) == 3
    assert compat.get_exception_message(ValueError("m")) == "m"
    assert compat.long_type is int
