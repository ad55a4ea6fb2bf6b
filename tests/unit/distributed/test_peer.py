"""Of a process that is missing, the store tells why; waiting ends when it can only be in vain."""

from __future__ import annotations

import threading

import pytest
from torch import distributed

from refluid.distributed import peer
from refluid.errors import PeerLost

STATE = peer.State(rank=1, world_size=3, num_sums=4, timeout_s=9.0)
CLOSED = RuntimeError("[tcp/pair.cc:1] Connection closed by peer\nand more")
LATE = RuntimeError("[tcp/buffer.cc:1] Timed out waiting 9000ms for recv operation")
BESIDE = RuntimeError("Application timeout caused pair closure")


@pytest.fixture
def store():
    return distributed.HashStore()


def explained(store, missing=None, error=CLOSED) -> str:
    text = peer.explain(store, STATE, "sum the gradients", missing, error)
    start = "rank 1 cannot sum the gradients: "
    assert text.startswith(start)
    return text.removeprefix(start)


def test_an_error_of_another_rank_is_named_by_its_kind(store):
    peer.note(store, 0, 4, ValueError)
    peer.note(store, 2, 4, PeerLost)
    assert explained(store) == "rank 0 has failed with ValueError; rank 2 has failed with PeerLost."


def test_a_rank_that_has_come_to_its_end_had_fewer_batches(store):
    peer.note(store, 2, 4, None)
    assert explained(store).startswith(
        "rank 0 is gone, or its connection; rank 2 has come to its end, after 4 sums of gradients, "
        "and this is number 5: give every rank the same number of batches"
    )


def test_a_rank_that_left_no_note_is_gone_or_hangs(store):
    store.set("note/0", '{"kind": "lost", "what": "sum the gradients"}')
    assert explained(store) == "rank 2 is gone, or its connection."
    for error in (LATE, BESIDE):
        assert explained(store, error=error) == (
            "rank 2 has not arrived within 9 s, so it hangs or needs longer (`--timeout`)."
        )
    assert explained(store, missing=[2]).startswith("rank 2 has not arrived within 9 s")


def test_ranks_that_do_different_things_are_told_so(store):
    for rank in (0, 2):
        store.set(f"note/{rank}", '{"kind": "lost", "what": "compare parameters"}')
    assert explained(store, error=LATE).startswith("rank 0 waits to compare parameters: all ranks")


def test_where_nothing_is_known_the_collective_s_own_error_is_given(store):
    for rank in (0, 2):
        store.set(f"note/{rank}", '{"kind": "lost", "what": "sum the gradients"}')
    assert explained(store) == "[tcp/pair.cc:1] Connection closed by peer."


def test_keys_are_waited_for(store):
    thread = threading.Timer(0.05, store.set, ["b", "1"])
    store.set("a", "1")
    thread.start()
    assert peer.wait_for(store, ["a", "b"], 20) == []
    thread.join()


def test_waiting_ends_with_the_timeout_or_when_a_rank_has_left(store):
    store.set("a", "1")
    assert peer.wait_for(store, ["a", "b", "c"], 0.05) == [1, 2]
    peer.note(store, 2, 0, None)
    assert peer.wait_for(store, ["a", "b", "c"], 1000) == [1, 2]


def test_ranks_are_named_in_words():
    assert (peer.names([1]), peer.names([1, 3])) == ("rank 1", "ranks 1, 3")
