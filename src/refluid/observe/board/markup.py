"""Records as HTML for TensorBoard's page of texts, in which nothing of the data is markup.

TensorBoard takes a text for Markdown, and then takes out of the HTML what could do harm. A record
is shown as it is; so here is HTML, which Markdown lets pass, and everything in it is escaped.
May import: observe.record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from refluid.observe.record import Confusion, Gallery, Table, Text

__all__ = ["to_html"]

# more would keep a browser busy for long
_MAX_LETTERS = 100_000
_MAX_ROWS = 1000


def to_html(record: Text | Table | Confusion | Gallery) -> str:
    """Return a record as HTML: a text as it is, all else as a table.

    Of a gallery, these are the lines below its pictures.
    """
    if isinstance(record, Text):
        left = len(record.text) - _MAX_LETTERS
        note = f"<p>{left:,} more characters are not shown.</p>" if left > 0 else ""
        return f"<pre>{escape(record.text[:_MAX_LETTERS])}</pre>{note}"
    if isinstance(record, Table):
        return _table(record.columns, record.rows)
    if isinstance(record, Confusion):
        rows = ((name, *counts) for name, counts in zip(record.classes, record.counts, strict=True))
        return _table(("true class, taken for", *record.classes), list(rows))
    captions = [(number, each.caption) for number, each in enumerate(record.pictures)]
    return _table(("sample", "caption"), captions)


def _table(columns: Sequence[object], rows: Sequence[Iterable[object]]) -> str:
    head = _row(columns, "th")
    body = "".join(_row(row, "td") for row in rows[:_MAX_ROWS])
    left = len(rows) - _MAX_ROWS
    note = f"<p>{left:,} more rows are not shown.</p>" if left > 0 else ""
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>{note}"


def _row(cells: Iterable[object], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{_cell(cell)}</{tag}>' for cell in cells)}</tr>"


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    text = f"{cell:.6g}" if isinstance(cell, float) else str(cell)
    return escape(text[:_MAX_LETTERS]).replace("\n", "<br>")
