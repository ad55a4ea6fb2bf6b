"""One start of a program that is to be killed, and what can be seen of it from outside.

The program runs in a session of its own, so that everything it started can be found and ended with
it. Where a launcher has started several processes, each leads a group of that session, and any of
them may be the one that is killed, the launcher too.

What the program does is read off the disk: `run.lock` names the process that holds a run, and a
checkpoint that is being written has a folder with a name of its own (docs/format.md). The journal
of a killed run is read from a copy: a reader that opens it would clean up after the kill, which
is what the next start is to do.
May import: errors, observe.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from refluid.errors import RunError
from refluid.observe.journal.reader import JournalReader

__all__ = [
    "Attempt",
    "Glimpse",
    "OpenRun",
    "glimpse",
    "living",
    "newest_checkpoint",
    "run_directories",
    "unfinished",
]

_HOLDER = re.compile(r"process (\d+) on .+")
# a checkpoint's folder, and its name while it is written or deleted
_SAVED = re.compile(r"step-(\d+)")
_UNFINISHED = re.compile(r"\.step-(\d+)\.\w+\.tmp")
_POLL_S = 0.002
_TAIL_LINES = 12


@dataclass(frozen=True)
class OpenRun:
    """A run that a living process holds: its directory, and the process."""

    directory: Path
    pid: int


@dataclass(frozen=True)
class Glimpse:
    """What the journal of a killed run says.

    Args:
        from_steps: the first step of each start.
        num_steps: how many steps are complete, at the least: the last ones may be missing.
    """

    from_steps: list[int]
    num_steps: int


class Attempt:
    """A program that was started.

    Args:
        command: the program and its arguments.
        environment: its environment.
        runs: the folder in which the environment makes it put its runs.
        output: file to which everything is added that the program prints.

    Raises:
        RunError: there is no such program.

    Effects:
        Starts the program. `close` must be called.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], runs: Path, output: Path
    ) -> None:
        self._runs = runs
        self._output = output
        self._open: OpenRun | None = None
        self._gone = False
        with output.open("ab") as file:
            try:
                self._process = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise RunError(
                    f"{command[0]!r} cannot be started ({error.strerror}): check the command "
                    "behind `--`."
                ) from None
        self.session = self._process.pid
        self.started_s = time.monotonic()

    @property
    def running(self) -> bool:
        """True until the program has ended."""
        return self._process.poll() is None

    def open_run(self) -> OpenRun | None:
        """Return a run that a process of this program holds now, or None."""
        if self._open is None or self._holder(self._open.directory) is None:
            self._open = None
            for directory in run_directories(self._runs, "run.lock"):
                pid = self._holder(directory)
                if pid is not None:
                    self._open = OpenRun(directory, pid)
                    break
        return self._open

    def await_run(self) -> OpenRun | None:
        """Wait until a run is open and return it, or None if the program ends before."""
        while self.running:
            run = self.open_run()
            if run is not None:
                return run
            time.sleep(_POLL_S)
        return None

    def pause(self, seconds: float) -> None:
        """Let so much time pass, or less if the program ends."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def kill(self, which: float = 0.0) -> int | None:
        """Kill the process that holds a run, or the whole program if none does.

        Args:
            which: from 0 to 1; of several processes that were launched to hold a run together, and
                their launcher, the one at this part of them.

        Returns:
            The place of the process that was killed, 0 being the program's first; None if the
            program had come to its end.
        """
        run = self.open_run()
        if not self.running:
            return None
        victims = [] if run is None else self._leaders(run.pid)
        if not victims:
            self._kill_all()
            return 0 if self._process.wait() == -signal.SIGKILL else None
        place = min(int(which * len(victims)), len(victims) - 1)
        victim = victims[place]
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if victim == self.session:
            return place if self._process.wait() == -signal.SIGKILL else None
        # a launcher that is the program's first process ends later, or not at all
        while victim in living(self.session):
            time.sleep(_POLL_S)
        return place

    def _leaders(self, holder: int) -> list[int]:
        """Return the processes of which one is killed in place of a run's holder, sorted."""
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(holder) != self.session:
                return sorted(pid for pid in living(self.session) if _leads(pid))
        return [holder]

    def _kill_all(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.session, signal.SIGKILL)
        for pid in living(self.session):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait(self, limit_s: float) -> int | None:
        """Wait for the program's end; return its exit status, or None after `limit_s` seconds."""
        try:
            return self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return None

    def last_lines(self) -> str:
        """Return the end of what the program printed, indented."""
        lines = self._output.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join(f"    {line}" for line in lines) or "    (it printed nothing)"

    def survivors(self) -> list[int]:
        """Return the processes that outlive the program, which has ended."""
        if not self._gone:
            found = living(self.session)
            # a session that is empty once may be another program's later
            self._gone = not found
            return found
        return []

    def close(self) -> None:
        """End the program and everything that it started."""
        if self.running or self.survivors():
            self._kill_all()
            self._process.wait()

    def _holder(self, directory: Path) -> int | None:
        try:
            found = _HOLDER.match((directory / "run.lock").read_text(errors="replace"))
            # a killed run's lock names it until the next one is open
            if found is not None and os.getsid(int(found[1])) == self.session:
                return int(found[1])
        except OSError:
            pass
        return None


def run_directories(folder: Path, file: str = "run.sqlite") -> Iterator[Path]:
    """Iterate over the directories below `folder` that hold a run, sorted.

    Args:
        folder: need not exist, and may change meanwhile.
        file: what makes it one.
    """
    for path, folders, files in os.walk(folder):
        folders.sort()
        if file in files:
            folders.clear()
            yield Path(path)


def unfinished(run: Path) -> tuple[set[str], set[str]]:
    """Return the names of checkpoints that are there by half: being written, being deleted.

    What is written is newer than every checkpoint; what is deleted has a newer one beside it.
    """
    by_half = _steps(run / "checkpoints", _UNFINISHED)
    newest = max(_steps(run / "checkpoints", _SAVED).values(), default=-1)
    writing = {name for name, step in by_half.items() if step > newest}
    return writing, by_half.keys() - writing


def newest_checkpoint(run: Path) -> Path | None:
    """Return the folder of a run's newest checkpoint."""
    steps = _steps(run / "checkpoints", _SAVED)
    return run / "checkpoints" / max(steps, key=steps.__getitem__) if steps else None


def glimpse(run: Path) -> Glimpse:
    """Read how far a killed run has come, without touching its journal."""
    with tempfile.TemporaryDirectory(prefix="refluid-journal-") as folder:
        for name in ("run.sqlite", "run.sqlite-wal"):
            if (run / name).exists():
                shutil.copyfile(run / name, Path(folder, name))
        try:
            with JournalReader(Path(folder, "run.sqlite")) as journal:
                from_steps = [start.from_step for start in journal.starts()]
                since = from_steps[-1] if from_steps else 0
                last = max((step for step, _, _ in journal.digests(since)), default=since - 1)
                return Glimpse(from_steps, last + 1)
        except RunError:
            # it was killed before there was a journal
            return Glimpse([], 0)


def _steps(folder: Path, pattern: re.Pattern[str]) -> dict[str, int]:
    try:
        found = map(pattern.fullmatch, os.listdir(folder))
        return {match[0]: int(match[1]) for match in found if match}
    except OSError:
        return {}


def living(session: int) -> list[int]:
    """Return the processes of a session that have not ended; none where there is no `/proc`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # the program's name stands in parentheses and may hold anything
            state, _, _, of_session = (
                path.read_text(errors="replace").rpartition(")")[2].split()[:4]
            )
        except OSError:
            continue
        if int(of_session) == session and state not in "ZX":
            found.append(int(path.parent.name))
    return found


def _leads(pid: int) -> bool:
    """Return whether a process leads a group."""
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False
