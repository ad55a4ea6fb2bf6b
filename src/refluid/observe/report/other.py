"""Records that have no part of their own in a report: each as what it is.

May import: observe.record, observe.report.
"""

from __future__ import annotations

from refluid.observe.record import (
    Confusion,
    Embedding,
    Gallery,
    Histogram,
    Image,
    Picture,
    Record,
    Table,
    Text,
)
from refluid.observe.report.classes import draw_confusion
from refluid.observe.report.markup import Html, element, join
from refluid.observe.report.material import Material
from refluid.observe.report.number import count
from refluid.observe.report.pictures import Album, draw_histogram
from refluid.observe.report.table import clipped, draw_record

__all__ = ["draw_other_records"]

# those that have a part of their own, if they are of this class
_ELSEWHERE = {
    "confusion": Confusion,
    "classes": Table,
    "class_counts": Table,
    "mistakes": Gallery,
    "layers": Table,
}
_MAX_RECORDS = 60
_TEXT_LETTERS = 20_000
_NAME_LETTERS = 120


def draw_other_records(material: Material, album: Album) -> Html | None:
    """Return the last record of each name, with pictures into `album`; None if there is none."""
    records = [
        (name, step, record)
        for name, (step, record) in sorted(material.records.items())
        if not isinstance(record, _ELSEWHERE.get(name, ()))
    ]
    if not records:
        return None
    parts = [_drawn(name, step, record, album) for name, step, record in records[:_MAX_RECORDS]]
    left = len(records) - len(parts)
    note = element("p", f"{count(left, 'more record')} not shown.", class_="note") if left else None
    return join(element("div", *parts, class_="records"), note)


def _drawn(name: str, step: int, record: Record, album: Album) -> Html:
    heading = element(
        "h3", element("bdi", clipped(name, _NAME_LETTERS)), element("small", f" step {step:,}")
    )
    wide = isinstance(record, Table | Confusion | Gallery)
    return element("div", heading, _body(name, record, album), class_="wide" if wide else None)


def _body(name: str, record: Record, album: Album) -> Html:
    if isinstance(record, Text):
        return element("p", clipped(record.text, _TEXT_LETTERS), class_="text")
    if isinstance(record, Image):
        return album.draw([Picture(record, "")])
    if isinstance(record, Gallery):
        return album.draw(record.pictures)
    if isinstance(record, Histogram):
        return draw_histogram(record)
    if isinstance(record, Table):
        return draw_record(clipped(name, _NAME_LETTERS), record)
    if isinstance(record, Confusion):
        return draw_confusion(record)
    assert isinstance(record, Embedding)
    points, dimensions = record.vectors.shape
    return element("p", f"{count(points, 'point')} in {count(dimensions, 'dimension')}.")
