"""A process beside a launcher that outlives it only to end what it has started.

Nothing can be done by a process that is killed, so another one has to be there. It reads from a
pipe which groups of processes there are; when the pipe's other end is gone, so is the launcher, and
the groups that are left are killed, whatever is in them. A training program that uses
`refluid.Run` goes on from that exactly.

Run by its path; on standard input `+GROUP` and `-GROUP`, a line each.
May import: the standard library only, little of it, as it is started each time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable

__all__ = ["main"]


def main(lines: Iterable[str]) -> None:
    """Note groups of processes until `lines` end, then kill those that are left."""
    groups: set[int] = set()
    for line in lines:
        number = int(line[1:])
        if line.startswith("+"):
            groups.add(number)
        else:
            groups.discard(number)
    for number in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(number, signal.SIGKILL)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(ignored, signal.SIG_IGN)
    main(sys.stdin)
