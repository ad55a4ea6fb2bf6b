"""A checkpoint that two processes write together, here two threads with one store."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed

from refluid.checkpoint.store import Store
from refluid.distributed.group import Group
from refluid.errors import CheckpointError, DistributedError, PeerLost
from refluid.loop.parts import Follower, Leader
from refluid.state.tree import Packed, pack, unpack

RUN = "0" * 32


def state(rank: int) -> Packed:
    return pack({"same": torch.arange(4.0), "own": torch.tensor([float(rank)]), "rank": rank})


class Pair:
    """Rank 0 and rank 1."""

    def __init__(self, folder: Path, timeout_s: float = 10.0) -> None:
        shared = distributed.HashStore()
        cpu = torch.device("cpu")
        self.groups = [Group(rank, 2, cpu, shared, timeout_s) for rank in range(2)]
        self.store = Store(folder, RUN)
        self.leader = Leader(self.store, self.groups[0], 1)
        self.follower = Follower(self.groups[1], 1)

    def at_once(self, first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
        """Call both; return what they raise, None for what does not."""
        raised: list[Any] = [None, None]

        def call(place: int, do: Callable[[], Any]) -> None:
            try:
                do()
            except Exception as error:
                raised[place] = error

        threads = [threading.Thread(target=call, args=each) for each in enumerate((first, second))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return raised

    def save(self, step: int, other: Packed, same: tuple[str, ...] = ("same",)) -> list[Any]:
        return self.at_once(
            lambda: self.leader.save(step, state(0), {"loss": 0.5}, same),
            lambda: self.follower.save(step, other, {}, same),
        )


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_each_rank_reads_back_its_own_state(pair, tmp_path):
    assert pair.save(3, state(1)) == [None, None]
    for rank in range(2):
        loaded = Store(tmp_path, RUN).load(3, rank)
        assert loaded.num_ranks == 2
        value = unpack(loaded.packed)
        assert value["rank"] == rank
        assert value["own"].tolist() == [float(rank)]
        assert value["same"].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_rank_that_has_not_saved_reads_rank_0(pair, tmp_path):
    pair.save(3, state(1))
    assert unpack(Store(tmp_path, RUN).load(3, 2).packed)["rank"] == 0


def test_tensor_that_is_the_same_is_written_once(pair, tmp_path):
    pair.save(3, state(1))
    part = json.loads((tmp_path / "step-00000003" / "state-1.json").read_text())
    assert part["shared"] == ["same"]


def test_saves_follow_each_other_and_leave_nothing_in_the_store(pair, tmp_path):
    for step in (1, 2, 3):
        assert pair.save(step, state(1)) == [None, None]
    assert names(tmp_path) == {"step-00000001", "step-00000002", "step-00000003"}
    assert pair.groups[0]._store.num_keys() == 0


def test_what_is_there_is_not_written_again_and_nobody_waits(pair):
    assert pair.save(3, state(1)) == [None, None]
    assert pair.save(3, state(1)) == [None, None]


def test_tensor_that_must_be_the_same_and_is_not_ends_both_and_leaves_nothing(pair, tmp_path):
    other = pack({"same": torch.zeros(4), "own": torch.tensor([1.0]), "rank": 1})
    for error in pair.save(3, other):
        assert type(error) is DistributedError
        assert "the parameters of rank 1 are not those of rank 0 any more: `same`" in str(error)
    assert names(tmp_path) == set()


def test_rank_that_cannot_write_its_part_fails_the_save_in_both(pair, tmp_path):
    def put_in_the_way() -> None:
        # as the folder's name is drawn, it can only be found while the leader waits
        pair.follower._talk.begin(3)
        folder = Path(pair.follower._talk.hear_leader("begin")["folder"])
        (folder / "state-1.json").mkdir()
        pair.follower._talk._number -= 1
        pair.follower.save(3, state(1), {}, ())

    errors = pair.at_once(lambda: pair.leader.save(3, state(0), {}, ()), put_in_the_way)
    for error in errors:
        assert type(error) is CheckpointError
        assert "rank 1 cannot write its part of" in str(error)
    assert names(tmp_path) == set()
    assert pair.save(4, state(1)) == [None, None]


def test_leader_that_skips_tells_the_other(pair):
    errors = pair.at_once(
        lambda: pair.leader.skip(3, "rank 0 cannot write its journal"),
        lambda: pair.follower.save(3, state(1), {}, ()),
    )
    assert errors[0] is None
    assert str(errors[1]) == "rank 0 cannot write its journal"


def test_leader_does_not_wait_longer_than_its_timeout_for_one_that_is_gone(tmp_path):
    pair = Pair(tmp_path, timeout_s=0.3)
    with pytest.raises(PeerLost, match="rank 1 has not arrived within 0.3 s"):
        pair.leader.save(3, state(0), {}, ())
    assert names(tmp_path) == set()


@pytest.mark.parametrize("name", ["state-1.json", "state-1.safetensors"])
def test_damage_in_a_part_makes_the_whole_checkpoint_damaged(pair, tmp_path, name):
    pair.save(3, state(1))
    pair.save(4, state(1))
    path = tmp_path / "step-00000004" / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    store = Store(tmp_path, RUN)
    assert store.newest().step == 3
    assert [damage.reason for damage in store.damaged] == [
        f"{name} does not match the SHA-256 in manifest.json"
    ]
