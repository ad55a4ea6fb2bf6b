"""Text of a run's cannot move a cursor, begin a line or fail to be encoded."""

from __future__ import annotations

import pytest

from refluid.observe.printable import printable


@pytest.mark.parametrize("text", ["", "runs/digits", "数字 [b]$x$ <b>", "a\\b"])
def test_text_that_is_seen_stays_as_it_is(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\nb\r\t\0", r"a\nb\r\t\x00"),
        ("\u202egnp", r"\u202egnp"),
        ("\udc80", r"\udc80"),
    ],
)
def test_what_is_not_seen_is_spelled_out(text, shown):
    assert printable(text) == shown


def test_what_an_encoding_lacks_is_spelled_out():
    assert printable("é数", "ascii") == r"\xe9\u6570"
