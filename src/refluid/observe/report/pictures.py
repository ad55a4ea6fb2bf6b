"""Pictures of a run, within the page itself, and distributions as bars.

May import: numpy, observe.record, observe.report.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence

import numpy as np

from refluid.observe.record import Histogram, Image, Picture
from refluid.observe.report.markup import Html, element, join
from refluid.observe.report.number import count, number
from refluid.observe.report.scale import Scale, fitted
from refluid.observe.report.table import clipped

__all__ = ["Album", "draw_histogram"]

_MAX_PICTURES = 48
_MAX_BYTES = 12_000_000
# smaller ones are enlarged, each of their pixels as a square
_FEW_PIXELS = 64
_CAPTION_LETTERS = 300
_MAX_BARS = 500


class Album:
    """Puts pictures into a page as long as it does not become too large to be sent."""

    def __init__(self) -> None:
        self._left_bytes = _MAX_BYTES

    def draw(self, pictures: Sequence[Picture]) -> Html:
        """Return pictures side by side, and say how many there is no room for."""
        drawn = [
            self._draw_one(each) for each in pictures[:_MAX_PICTURES] if self._has_room(each.image)
        ]
        num_left = len(pictures) - len(drawn)
        note = f"{count(num_left, 'more picture')} left out to keep the page small."
        return join(
            element("div", *drawn, class_="album") if drawn else None,
            element("p", note, class_="note") if num_left else None,
        )

    def _has_room(self, image: Image) -> bool:
        if len(image.png) > self._left_bytes:
            return False
        self._left_bytes -= len(image.png)
        return True

    def _draw_one(self, picture: Picture) -> Html:
        image, caption = picture.image, clipped(picture.caption, _CAPTION_LETTERS)
        tiny = max(image.width, image.height) <= _FEW_PIXELS
        data = base64.b64encode(image.png).decode("ascii")
        return element(
            "figure",
            element(
                "img",
                src=f"data:image/png;base64,{data}",
                alt=caption or f"picture of {image.width} by {image.height} pixels",
                width=image.width,
                height=image.height,
            ),
            element("figcaption", caption) if caption else None,
            class_="picture tiny" if tiny else "picture",
        )


def draw_histogram(histogram: Histogram) -> Html:
    """Return a distribution as bars."""
    edges, counts = histogram.edges, histogram.counts
    total = int(counts.sum())
    rises = (
        np.isfinite(edges).all() and (edges[1:] > edges[:-1]).all() and 0 < len(counts) <= _MAX_BARS
    )
    if not rises or math.isinf(float(edges[-1]) - float(edges[0])) or total <= 0:
        return element("p", f"A distribution of {count(total, 'value')}.", class_="note")
    width, height, bottom = 420, 200, 34
    x = Scale(low=float(edges[0]), high=float(edges[-1]), begin=10, end=width - 10)
    y = fitted([np.array([0.0, counts.max()])], [], height - bottom, 14, ratios=False)
    places, tops = x.places(edges).tolist(), y.places(counts.astype(np.float64)).tolist()
    texts = [number(edge) for edge in edges.tolist()]
    bars = [
        element(
            "rect",
            element("title", f"{texts[k]} to {texts[k + 1]}: {counts[k]:,}"),
            x=places[k],
            y=tops[k],
            width=max(places[k + 1] - places[k] - 0.8, 0.5),
            height=max(height - bottom - tops[k], 0.0),
            class_="c0",
        )
        for k in range(len(counts))
    ]
    ticks = [
        element("text", label, x=place, y=height - bottom + 22, text_anchor="middle")
        for place, label in x.ticks()
    ]
    base = height - bottom
    axis = element("line", x1=10, x2=width - 10, y1=base, y2=base, class_="axis")
    most = int(counts.argmax())
    label = (
        f"Distribution of {count(total, 'value')} from {texts[0]} to {texts[-1]}, most between "
        f"{texts[most]} and {texts[most + 1]}"
    )
    picture = element(
        "svg", *bars, axis, *ticks, viewBox=f"0 0 {width} {height}", role="img", aria_label=label
    )
    return element("figure", picture, class_="chart small bars")
