"""Records of every class are in the page, as many as there is room for."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from refluid.observe.record import Embedding, Gallery, Histogram, Image, Picture, Table, Text
from refluid.observe.report import pictures

PIXELS = np.arange(64, dtype=np.uint8).reshape(8, 8)


def source_of(image: Image) -> str:
    return f"data:image/png;base64,{base64.b64encode(image.png).decode()}"


def test_mistakes_are_pictures_with_captions(new_run):
    image = Image.of(PIXELS)
    gallery = Gallery((Picture(image, '"3" <for> 5'), Picture(image, "")))
    page = new_run().start().record(mistakes=gallery).page()
    assert page.values("img", "src") == [source_of(image)] * 2
    assert page.values("img", "alt") == ['"3" <for> 5', "picture of 8 by 8 pixels"]
    assert page.texts_of("figcaption") == ['"3" <for> 5']
    assert "The worst mistakes" in page.texts_of("h2")


def test_pictures_beyond_the_room_are_counted(new_run, monkeypatch):
    image = Image.of(PIXELS)
    monkeypatch.setattr(pictures, "_MAX_BYTES", 3 * len(image.png))
    run = new_run().start().record(mistakes=Gallery([Picture(image, str(k)) for k in range(5)]))
    page = run.record(filters=image).page()
    assert len(page.values("img", "src")) == 3
    assert "2 more pictures left out" in page.words
    assert "1 more picture left out" in page.words


def test_layers_have_a_part_of_their_own(new_run):
    table = Table(("layer", "zeros"), (("conv<1>", 0.25), ("fc", float("nan"))))
    page = new_run().start().record(layers=table).page()
    assert page.texts_of("table")[0].endswith("layerzerosconv<1>0.25fcnot a number")
    assert "Layers" in page.texts_of("h2")


def test_other_records_are_shown_as_what_they_are(new_run):
    run = (
        new_run()
        .start()
        .record(
            3,
            note=Text("a\n  <b>"),
            filters=Image.of(PIXELS),
            weights=Histogram(np.array([0.0, 1.0, 3.0]), np.array([4, 2])),
            codes=Embedding(np.ones((5, 2)), "abcde"),
            rows=Table((), ((),)),
            layers=Text("no table"),
        )
    )
    page = run.page()
    assert page.texts_of("h3")[-6:] == [
        f"{name} step 3" for name in ("codes", "filters", "layers", "note", "rows", "weights")
    ]
    assert "5 points in 2 dimensions." in page.words
    assert "a\n  <b>" in page.texts
    assert {"0 to 1: 4", "1 to 3: 2"} <= set(page.texts_of("title"))
    assert page.values("img", "src") == [source_of(Image.of(PIXELS))]


def test_last_version_of_a_record_is_shown(new_run):
    run = new_run().start().record(1, note=Text("early")).record(5, note=Text("late"))
    page = run.page()
    assert "late" in page.texts
    assert "early" not in page.words


@pytest.mark.parametrize(
    ("edges", "counts"),
    [
        ([0, 0], [1]),
        ([2, 1], [1]),
        ([0, np.nan], [1]),
        ([-1e308, 1e308], [1]),
        ([0, 1], [0]),
        ([0], []),
    ],
)
def test_distribution_that_cannot_be_drawn_is_told(new_run, edges, counts):
    histogram = Histogram(np.array(edges, float), np.array(counts, np.int64))
    page = new_run().start().record(weights=histogram).page()
    assert "A distribution of " in page.words


def test_very_large_tables_and_texts_are_cut(new_run):
    rows = [(str(k), *range(80)) for k in range(700)]
    run = new_run().start().record(big=Table([str(k) for k in range(81)], rows))
    page = run.record(note=Text("x" * 100_000)).page()
    assert "Not shown: 200 more rows, 41 more columns." in page.words
    assert "... (100,000 letters)" in page.words
    assert "x" * 20_001 not in page.words


def test_many_records_are_counted(new_run):
    page = new_run().start().record(**{f"t{k}": Text(str(k)) for k in range(65)}).page()
    assert "5 more records not shown." in page.words
