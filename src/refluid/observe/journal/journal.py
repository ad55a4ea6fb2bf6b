"""The journal of a run: what was measured and what happened, written while it trains.

One process writes, in transactions: a kill at any instant leaves whole ones. Any number of others
read at the same time (see `reader`); SQLite's write-ahead log lets neither wait for the
other. What `append` is given survives a kill of the process when it returns, and a power cut too if
it is asked to be durable, which costs a flush of the disk.

A file that is damaged or something else is moved aside, never deleted, and a new one is begun: to
go on, a run needs its checkpoints and not its journal.
May import: errors, observe.journal.file, observe.journal.format, observe.record.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from refluid.errors import RunError
from refluid.observe.journal.file import flaw_of, is_damage, set_aside
from refluid.observe.journal.format import (
    APPLICATION,
    ERRORS,
    FORMAT,
    LAST_STEP,
    TABLES,
    Event,
    Start,
    check_known,
    connect,
    format_of,
    run_of,
    tables_of,
    to_column,
    to_json,
)
from refluid.observe.record import Record, kind_of, to_body

__all__ = ["Event", "Journal", "Start"]

_MAX_STEP = 2**63 - 1
# looking through a file takes about 8 ms for each MiB; of a larger one only the outline is checked
_MAX_CHECKED_BYTES = 16 << 20

# SQLite passes over a value that stays the same
_TOUCH = "INSERT INTO meta VALUES ('flushes', 1) ON CONFLICT(key) DO UPDATE SET value = value + 1"
_METRIC = "INSERT OR REPLACE INTO metric VALUES (?, ?, ?)"
_DIGEST = "INSERT OR REPLACE INTO digest VALUES (?, ?, ?)"
_RECORD = "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)"
_EVENT = "INSERT INTO event(time, step, kind, text) VALUES (?, ?, ?, ?)"
_START = (
    "INSERT INTO start(time, pid, host, argv, from_step, environment, config) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class Journal:
    """The journal at `path`, for its one writer; several threads may share it.

    Args:
        path: the file, `run.sqlite` in a run's directory. Nothing is opened or made before `open`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.run = ""
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._durable = False

    def open(self, run: str | None = None) -> str | None:
        """Open the journal, or begin a new one.

        Args:
            run: the id that a new journal gets, by default 32 random hex digits. A journal that is
                there keeps its own. Afterwards `self.run` is the id.

        Returns:
            None, or one sentence: what was wrong with the file that was there, and where it is now.

        Raises:
            RunError: the file cannot be opened or made, or has the format of a later refluid.

        Effects:
            Makes the file. Moves a damaged one to `run.sqlite.damaged`, or `run.sqlite.damaged-2`
            and so on where that is taken.
        """
        with self._lock:
            self._disconnect()
            flaw = self._try_open(run)
            if flaw is None:
                return None
            aside = set_aside(self.path)
            again = self._try_open(run)
            if again is not None:
                raise RunError(f"{self.path} cannot be made: {again}.")
        return f"{self.path} was damaged ({flaw}); it is kept as {aside.name}, and a new one begins"

    def close(self) -> None:
        """Close the journal. It may be called again, and `open` after it."""
        with self._lock:
            self._disconnect()

    def last_step(self) -> int | None:
        """Return the last step that has metrics.

        Raises:
            RunError: the journal cannot be read.
        """
        with self._transaction(durable=False) as connection:
            (step,) = connection.execute(LAST_STEP).fetchone()
        return step

    def start(self, start: Start) -> None:
        """Write down a start of the program; durably.

        Raises:
            RunError: it cannot be written, or holds something that JSON cannot.
        """
        row = (
            float(start.time),
            start.pid,
            _encodable(start.host),
            to_json(list(start.argv), "argv"),
            _checked_step(start.from_step),
            to_json(dict(start.environment), "environment"),
            to_json(dict(start.config), "config"),
        )
        with self._transaction(durable=True) as connection:
            connection.execute(_START, row)

    def append(
        self,
        metrics: Iterable[tuple[int, str, float]] = (),
        events: Iterable[Event] = (),
        digests: Iterable[tuple[int, str, str]] = (),
        records: Iterable[tuple[int, str, Record]] = (),
        *,
        durable: bool = False,
    ) -> None:
        """Write rows, all of them or none.

        Args:
            metrics: step, name and value; of one name at one step the last value stays.
            events: in their order.
            digests: step, path of a leaf of the captured state, and its hash.
            records: step, name and record; of one name at one step the last one stays.
            durable: return when these and all rows before them are on the disk.

        Raises:
            RunError: they cannot be written, as on a full disk, or one is not a row. The journal
                is as before, and the same rows can be appended later.
        """
        numbers = [(_checked_step(s), _checked_name(n), to_column(v)) for s, n, v in metrics]
        hashes = [(_checked_step(s), _checked_name(n), h) for s, n, h in digests]
        kept = [(_checked_step(s), _checked_name(n), *_record_row(r)) for s, n, r in records]
        rows = [_event_row(event) for event in events]
        with self._transaction(durable=durable) as connection:
            connection.executemany(_METRIC, numbers)
            connection.executemany(_DIGEST, hashes)
            connection.executemany(_RECORD, kept)
            connection.executemany(_EVENT, rows)

    def cut(self, step: int, event: Event) -> int:
        """Take back what was measured from `step` on, and note why; durably.

        A run that goes on from a checkpoint does this, so that each step is there once. Events and
        starts are what happened, and stay.

        Returns:
            How many steps had metrics that are gone.

        Raises:
            RunError: it cannot be written. The journal is as before.
        """
        first, row = _checked_step(step), _event_row(event)
        with self._transaction(durable=True) as connection:
            (count,) = connection.execute(
                "SELECT COUNT(DISTINCT step) FROM metric WHERE step >= ?", (first,)
            ).fetchone()
            for table in ("metric", "digest", "record"):
                connection.execute(f"DELETE FROM {table} WHERE step >= ?", (first,))
            connection.execute(_EVENT, row)
        return count

    @contextlib.contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._connection
            if connection is None:
                raise RunError(f"{self.path} is not open: call `open` first.")
            try:
                self._set_durable(connection, durable)
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                if durable:
                    # a commit flushes the rows before it only if it has something to write itself
                    connection.execute(_TOUCH)
                connection.execute("COMMIT")
            except ERRORS as error:
                raise RunError(f"{self.path} cannot be written: {error}.") from error
            finally:
                if connection.in_transaction:
                    # if even that fails, the error before it is the one to tell
                    with contextlib.suppress(*ERRORS):
                        connection.execute("ROLLBACK")

    def _set_durable(self, connection: sqlite3.Connection, durable: bool) -> None:
        if durable != self._durable:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _try_open(self, run: str | None) -> str | None:
        """Open what is there or begin a new one, or return why it is no journal."""
        flaw = flaw_of(self.path)
        if flaw is not None:
            return flaw
        try:
            if self.path.exists():
                _check(self.path)
            self._connection = connect(self.path, "mode=rwc")
            _begin(self._connection, run or secrets.token_hex(16))
            self.run = run_of(self._connection)
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._durable = False
        except RunError:
            self._disconnect()
            raise
        except ERRORS as error:
            self._disconnect()
            if is_damage(error, self.path):
                return str(error)
            raise RunError(f"{self.path} cannot be opened: {error}.") from error
        return None

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _check(path: Path) -> None:
    """Look through a database for damage, without changing anything."""
    with contextlib.closing(connect(path, "mode=ro")) as connection:
        if os.path.getsize(path) <= _MAX_CHECKED_BYTES:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(found.replace("\n", " "))
        check_known(format_of(connection), path)


def _begin(connection: sqlite3.Connection, run: str) -> None:
    """Make the tables that are missing: all in an empty file, the new ones in an older format."""
    version = format_of(connection)
    # where the file system cannot have a write-ahead log, SQLite stays without: readers may wait
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    if version != FORMAT:
        for name in TABLES.keys() - tables_of(version):
            connection.execute(TABLES[name])
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('run', ?)", (run,))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    # also where there is nothing to write, so that a file that cannot be written is known now
    connection.execute(_TOUCH)
    connection.execute("COMMIT")


def _event_row(event: Event) -> tuple[float, int, str, str]:
    text = _encodable(event.text)
    return float(event.time), _checked_step(event.step), _checked_name(event.kind), text


def _record_row(record: Record) -> tuple[str, str]:
    return kind_of(type(record)), to_body(record)


def _checked_step(step: int) -> int:
    if not isinstance(step, int) or not 0 <= step <= _MAX_STEP:
        raise RunError(f"`step` must be a whole number from 0 to 2**63 - 1, but is {step!r}.")
    return step


def _checked_name(name: str) -> str:
    if not isinstance(name, str) or not name or _encodable(name) != name:
        raise RunError(f"a name must be a string of whole characters, at least one, not {name!r}.")
    return name


def _encodable(text: str) -> str:
    """Spell out what UTF-8 cannot hold, such as the odd bytes of a file's name."""
    if not isinstance(text, str):
        raise RunError(f"a text must be a string, but is {text!r}.")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
