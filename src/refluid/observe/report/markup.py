"""HTML of which every text is escaped: what a run holds reaches a page through here and only here.

A string is a text, whatever is in it; only the functions here make `Html`. Names of elements and
attributes come from the code. Characters that cannot be seen, or that turn the direction of what
stands around them, are shown by their number, so that a name is read as it is.
May import: the standard library only.
"""

from __future__ import annotations

import html
import re

__all__ = ["Child", "Html", "element", "escape", "join", "prose"]

_VOID = frozenset(("br", "img", "link", "meta"))
# control characters, marks of direction, spaces without width, and halves of surrogate pairs
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff]"
)


class Html(str):
    """Text that is HTML already. Only the functions of this module make it."""

    __slots__ = ()


Child = str | int | None


def escape(text: str) -> Html:
    """Return a text as HTML that shows it, within an element or an attribute's quotes."""
    shown = _UNSEEN.sub(_number, text.replace("\r\n", "\n"))
    return Html(html.escape(shown, quote=True))


def element(name: str, /, *children: Child, **attributes: Child | float | bool) -> Html:
    """Return an element.

    Args:
        name: of the element, written in the code.
        *children: `Html` as it is, strings escaped; None is left out.
        **attributes: `class_` is `class` and `stroke_width` is `stroke-width`. One that is None or
            False is left out, one that is True has no value.
    """
    head = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        word = key.rstrip("_").replace("_", "-")
        head.append(word if value is True else f'{word}="{escape(_plain(value))}"')
    opening = f"<{' '.join(head)}>"
    return Html(opening if name in _VOID else f"{opening}{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    """Return the children one after the other, each a piece of HTML."""
    return Html(
        "".join(
            child if isinstance(child, Html) else escape(str(child))
            for child in children
            if child is not None
        )
    )


def prose(text: str) -> Html:
    """Return a text as HTML in which what stands between backticks is code."""
    parts = text.split("`")
    # the last backtick of an odd number is a backtick
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    pieces = [element("code", part) if k % 2 else part for k, part in enumerate(parts)]
    return join(*pieces)


def _plain(value: Child | float) -> str:
    # the coordinates of a picture
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _number(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
