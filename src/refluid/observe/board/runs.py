"""The runs below a folder, as they come and go.

What cannot be read is left out, and said once; it is tried again each time.
May import: errors, observe.board.run.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from refluid.errors import RunError
from refluid.observe.board.run import BoardRun

__all__ = ["Runs", "find_journals"]

_JOURNAL = "run.sqlite"
# a page asks for many things at once, which one look at the folder serves
_REFRESH_EVERY_S = 1.0


def find_journals(folder: Path) -> Iterator[Path]:
    """Iterate over the journals of the run in `folder` and of those anywhere below it."""
    for place, folders, files in os.walk(folder):
        if _JOURNAL in files:
            # a run's own checkpoints may be many, and hold no run
            folders[:] = [name for name in folders if name != "checkpoints"]
            yield Path(place, _JOURNAL)
        folders.sort()


class Runs:
    """The runs in and below `folder`.

    Args:
        folder: is there.
        tell: is given one sentence for each thing that is wrong with a run.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self._tell = tell
        self._lock = threading.Lock()
        self._known: dict[Path, BoardRun] = {}
        self._readable: list[BoardRun] = []
        self._told: dict[Path, str] = {}
        self._refreshed_s = -_REFRESH_EVERY_S

    def current(self) -> list[BoardRun]:
        """Return the runs that can be read, as they were at most a second ago."""
        with self._lock:
            if time.monotonic() - self._refreshed_s >= _REFRESH_EVERY_S:
                self._refresh()
                self._refreshed_s = time.monotonic()
            return self._readable

    def leave_out(self, run: BoardRun, error: RunError) -> None:
        """Say why a run, or a part of it, is not shown; the same only once."""
        if self._told.get(run.journal) != str(error):
            self._told[run.journal] = str(error)
            self._tell(f"{error} It is left out.")

    def _refresh(self) -> None:
        journals = list(find_journals(self.folder))
        # a folder that is a run itself is shown by its name
        resolved = self.folder.resolve()
        base = resolved.parent if self.folder / _JOURNAL in journals else resolved
        known = {}
        for path in journals:
            place = resolved / path.parent.relative_to(self.folder)
            known[path] = self._known.get(path) or BoardRun(_name_of(place, base), path)
        self._known = known
        readable = []
        for run in known.values():
            try:
                run.refresh()
            except RunError as error:
                self.leave_out(run, error)
            else:
                readable.append(run)
        self._readable = readable


def _name_of(place: Path, base: Path) -> str:
    # a page cannot send back a name that is no UTF-8
    return os.fsencode(place.relative_to(base).as_posix()).decode(errors="replace")
