"""Tables: a caption for those who cannot see, headings with a scope, a box that scrolls by itself.

May import: observe.record, observe.report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from refluid.observe.record import Table
from refluid.observe.report.markup import Child, Html, element, join
from refluid.observe.report.number import number

__all__ = ["clipped", "draw_pairs", "draw_record", "draw_table"]

_MAX_ROWS, _MAX_COLUMNS = 500, 40
_MAX_LETTERS = 2000
_TALL = 24
_SHORT = 28  # no line is broken in such a text


def clipped(text: str, most: int = _MAX_LETTERS) -> str:
    """Return a text, or its beginning if it is long."""
    return text if len(text) <= most else f"{text[:most]} ... ({len(text):,} letters)"


def draw_table(
    caption: str,
    columns: Sequence[Child],
    rows: Iterable[Sequence[Child | float]],
    *,
    numeric: Sequence[bool] = (),
) -> Html:
    """Return a table, the first cell of each row as its heading.

    Args:
        caption: what it shows, for those who do not see what stands around it.
        columns: headings; None for one that would say nothing.
        rows: strings as they are, floats as numbers.
        numeric: which columns are aligned to the right.
    """
    right = [*numeric, *(False for _ in columns)]
    head = [
        element("th", column, scope="col", class_="n" if is_right else None)
        if column is not None
        else element("td")
        for column, is_right in zip(columns, right, strict=False)
    ]
    body = []
    for first, *rest in rows:
        cells = [_cell("th", first, False, scope="row")]
        cells += [
            _cell("td", cell, is_right) for cell, is_right in zip(rest, right[1:], strict=False)
        ]
        body.append(element("tr", *cells))
    table = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
    )
    tall = " tall" if len(body) > _TALL else ""
    # what scrolls must be reachable without a mouse
    return element(
        "div", table, class_=f"scroll{tall}", tabindex=0, role="region", aria_label=caption
    )


def _cell(name: str, value: Child | float, is_right: bool, scope: str | None = None) -> Html:
    text = _text(value)
    short = isinstance(text, str) and len(text) <= _SHORT
    return element(name, text, class_="n" if is_right else "s" if short else None, scope=scope)


def draw_record(caption: str, table: Table) -> Html:
    """Return a table that a program has recorded, or the beginning of one that is very large."""
    width = min(len(table.columns), _MAX_COLUMNS)
    rows = [row[:width] for row in table.rows[:_MAX_ROWS]]
    numeric = [
        any(isinstance(row[k], int | float) for row in rows)
        and not any(isinstance(row[k], str) for row in rows)
        for k in range(width)
    ]
    if not width:
        return element("p", "A table without columns.", class_="note")
    drawn = draw_table(caption, table.columns[:width], rows, numeric=numeric)
    left = [
        f"{len(all_) - len(kept):,} more {noun}"
        for noun, all_, kept in (
            ("rows", table.rows, rows),
            ("columns", table.columns, table.columns[:width]),
        )
        if len(all_) > len(kept)
    ]
    note = element("p", f"Not shown: {', '.join(left)}.", class_="note") if left else None
    return join(drawn, note)


def draw_pairs(pairs: Mapping[str, Any]) -> Html:
    """Return names with their values, of any type."""
    return element(
        "dl",
        *(
            element(
                "div",
                element("dt", clipped(str(name))),
                element("dd", clipped(value if isinstance(value, str) else _value(value))),
            )
            for name, value in pairs.items()
        ),
    )


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(clipped(str(each)) for each in value[:_MAX_ROWS])
    return str(value)


def _text(cell: Child | float) -> Child:
    if isinstance(cell, Html) or cell is None:
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}" if abs(cell) < 1e18 else clipped(str(cell), 40)
    return number(cell) if isinstance(cell, float) else clipped(cell)
