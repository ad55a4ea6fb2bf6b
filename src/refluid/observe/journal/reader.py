"""Reading a run's journal, also while it is written.

What is read is taken a page at a time, each in a transaction of its own: a reader that is slow, or
stops half way, never keeps the writer's log from being folded into the file. Rows come in order, so
a program that shows a run as it goes on asks again from the step after the last that it has seen.
May import: errors, numpy, observe.journal.format, observe.record.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from refluid.errors import RunError
from refluid.observe.journal.format import (
    ERRORS,
    LAST_STEP,
    Event,
    Start,
    check_known,
    connect,
    format_of,
    from_column,
    run_of,
    tables_of,
)
from refluid.observe.record import R, from_body, kind_of

__all__ = ["JournalReader"]

T = TypeVar("T")

_PAGE = 20_000
_POINT = np.dtype([("step", np.int64), ("value", np.float64)])


class JournalReader:
    """The journal at `path`, for reading; a context manager.

    It makes no journal where there is none. Any thread may use it, one at a time.

    Args:
        path: the file, `run.sqlite` in a run's directory. It is opened by `open`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.run = ""
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._has_records = False

    def open(self) -> None:
        """Open the journal; afterwards, `self.run` is the run's id.

        Raises:
            RunError: there is no journal, it cannot be read, or it is of a later refluid.
        """
        if not self.path.is_file():
            raise RunError(f"{self.path} is not there, or not a file: no run has a journal here.")
        self.close()
        with self._lock:
            self._connection = self._connect()

    def close(self) -> None:
        """Close the journal. It may be called again, and `open` after it."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def __enter__(self) -> JournalReader:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def names(self) -> list[str]:
        """Return the names of all metrics, sorted.

        Raises:
            RunError: the journal cannot be read; so do the methods below.
        """
        # SQLite would sort all rows for an ORDER BY
        rows = self._rows("SELECT DISTINCT name FROM metric")
        return sorted(self._parsed(_text, name) for (name,) in rows)

    def last_step(self) -> int | None:
        """Return the last step that has metrics, or None if no step has."""
        ((step,),) = self._rows(LAST_STEP)
        return step

    def metrics(
        self, names: Iterable[str] | None = None, since: int = 0
    ) -> Iterator[tuple[int, str, float]]:
        """Iterate over step, name and value, ordered by step and then by name.

        Args:
            names: only these metrics, by default all.
            since: the first step.
        """
        wanted = None if names is None else list(names)
        chosen = "" if wanted is None else f"AND name IN ({', '.join('?' * len(wanted))})"
        sql = f"SELECT step, name, value FROM metric WHERE (step, name) > (?, ?) {chosen}"
        for step, name, stored in self._pages(sql, "step, name", since, wanted or []):
            yield step, self._parsed(_text, name), self._parsed(from_column, stored)

    def curve(self, name: str, since: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return one metric: its steps (int64 [N]) and its values (float64 [N]).

        Args:
            name: of the metric. If there is none of this name, N is 0.
            since: the first step.
        """
        pages = [np.zeros(0, _POINT)]
        sql = "SELECT step, value FROM metric WHERE step >= ? AND name = ? ORDER BY step LIMIT ?"
        while rows := self._rows(sql, (since, name, _PAGE)):
            pages.append(self._parsed(_points, rows))
            since = rows[-1][0] + 1
        found = np.concatenate(pages)
        return found["step"].copy(), found["value"].copy()

    def digests(self, since: int = 0) -> Iterator[tuple[int, str, str]]:
        """Iterate over step, path of a leaf and its hash, ordered by step and then by path."""
        sql = "SELECT step, leaf, hash FROM digest WHERE (step, leaf) > (?, ?)"
        return self._pages(sql, "step, leaf", since, [])

    def records(
        self, kind: type[R] | None = None, *, names: Iterable[str] | None = None, since: int = 0
    ) -> Iterator[tuple[int, str, R]]:
        """Iterate over step, name and record, ordered by step and then by name.

        Args:
            kind: only records of this class, by default of all.
            names: only of these names, by default of all.
            since: the first step.
        """
        if not self._has_records:
            return
        wanted = None if names is None else list(names)
        chosen = "" if wanted is None else f" AND name IN ({', '.join('?' * len(wanted))})"
        of_kind = "" if kind is None else " AND kind = ?"
        values = (since, *(wanted or ()), *(() if kind is None else (kind_of(kind),)))
        # they may be large: each one's body when it is its turn
        sql = f"SELECT step, name FROM record WHERE step >= ?{chosen}{of_kind} ORDER BY step, name"
        for step, name in self._rows(sql, values):
            rows = self._rows(
                "SELECT kind, body FROM record WHERE step = ? AND name = ?", (step, name)
            )
            # none if a run that goes on has taken it back meanwhile
            for row in rows:
                yield step, name, self._parsed(_record, row)

    def latest(self, kind: type[R], name: str) -> tuple[int, R] | None:
        """Return the last record of a class and name with its step, or None if there is none."""
        if not self._has_records:
            return None
        rows = self._rows(
            "SELECT step, kind, body FROM record WHERE name = ? AND kind = ? "
            "ORDER BY step DESC LIMIT 1",
            (name, kind_of(kind)),
        )
        for step, *row in rows:
            return step, self._parsed(_record, row)
        return None

    def events(self) -> list[Event]:
        """Return all events in their order."""
        rows = self._rows("SELECT time, step, kind, text FROM event ORDER BY id")
        return [self._parsed(_event, row) for row in rows]

    def starts(self) -> list[Start]:
        """Return all starts of the program in their order."""
        rows = self._rows(
            "SELECT time, pid, host, argv, from_step, environment, config FROM start ORDER BY id"
        )
        return [self._parsed(_start, row) for row in rows]

    def _pages(
        self, sql: str, key: str, since: int, values: list[str]
    ) -> Iterator[tuple[int, str, Any]]:
        """Iterate over the rows of a table that is ordered by step and a name, a page at a time."""
        # a name is never empty, so that this lies before the first row of the step
        last: tuple[int, str] = (since, "")
        while True:
            page = self._rows(f"{sql} ORDER BY {key} LIMIT {_PAGE}", (*last, *values))
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1][:2]

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock:
            if self._connection is None:
                raise RunError(f"{self.path} is not open: call `open` first.")
            try:
                return self._connection.execute(sql, values).fetchall()
            except (*ERRORS, OverflowError) as error:
                raise self._unreadable(error) from error

    def _parsed(self, parse: Callable[[Any], T], stored: object) -> T:
        try:
            return parse(stored)
        except (sqlite3.Error, TypeError, ValueError, RecursionError) as error:
            raise self._unreadable(error) from error

    def _connect(self) -> sqlite3.Connection:
        try:
            # writing is for SQLite's own files beside it, which it then takes away again
            return self._try_connect("mode=rw")
        except sqlite3.OperationalError as error:
            # those files cannot be made in a folder that is read-only; without a log, none is
            # needed, as nobody writes
            log = self.path.with_name(f"{self.path.name}-wal")
            if os.access(self.path.parent, os.W_OK) or (log.exists() and log.stat().st_size):
                raise self._unreadable(error) from error
        except ERRORS as error:
            raise self._unreadable(error) from error
        try:
            return self._try_connect("immutable=1")
        except ERRORS as error:
            raise self._unreadable(error) from error

    def _try_connect(self, mode: str) -> sqlite3.Connection:
        connection = connect(self.path, mode)
        try:
            connection.execute("PRAGMA query_only = ON")
            version = format_of(connection)
            check_known(version, self.path)
            if version == 0:
                raise sqlite3.DatabaseError("it is empty: the run is about to begin, or never did")
            self._has_records = "record" in tables_of(version)
            self.run = run_of(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _unreadable(self, error: Exception) -> RunError:
        return RunError(f"{self.path} cannot be read: {error}.")


def _points(rows: Sequence[tuple[int, object]]) -> np.ndarray:
    # NumPy would take the text "1.5" for a number
    if all(isinstance(stored, float) for _, stored in rows):
        return np.fromiter(rows, _POINT, len(rows))
    return np.array([(step, from_column(stored)) for step, stored in rows], _POINT)


def _text(stored: object) -> str:
    # in a damaged file, a value may be of another type than its column
    if not isinstance(stored, str):
        raise sqlite3.DatabaseError(f"it holds {stored!r} in place of a text")
    return stored


def _event(row: Sequence[Any]) -> Event:
    time, step, kind, text = row
    if not (isinstance(time, float) and isinstance(step, int)):
        raise sqlite3.DatabaseError(f"an event has {row!r} in place of a time and a step")
    return Event(time=time, step=step, kind=_text(kind), text=_text(text))


def _start(row: Sequence[Any]) -> Start:
    time, pid, host, argv, from_step, environment, config = row
    start = Start(
        time=time,
        pid=pid,
        host=_text(host),
        argv=json.loads(argv),
        from_step=from_step,
        environment=json.loads(environment),
        config=json.loads(config),
    )
    numbers = isinstance(time, float) and isinstance(pid, int) and isinstance(from_step, int)
    mappings = isinstance(start.environment, dict) and isinstance(start.config, dict)
    if not (numbers and mappings and isinstance(start.argv, list)):
        raise sqlite3.DatabaseError(f"a start has {row!r}")
    return start


def _record(row: Sequence[str]) -> Any:
    return from_body(*row)
