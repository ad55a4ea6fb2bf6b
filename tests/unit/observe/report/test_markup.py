"""Whatever a text holds, HTML shows it and does nothing else."""

from __future__ import annotations

import html
from html.parser import HTMLParser

import pytest

from refluid.observe.report.markup import Html, element, escape, join, prose


def elements_in(markup: str) -> list[str]:
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append(tag)
    parser.feed(markup)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "</title><svg/onload=alert(1)>",
        "&lt;b&gt; &amp; &#60;",
        "a < b > c & d",
    ],
)
def test_text_is_shown_as_it_is(text):
    assert html.unescape(escape(text)) == text
    assert elements_in(element("p", text, title=text)) == ["p"]
    assert elements_in(join(text, text)) == []


def test_html_is_not_escaped_again():
    assert element("p", element("b", "<")) == "<p><b>&lt;</b></p>"
    assert join("<", Html("<br>"), None, 3) == "&lt;<br>3"


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x1b", "\x7f", "\u202e", "\u2066", "\u200f", "\u200b", "\ufeff", "\ud800"],
)
def test_character_that_cannot_be_seen_is_shown_by_its_number(character):
    shown = escape(f"a{character}b")
    assert shown == f"a\\u{ord(character):04x}b"
    shown.encode("utf-8")


def test_letters_of_all_languages_lines_and_joined_characters_stay():
    text = "\u5b57 \u05d0\u05d1 \u0639 na\u00efve \U0001f469\u200d\U0001f4bb\tx\ny"
    assert escape(text) == text
    assert escape("a\r\nb") == "a\nb"


def test_attribute_is_left_out_named_and_rounded():
    assert element(
        "a", class_="x", aria_label=None, hidden=True, open=False, x=1.0, y=2.345678
    ) == ('<a class="x" hidden x="1" y="2.35"></a>')
    assert element("br") == "<br>"


def test_text_between_backticks_is_code():
    assert prose("a `<b>` c") == "a <code>&lt;b&gt;</code> c"
    assert prose("`a` and `b") == "<code>a</code> and `b"
    assert prose("none") == "none"
