"""Runs to report on, written as a program's own process would write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from refluid.observe.journal.journal import Event, Journal, Start
from refluid.observe.record import Record
from refluid.observe.report.page import render

TIME = 1_790_000_000.0
VOID = ("img", "link", "meta", "br")


class Page(HTMLParser):
    """A page as a browser's parser takes it apart: elements, attributes, texts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.unbalanced: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def words(self) -> str:
        """All text that the page shows, pointers included."""
        return " ".join(self.texts)

    def values(self, tag: str, attribute: str) -> list[str | None]:
        return [own[attribute] for name, own in self.elements if name == tag and attribute in own]

    @property
    def headings(self) -> list[str]:
        return [self.texts_of("h2")[k] for k in range(len(self.texts_of("h2")))]

    def texts_of(self, tag: str) -> list[str]:
        """The text within each element of a kind."""
        found: list[str] = []
        reader = _TextOf(tag, found)
        reader.feed(self.text)
        return found


class _TextOf(HTMLParser):
    def __init__(self, tag: str, found: list[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.tag, self.found, self.depth = tag, found, 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == self.tag:
            self.depth += 1
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == self.tag

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.found[-1] += data


class Run:
    """A run's directory, and its journal as a process leaves it that was killed, or went on."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self._time = TIME
        self.journal = Journal(directory / "run.sqlite")
        self.journal.open()

    def start(
        self,
        from_step: int = 0,
        config: Mapping[str, Any] | None = None,
        environment: Mapping[str, Any] | None = None,
        argv: Iterable[str] = ("train.py",),
    ) -> Run:
        self.journal.start(
            Start(
                pid=17, host="host", argv=list(argv), from_step=from_step, time=self._tick(),
                environment=environment or {"torch": "2.13"}, config=config or {"lr": 0.1},
            )
        )  # fmt: skip
        return self.event(from_step, "resumed" if from_step else "began")

    def event(self, step: int, kind: str, text: str = "") -> Run:
        self.journal.append(events=[Event(step=step, kind=kind, text=text, time=self._tick())])
        return self

    def log(self, **curves: Iterable[float] | Mapping[int, float]) -> Run:
        rows = [
            (step, name.replace("__", "/"), value)
            for name, values in curves.items()
            for step, value in (
                values.items() if isinstance(values, Mapping) else enumerate(values)
            )
        ]
        self.journal.append(rows)
        return self

    def record(self, step: int = 0, **records: Record) -> Run:
        self.journal.append(records=[(step, name, each) for name, each in records.items()])
        return self

    def page(self) -> Page:
        return Page(render(self.directory))

    def _tick(self) -> float:
        self._time += 1
        return self._time


@pytest.fixture
def new_run(tmp_path: Path) -> Iterable[Callable[..., Run]]:
    """Makes a run; the journals are closed after the test."""
    runs: list[Run] = []

    def make(name: str = "digits") -> Run:
        runs.append(Run(tmp_path / name))
        return runs[-1]

    yield make
    for run in runs:
        run.journal.close()
