"""The journal's file: its tables, the form of its rows, and how to know one.

It is an SQLite database. Its header holds the mark of the program and the version of the format, so
that another program's database is never taken for a journal. Numbers come back as the same bits:
SQLite turns a NaN into NULL, and in a column that is declared REAL a negative zero into a positive
one; so values have a column without a type, where NaN is a BLOB of its eight bytes.

Format 2 added the table of records. A journal of format 1 has none, and gets it from the next
process that writes.
May import: errors.
"""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from refluid.errors import RunError

__all__ = [
    "APPLICATION",
    "ERRORS",
    "FORMAT",
    "LAST_STEP",
    "TABLES",
    "Event",
    "Start",
    "check_known",
    "connect",
    "format_of",
    "from_column",
    "run_of",
    "tables_of",
    "to_column",
    "to_json",
]

APPLICATION = 0x52666C75  # "Rflu", where SQLite keeps the mark of the program a file belongs to
FORMAT = 2
_NO_FORMAT = 1000  # not a later format, but a damaged number
# what reading a file can raise; the second where SQLite's message quotes damaged text
ERRORS = (sqlite3.Error, UnicodeDecodeError)

TABLES = {
    "meta": "CREATE TABLE meta(key TEXT NOT NULL PRIMARY KEY, value) WITHOUT ROWID",
    "metric": (
        "CREATE TABLE metric(step INTEGER NOT NULL, name TEXT NOT NULL, value NOT NULL, "
        "PRIMARY KEY(step, name)) WITHOUT ROWID"
    ),
    "digest": (
        "CREATE TABLE digest(step INTEGER NOT NULL, leaf TEXT NOT NULL, hash TEXT NOT NULL, "
        "PRIMARY KEY(step, leaf)) WITHOUT ROWID"
    ),
    "event": (
        "CREATE TABLE event(id INTEGER PRIMARY KEY, time REAL NOT NULL, step INTEGER NOT NULL, "
        "kind TEXT NOT NULL, text TEXT NOT NULL)"
    ),
    "start": (
        "CREATE TABLE start(id INTEGER PRIMARY KEY, time REAL NOT NULL, pid INTEGER NOT NULL, "
        "host TEXT NOT NULL, argv TEXT NOT NULL, from_step INTEGER NOT NULL, "
        "environment TEXT NOT NULL, config TEXT NOT NULL)"
    ),
    "record": (
        "CREATE TABLE record(step INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, "
        "body TEXT NOT NULL, PRIMARY KEY(step, name))"
    ),
}
_SINCE_FORMAT = {"record": 2}

_PATIENCE_S = 10.0  # how long another program that holds the file is waited for

LAST_STEP = "SELECT MAX(step) FROM metric"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened in a run: a save, a signal, a damaged checkpoint.

    Args:
        step: how far the run was.
        kind: the same for all events of its sort, such as `saved`.
        text: the rest, for people.
        time: seconds since 1970.
    """

    step: int
    kind: str
    text: str = ""
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start of a run's program.

    Args:
        pid: the process.
        host: the machine's name.
        argv: the program and its arguments.
        from_step: the step at which it began or went on.
        environment: what can change results, such as the versions of libraries.
        config: the run's settings, of any values that JSON can hold.
        time: seconds since 1970.
    """

    pid: int
    host: str
    argv: Sequence[str]
    from_step: int
    environment: Mapping[str, Any]
    config: Mapping[str, Any]
    time: float = field(default_factory=time.time)


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a database whose transactions are ended by hand.

    Args:
        path: the file.
        mode: how, in the words of an SQLite URI, such as `mode=ro`.

    Raises:
        sqlite3.Error: it cannot be opened; what is wrong with the file shows only when it is read.
    """
    return sqlite3.connect(
        f"file://{quote(os.fsencode(path.absolute()))}?{mode}",
        uri=True,
        timeout=_PATIENCE_S,
        isolation_level=None,
        check_same_thread=False,
    )


def format_of(connection: sqlite3.Connection) -> int:
    """Return the version of a journal's format, or 0 if the file is empty.

    Raises:
        sqlite3.DatabaseError, UnicodeDecodeError: the file is damaged, or not a journal.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    found = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    if not (application or version or found):
        return 0
    if application != APPLICATION:
        raise sqlite3.DatabaseError("it is a database of another program")
    if FORMAT < version < _NO_FORMAT:
        return version
    # a trigger would run within our own transactions
    triggers = [name for kind, name, _ in found if kind == "trigger"]
    expected = tables_of(max(version, 1))
    wrong = triggers + [name for name in expected if ("table", name, TABLES[name]) not in found]
    if wrong:
        raise sqlite3.DatabaseError(f"its tables are not those of a journal: {', '.join(wrong)}")
    if not 0 < version < _NO_FORMAT:
        raise sqlite3.DatabaseError(f"{version} is no format of a journal")
    return version


def tables_of(version: int) -> list[str]:
    """Return the names of the tables that a journal of this format has."""
    return [name for name in TABLES if _SINCE_FORMAT.get(name, 1) <= version]


def run_of(connection: sqlite3.Connection) -> str:
    """Return the id of a journal's run.

    Raises:
        sqlite3.DatabaseError: the journal has none.
    """
    found = connection.execute("SELECT value FROM meta WHERE key = 'run'").fetchone()
    if found is None or not isinstance(found[0], str):
        raise sqlite3.DatabaseError("it does not say whose run it is of")
    return found[0]


def check_known(version: int, path: object) -> None:
    """Refuse a journal that a later refluid wrote.

    Raises:
        RunError: `version` is above `FORMAT`.
    """
    if version > FORMAT:
        raise RunError(
            f"{path} has format {version}, and this refluid knows formats up to {FORMAT}: "
            "use the version of refluid that wrote it, or a later one."
        )


def to_column(value: float) -> float | bytes:
    """Return what is stored for a number.

    Raises:
        RunError: it is none, or too large for a float.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise RunError(f"a metric's value must be a number, but is {value!r}.") from None
    return struct.pack(">d", number) if number != number else number


def from_column(stored: object) -> float:
    """Return the number that `to_column` stored.

    Raises:
        sqlite3.DatabaseError: it stored no such thing.
    """
    if isinstance(stored, float):
        return stored
    if not isinstance(stored, bytes) or len(stored) != 8:
        raise sqlite3.DatabaseError(f"it holds {stored!r} in place of a number")
    (number,) = struct.unpack(">d", stored)
    return number


def to_json(value: object, name: str) -> str:
    """Return `value` as JSON in ASCII, which holds any string.

    Raises:
        RunError: it holds something that JSON cannot; `name` says what it is.
    """
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise RunError(
            f"`{name}` must hold only what JSON can: strings, numbers, lists, dictionaries; "
            f"but {error}."
        ) from None
