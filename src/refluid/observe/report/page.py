"""A run as one HTML page: nothing is loaded from elsewhere, and no script is in it.

The page's own policy forbids everything but its one style, known by its hash, and the pictures
within it: so even a text that found a way around the escaping could do nothing. A part that has
nothing to show is left out.
May import: numpy, errors, observe.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refluid.observe.record import Gallery, Table
from refluid.observe.report.classes import draw_classes
from refluid.observe.report.course import draw_course
from refluid.observe.report.curves import draw_curves, draw_other_curves
from refluid.observe.report.findings import draw_diagnosis
from refluid.observe.report.markup import Html, element, join
from refluid.observe.report.material import Material, gather
from refluid.observe.report.number import instant
from refluid.observe.report.other import draw_other_records
from refluid.observe.report.pictures import Album
from refluid.observe.report.result import draw_figures, draw_results, sentence
from refluid.observe.report.setup import draw_environment, draw_saves, draw_settings
from refluid.observe.report.table import clipped, draw_record

__all__ = ["render"]

_NAME_LETTERS = 120


@dataclass(frozen=True)
class _Section:
    anchor: str
    title: str
    draw: Callable[[Material, Album], Html | None]


_SECTIONS = (
    _Section("results", "Results", lambda material, _: draw_results(material)),
    _Section("curves", "Curves", lambda material, _: draw_curves(material)),
    _Section("diagnosis", "Diagnosis", lambda material, _: draw_diagnosis(material)),
    _Section("classes", "Classes", lambda material, _: draw_classes(material)),
    _Section("mistakes", "The worst mistakes", lambda material, album: _mistakes(material, album)),
    _Section("layers", "Layers", lambda material, _: _layers(material)),
    _Section("setup", "Setup", lambda material, _: draw_settings(material)),
    _Section("course", "Interruptions", lambda material, _: draw_course(material)),
    _Section("measured", "Also measured", lambda material, _: draw_other_curves(material)),
    _Section("recorded", "Also recorded", draw_other_records),
    _Section("saves", "Checkpoints", lambda material, _: draw_saves(material)),
    _Section("environment", "Environment", lambda material, _: draw_environment(material)),
)


def render(directory: Path) -> str:
    """Return the report of a run.

    Args:
        directory: of the run, which may be going on.

    Raises:
        RunError: there is no run, or its journal cannot be read.
    """
    material = gather(directory)
    # what a run has logged may be as large as a float can be, or larger
    with np.errstate(over="ignore", invalid="ignore"):
        return _page(material)


def _page(material: Material) -> str:
    name = clipped(material.summary.name, _NAME_LETTERS)
    style = Path(__file__).with_name("style.css").read_text("utf-8")
    album = Album()
    sections = [
        (section, drawn)
        for section in _SECTIONS
        if (drawn := section.draw(material, album)) is not None
    ]
    body = element(
        "body",
        element(
            "header",
            element("p", "Training report", class_="label"),
            element("h1", name),
            element("p", sentence(material), class_="lead"),
            draw_figures(material),
        ),
        element("nav", *_links(sections), aria_label="Parts of this report"),
        element("main", *(_drawn(section, drawn) for section, drawn in sections)),
        element("footer", element("p", _origin(material))),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{name}: training report"),
        # it comes from this package, not from a run
        Html(f"<style>{style}</style>"),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def _links(sections: list[tuple[_Section, Html]]) -> Iterator[Html]:
    for section, _ in sections:
        yield element("a", section.title, href=f"#{section.anchor}")


def _drawn(section: _Section, drawn: Html) -> Html:
    return element(
        "section",
        element("h2", section.title, id=f"{section.anchor}-title"),
        drawn,
        id=section.anchor,
        aria_labelledby=f"{section.anchor}-title",
    )


def _mistakes(material: Material, album: Album) -> Html | None:
    gallery = material.record(Gallery, "mistakes")
    return album.draw(gallery.pictures) if gallery is not None and gallery.pictures else None


def _layers(material: Material) -> Html | None:
    table = material.record(Table, "layers")
    return draw_record("The layers of the network", table) if table and table.rows else None


def _origin(material: Material) -> Html:
    summary = material.summary
    version = summary.environment.get("refluid")
    by = f"refluid {clipped(str(version), 40)}" if version else "refluid"
    return join(
        f"Written {instant(time.time())} from the journal of run ",
        element("code", clipped(summary.run, 80)),
        f", trained with {by}. This page needs no network.",
    )
