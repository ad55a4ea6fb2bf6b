"""How well each class is known: the confusion matrix, the pairs most often confused, a table.

A matrix of few classes is a table of numbers; one of many is a picture, in which a pointer tells
what each cell is. Both are shaded by the share of the true class.
Shapes: C classes.
May import: numpy, observe.record, observe.report.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from refluid.observe.record import Confusion, Table
from refluid.observe.report.markup import Child, Html, element, join
from refluid.observe.report.material import Material
from refluid.observe.report.number import count, percent
from refluid.observe.report.table import clipped, draw_record, draw_table

__all__ = ["draw_classes", "draw_confusion"]

_MAX_AS_TABLE = 20
_MAX_NAMED, _MAX_CELLS = 50, 10_000
_MAX_PAIRS = 8
_MAX_CLASSES = 1000
_NUM_SHADES = 9
_SHARES = ("precision", "recall", "f1")
_WITH_BAR = "f1"
_BAR = 60
_NAME_LETTERS = 60


def draw_classes(material: Material) -> Html | None:
    """Return what is known of each class, or None if a run has recorded no such thing."""
    confusion = material.record(Confusion, "confusion")
    table = material.record(Table, "classes")
    counts = material.record(Table, "class_counts")
    parts: list[Html] = []
    if confusion is not None and confusion.classes:
        parts.append(draw_confusion(confusion))
        if table is None:
            table = _judged(confusion)
    tables: list[Html] = []
    if table is not None and table.rows:
        tables.append(element("div", element("h3", "Each class"), _class_table(table)))
    if counts is not None and counts.rows:
        drawn = draw_record("Training samples of each class", counts)
        tables.append(element("div", element("h3", "Training samples"), drawn))
    if tables:
        parts.append(element("div", *tables, class_="beside"))
    return join(*parts) if parts else None


def draw_confusion(confusion: Confusion) -> Html:
    """Return a confusion matrix and the pairs of classes that are most often confused."""
    names = [clipped(name, _NAME_LETTERS) for name in confusion.classes]
    counts = confusion.counts
    total, right = int(counts.sum()), int(np.trace(counts))
    if total <= 0:
        return element("p", "The confusion matrix counts no samples.", class_="note")
    said = (
        f"{right:,} of {count(total, 'sample')} are taken for what they are "
        f"({percent(right / total)}). A row is a true class, a column what it was taken for."
    )
    as_table = len(names) <= _MAX_AS_TABLE
    matrix = _matrix_table(names, counts) if as_table else _matrix_picture(names, counts)
    return join(element("p", said), element("div", matrix, _pairs(names, counts), class_="beside"))


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    samples = counts.sum(axis=1, keepdims=True)
    return np.clip(counts / np.maximum(samples, 1), 0, 1)


def _shade(share: float, right: bool) -> str:
    # the root makes single mistakes visible
    level = min(_NUM_SHADES, int(np.ceil(_NUM_SHADES * share**0.5)))
    return f"{'r' if right else 'w'}{level}" if share > 0 else "r0"


def _matrix_table(names: list[str], counts: NDArray[np.int64]) -> Html:
    shares = _shares(counts)
    heads = [element("th", element("span", name), scope="col") for name in names]
    rows = []
    for k, name in enumerate(names):
        cells = [
            element(
                "td",
                f"{counts[k, j]:,}" if counts[k, j] else element("span", "0", class_="nil"),
                class_=_shade(float(shares[k, j]), k == j),
                title=_cell_text(names, counts, k, j),
            )
            for j in range(len(names))
        ]
        rows.append(element("tr", element("th", name, scope="row"), *cells))
    table = element(
        "table",
        element(
            "caption", "Confusion matrix: rows are true classes, columns what they were taken for"
        ),
        element("thead", element("tr", element("td"), *heads)),
        element("tbody", *rows),
        class_="matrix",
    )
    label = "Confusion matrix"
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def _matrix_picture(names: list[str], counts: NDArray[np.int64]) -> Html:
    size = len(names)
    margin = 15.0 if size <= _MAX_NAMED else 0.5
    cell = 100.0 / size
    shares = _shares(counts)
    rows, columns = np.nonzero(counts)
    # the largest of a matrix that is too large to be drawn in full
    order = np.argsort(-counts[rows, columns], kind="stable")[:_MAX_CELLS]
    cells = [
        element(
            "rect",
            element("title", _cell_text(names, counts, k, j)),
            x=f"{margin + j * cell:.4g}",
            y=f"{margin + k * cell:.4g}",
            width=f"{cell:.3g}",
            height=f"{cell:.3g}",
            class_=_shade(float(shares[k, j]), k == j),
        )
        for k, j in zip(rows[order].tolist(), columns[order].tolist(), strict=True)
    ]
    frame = element("rect", x=margin, y=margin, width=100, height=100, class_="frame")
    labels = list(_class_labels(names, margin, cell)) if size <= _MAX_NAMED else []
    picture = element(
        "svg",
        frame,
        *cells,
        *labels,
        viewBox=f"0 0 {margin + 101:g} {margin + 101:g}",
        role="img",
        aria_label=f"Confusion matrix of {size} classes; the table below names its largest errors",
    )
    return element("figure", picture, class_="matrix")


def _class_labels(names: list[str], margin: float, cell: float) -> Iterator[Html]:
    for k, name in enumerate(names):
        middle = margin + (k + 0.65) * cell
        short = name if len(name) <= 12 else f"{name[:11]}\u2026"
        yield element("text", short, x=margin - 1, y=middle, text_anchor="end")
        turn = f"rotate(-90 {middle:.2f} {margin - 1:.2f})"
        yield element("text", short, x=middle, y=margin - 1, transform=turn)


def _cell_text(names: list[str], counts: NDArray[np.int64], k: int, j: int) -> str:
    samples = int(counts[k].sum())
    share = f" ({percent(counts[k, j] / samples)})" if samples > 0 else ""
    what = "right" if k == j else f"taken for {names[j]}"
    return f"{names[k]}, {what}: {counts[k, j]:,} of {samples:,}{share}"


def _pairs(names: list[str], counts: NDArray[np.int64]) -> Html | None:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MAX_PAIRS]
    found = [(int(k), int(j)) for k, j in zip(*np.unravel_index(order, wrong.shape), strict=True)]
    rows: list[tuple[Child, ...]] = [
        (names[k], names[j], int(wrong[k, j]), percent(wrong[k, j] / max(counts[k].sum(), 1)))
        for k, j in found
        if wrong[k, j] > 0
    ]
    if not rows:
        return None
    columns = ("true class", "taken for", "times", "share")
    caption = "The pairs of classes most often confused"
    table = draw_table(caption, columns, rows, numeric=(False, False, True, True))
    return element("div", element("h3", "Most often confused"), table)


def _class_table(table: Table) -> Html:
    if not set(_SHARES) & set(table.columns):
        return draw_record("Each class", table)
    rows = [
        [_judgement(column, cell) for column, cell in zip(table.columns, row, strict=True)]
        for row in table.rows[:_MAX_CLASSES]
    ]
    numeric = [False, *(True for _ in table.columns[1:])]
    caption = "Precision, recall and F1 of each class"
    return draw_table(caption, table.columns, rows, numeric=numeric)


def _judgement(column: str, cell: Child | float) -> Child | float:
    if column not in _SHARES or not isinstance(cell, float) or not 0 <= cell <= 1:
        return cell
    return join(percent(cell), _bar(cell)) if column == _WITH_BAR else percent(cell)


def _bar(share: float) -> Html:
    return element(
        "svg",
        element("rect", width=_BAR, height=4, class_="rest"),
        element("rect", width=_BAR * share, height=4),
        viewBox=f"0 0 {_BAR} 4",
        class_="bar",
        aria_hidden="true",
    )


def _judged(confusion: Confusion) -> Table:
    """Return precision, recall and F1 of each class, 0 for 0/0."""
    counts = confusion.counts
    right, samples, taken = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    columns = (
        confusion.classes,
        (right / np.maximum(taken, 1)).tolist(),
        (right / np.maximum(samples, 1)).tolist(),
        (2 * right / np.maximum(samples + taken, 1)).tolist(),
        samples.tolist(),
    )
    rows = tuple(zip(*columns, strict=True))
    return Table(("class", *_SHARES, "samples"), rows)
