"""Why another process is missing, as far as rank 0's store can tell.

A process that ends leaves a note there: that it has come to its end, or which error it failed
with. One that waits in vain leaves one too, and then looks for those of the others: who has left
none hangs or was killed. The store is part of rank 0's process: if nothing can be read it is that.
May import: torch.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import distributed

__all__ = ["SUM", "State", "explain", "names", "note", "wait_for"]

# what a process does when another one may have had fewer batches
SUM = "sum the gradients"
_SHORTEST_S, _LONGEST_S = 0.0005, 0.02
# how long notes of processes that end at this moment are waited for
_NOTES_S = 1.5
# how long the store may take to answer at all
_ANSWER_S = 5.0
_BATCHES = (
    "give every rank the same number of batches, as fluid.contrib.reader.distributed_batch_reader "
    "does"
)


@dataclass(frozen=True)
class State:
    """Where this process is.

    Args:
        rank: its number.
        world_size: how many processes there are.
        num_sums: how often it has summed gradients with the others.
        timeout_s: how long it waits for others.
    """

    rank: int
    world_size: int
    num_sums: int
    timeout_s: float


def names(ranks: Sequence[int]) -> str:
    """Return `rank 1`, or `ranks 1, 2`."""
    return f"rank{'s' * (len(ranks) > 1)} {', '.join(map(str, ranks))}"


def wait_for(
    store: distributed.Store,
    keys: Sequence[str],
    timeout_s: float,
    given_up: threading.Event | None = None,
) -> list[int]:
    """Wait until `keys` are set, one by each rank; return the places of those that are not in time.

    It also ends early, with those that are missing, when a process has left that was to set one, or
    when another thread has given up.
    """
    until, pause = time.monotonic() + timeout_s, _SHORTEST_S
    while not store.check(list(keys)):
        late = time.monotonic() > until or (given_up is not None and given_up.is_set())
        left = pause >= _LONGEST_S and store.check(["left"])
        if late or left:
            missing = [k for k, key in enumerate(keys) if not store.check([key])]
            if late or any(store.check([f"note/{k}"]) for k in missing):
                return missing
        time.sleep(pause)
        pause = min(_LONGEST_S, 2 * pause)
    return []


def note(
    store: distributed.Store,
    rank: int,
    num_sums: int,
    failure: type[BaseException] | None,
) -> None:
    """Leave a note that this process ends, and with which error."""
    content: dict[str, Any] = {"kind": "ended", "num_sums": num_sums}
    if failure is not None:
        content = {"kind": "failed", "error": failure.__name__}
    _answered(lambda: _leave(store, rank, content))


def _leave(store: distributed.Store, rank: int, content: dict[str, Any]) -> None:
    store.set(f"note/{rank}", json.dumps(content))
    store.set("left", "1")


def explain(
    store: distributed.Store,
    state: State,
    what: str,
    missing: Sequence[int] | None,
    error: RuntimeError | None,
) -> str:
    """Return why this process cannot do `what`.

    Args:
        store: where notes are.
        state: where this process is.
        what: the beginning of the sentence: `rank 1 cannot ...`.
        missing: the ranks that have not arrived, if that is known.
        error: what a collective failed with, if one did.

    Returns:
        A sentence or two, which name a rank.
    """
    others = [k for k in range(state.world_size) if k != state.rank]
    # the second is what gloo says of a collective beside the one that has waited too long
    texts = ("imed out", "Application timeout")
    late = missing is not None or any(text in str(error) for text in texts)
    notes: dict[int, dict[str, Any]] = {}

    def look() -> None:
        store.set(f"note/{state.rank}", json.dumps({"kind": "lost", "what": what}))
        until = time.monotonic() + _NOTES_S
        while len(notes) < len(others) and time.monotonic() < until:
            for k in others:
                if k not in notes and store.check([f"note/{k}"]):
                    notes[k] = json.loads(store.get(f"note/{k}"))
            time.sleep(_LONGEST_S)

    if not _answered(look) and state.rank != 0:
        advice = f" If it came to its end without an error, {_BATCHES}." if what == SUM else ""
        gone = "rank 0 has ended or does not answer any more."
        return f"rank {state.rank} cannot {what}: {gone}{advice}"
    reasons = [
        reason
        for k in others
        if (reason := _reason(k, notes.get(k), state, what, late)) is not None
    ]
    if not reasons:
        reasons = [str(error).strip().splitlines()[0] if error else "another rank is gone"]
    return f"rank {state.rank} cannot {what}: {'; '.join(reasons)}."


def _reason(
    rank: int, note: dict[str, Any] | None, state: State, what: str, late: bool
) -> str | None:
    """Return what is to be said of another rank, None if it waits in vain itself."""
    if note is None and late:
        return (
            f"rank {rank} has not arrived within {state.timeout_s:g} s, so it hangs or needs "
            "longer (`--timeout`)"
        )
    if note is None:
        return f"rank {rank} is gone, or its connection"
    if note["kind"] == "failed":
        return f"rank {rank} has failed with {note['error']}"
    if note["kind"] == "ended" and what != SUM:
        return f"rank {rank} has come to its end"
    if note["kind"] == "ended":
        return (
            f"rank {rank} has come to its end, after {note['num_sums']} sums of gradients, and "
            f"this is number {state.num_sums + 1}: {_BATCHES}"
        )
    if note["kind"] == "lost" and note.get("what", what) != what:
        return f"rank {rank} waits to {note['what']}: all ranks must do the same, in one order"
    return None


def _answered(ask: Any) -> bool:
    """Call a function that uses the store; return whether it came back in time without an error."""
    done: list[bool] = []

    def call() -> None:
        # the store's own errors say no more than that it is gone
        with contextlib.suppress(RuntimeError):
            ask()
            done.append(True)

    # a stopped process answers nothing, and the store would wait for its whole timeout
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(_ANSWER_S)
    return bool(done)
