"""VisualDL's own viewer on a folder of records and of runs.

The viewer is VisualDL's program, in a process of its own, on this machine alone and with telemetry
off: it would send its version to paddlepaddle.org.cn, and have every page load a script of
hm.baidu.com. It shows records where they are. Runs keep a journal instead, from which records are
written to a temporary folder, and written on while the run goes on.

The viewer never forgets a point that it has read. So when points are taken back, by a program that
has gone on from an earlier step, it is started again, and a page that is loaded then shows one
curve.
May import: errors, observe.journal.reader, visualdl.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import numpy as np

from refluid.errors import RefluidError, RunError
from refluid.observe.journal.reader import JournalReader
from refluid.visualdl.record_file import CUT_BACK
from refluid.visualdl.writer.writer import LogWriter

__all__ = ["serve_visualdl"]

_HOST = "127.0.0.1"
_JOURNAL = "run.sqlite"
_POLL_S = 2.0
_STARTING_S = 60.0
# the viewer keeps 1,000 points of a curve
_MOST_POINTS = 2000
# The viewer, without the working folder's modules; VisualDL makes folders in the home at import.
# It ends when its standard input does, as when this process is killed.
_PROGRAM = """
import os, sys, threading
sys.path = [path for path in sys.path if path]
os.environ.update(HOME=sys.argv.pop(1), NO_PROXY="*")
def end():
    os.read(0, 1)
    os._exit(0)
threading.Thread(target=end, daemon=True).start()
from visualdl.server.app import main
main()
"""


def serve_visualdl(logdir: Path, port: int) -> None:
    """Show a folder's records and runs in VisualDL's viewer, until Ctrl-C or SIGTERM.

    The viewer has a new point within seconds; its page asks for points every 15. Of what a run's
    metric has when it is opened, 2,000 points are shown.

    Args:
        logdir: searched for files of records and for journals, at any depth.
        port: of this machine, which nobody else listens on; 0 for any that is free.

    Raises:
        RefluidError: VisualDL is not installed, the port is in use, there is nothing to show, or
            the viewer ends by itself.

    Effects:
        Prints the address. Starts a process, and makes a temporary folder; both are gone at the
        end.
    """
    with tempfile.TemporaryDirectory(prefix="refluid-visualdl-") as name, _stoppable():
        copies = Path(name, "runs")
        copies.mkdir()
        content = _Content(logdir, copies)
        if not content.is_there():
            raise RefluidError(
                f"`logdir` has nothing to show: neither files of records nor runs are in {logdir}."
            )
        port = _checked_port(port)
        viewer = _Viewer([logdir, copies], port, Path(name))
        try:
            viewer.start()
            content.follow()
            if content.is_empty and content.error is not None:
                raise content.error
            viewer.wait()
            sys.stdout.write(
                f"VisualDL shows {logdir} at http://{_HOST}:{port}/  (Ctrl-C ends it)\n"
            )
            sys.stdout.flush()
            while not viewer.ended_within(_POLL_S):
                if content.follow():
                    viewer.stop()
                    viewer.start()
                    viewer.wait()
            raise viewer.failure()
        except KeyboardInterrupt:
            pass
        finally:
            viewer.stop()


class _Content:
    """What is shown: files of records in a folder, and copies of the journals in it."""

    def __init__(self, logdir: Path, copies: Path) -> None:
        self._logdir = logdir
        self._copies = copies
        self._files: dict[Path, _File] = {}
        self._journals: dict[Path, _Journal] = {}
        self.error: RunError | None = None

    @property
    def is_empty(self) -> bool:
        return not self._files and not self._journals

    def is_there(self) -> bool:
        """Return whether anything has the name of what can be shown."""
        return any(
            _is_shown(name)
            for _, _, names in os.walk(self._logdir, followlinks=True)
            for name in names
        )

    def follow(self) -> bool:
        """Look for what is new; return whether points are gone that a viewer has read."""
        gone = False
        for folder, _, names in os.walk(self._logdir, followlinks=True):
            records = [name for name in names if _is_shown(name) and name != _JOURNAL]
            if records:
                # the viewer reads the newest of a folder, by its name
                newest = Path(folder, max(records))
                known = self._files.get(newest.parent)
                if known is None or known.path != newest:
                    gone = gone or known is not None
                    self._files[newest.parent] = known = _File(newest)
                gone = known.follow() or gone
            if _JOURNAL in names:
                gone = self._follow_journal(Path(folder, _JOURNAL)) or gone
        return gone

    def _follow_journal(self, path: Path) -> bool:
        known = self._journals.get(path)
        try:
            if known is None:
                name = os.path.relpath(path.parent, self._logdir)
                name = path.parent.resolve().name if name == "." else name
                known = _Journal(path, self._copies / str(len(self._journals)), name)
                known.follow()
                self._journals[path] = known
                return False
            return known.follow()
        except RunError as error:
            if self.error is None:
                self.error = error
                sys.stderr.write(f"refluid: {error}\n")
            return False


def _is_shown(name: str) -> bool:
    return "vdlrecords" in name or name == _JOURNAL


class _File:
    """A file of records, which its writer makes longer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = _size_of(path)

    def follow(self) -> bool:
        """Return whether what was added says that earlier points are gone."""
        size, before = _size_of(self.path), self._size
        self._size = size
        if size <= before:
            return size < before
        with open(self.path, "rb") as file:
            file.seek(before)
            return CUT_BACK in file.read(size - before)


class _Journal:
    """A run's journal, and its metrics as records."""

    def __init__(self, path: Path, copy: Path, name: str) -> None:
        self._path = path
        self._copy = copy
        self._name = name
        self._writer: LogWriter | None = None
        self._num_begins = 0
        self._step = 0
        self._names: set[str] = set()

    def follow(self) -> bool:
        """Write what the journal has more; return whether some of the earlier is gone."""
        gone = False
        with JournalReader(self._path) as journal:
            # in one transaction with such an event, what is later than its step is taken back
            begins = [each.step for each in journal.events() if each.kind in ("began", "resumed")]
            for step in begins[self._num_begins :] if self._writer else ():
                if step <= self._step:
                    gone = True
                    self._step, self._names = step, set()
            self._num_begins = len(begins)
            curves: dict[str, list[tuple[int, float]]] = defaultdict(list)
            for step, name, value in journal.metrics(since=self._step):
                # of the last step, more may have been written since
                if step != self._step or name not in self._names:
                    curves[name].append((step, value))
        if gone and self._writer is not None:
            # another writer of the folder, whose points take the place of earlier ones
            self._writer.close()
            self._writer = None
        self._write(curves)
        return gone

    def _write(self, curves: dict[str, list[tuple[int, float]]]) -> None:
        if self._writer is None:
            self._writer = LogWriter(self._copy, display_name=self._name)
        for name, points in curves.items():
            chosen = np.linspace(0, len(points) - 1, min(len(points), _MOST_POINTS)).astype(int)
            for index in chosen:
                self._writer.add_scalar(name.replace("%", "_"), points[index][1], points[index][0])
        last = max((points[-1][0] for points in curves.values()), default=self._step)
        if last > self._step:
            self._step, self._names = last, set()
        self._names |= {name for name, points in curves.items() if points[-1][0] == last}


class _Viewer:
    """VisualDL's program, as a process."""

    def __init__(self, folders: list[Path], port: int, home: Path) -> None:
        self._arguments = [sys.executable, "-c", _PROGRAM, str(home), "--logdir"]
        self._arguments += [*map(str, folders), "--host", _HOST, "--port", str(port)]
        self._arguments += ["--disable-telemetry", "--cache-timeout", "3"]
        self._address = (_HOST, port)
        self._messages = home / "messages.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with open(self._messages, "wb") as messages:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=messages,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for this process, which ends the viewer
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + _STARTING_S
        while not self.ended_within(0.1):
            with contextlib.suppress(OSError), socket.create_connection(self._address, 1):
                return
            if time.monotonic() > deadline:
                raise RefluidError(f"VisualDL does not answer after {_STARTING_S:.0f} s.")
        raise self.failure()

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def ended_within(self, seconds: float) -> bool:
        """Wait so long at most; return whether it has ended."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def failure(self) -> RefluidError:
        """Return the error that says what it said last."""
        lines = self._messages.read_text(errors="replace").strip().splitlines()
        cut = any("DecodeError" in line for line in lines[-3:])
        advice = " A file of records ends within a record, or holds something else." if cut else ""
        return RefluidError(f"VisualDL has ended: {lines[-1] if lines else 'silently'}.{advice}")


def _checked_port(port: int) -> int:
    """Return a port that can be listened on, for a viewer that is installed."""
    try:
        importlib.metadata.version("visualdl")
    except importlib.metadata.PackageNotFoundError:
        raise RefluidError(
            "VisualDL is not installed: `pip install refluid[board]` installs it, and "
            "`refluid board` without `--visualdl` does without it."
        ) from None
    if not 0 <= port < 1 << 16:
        raise RefluidError(f"`port` must be from 0 to 65535, but is {port}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
            return probe.getsockname()[1]
        except OSError as error:
            raise RefluidError(
                f"`port` {port} cannot be used ({error.strerror}): choose another."
            ) from None


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
