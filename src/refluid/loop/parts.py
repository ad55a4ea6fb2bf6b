"""One checkpoint of several processes: rank 0 writes it, each of the others its part into it.

For each save the writing threads go through the same few words, in rank 0's store: rank 0 says
where the checkpoint is being written and what its tensors are, by their digests; each of the others
writes what it has besides, and says so; rank 0 seals it all, and tells the others how it went. So
there is one checkpoint, whole or not at all. The others' parts are small as a rule: parameters are
the same everywhere.

They had better be: parameters of a model that is trained by summed gradients are compared on the
way, and if they differ the run ends.
May import: checkpoint, distributed, errors, state.
"""

from __future__ import annotations

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from refluid.checkpoint import step_folder
from refluid.checkpoint.manifest import FileRecord
from refluid.checkpoint.store import Store
from refluid.distributed.group import Group
from refluid.distributed.same import REMEDY
from refluid.errors import CheckpointError, DistributedError, PeerLost
from refluid.state.digest import hash_tensor
from refluid.state.tree import Packed

__all__ = ["Alone", "Follower", "Leader", "Saver"]

_SAVE = "save step {:,}"
_MAX_NAMED = 3


class Saver(ABC):
    """Writes this process's part of a checkpoint."""

    @abstractmethod
    def save(
        self, step: int, packed: Packed, metrics: Mapping[str, float], same: Collection[str]
    ) -> None:
        """Write it, and return when the whole checkpoint is there.

        Args:
            step: how many steps have been done.
            packed: the state.
            metrics: kept with it.
            same: the names of tensors that must be the same in all processes.

        Raises:
            CheckpointError: it cannot be written, here or in another process.
            DistributedError: tensors that must be the same are not.
        """

    def skip(self, step: int, why: str) -> None:  # noqa: B027
        """Say that this process will not write, if others wait for it."""


class Alone(Saver):
    """Writes the checkpoints of a process that trains alone.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(
        self, step: int, packed: Packed, metrics: Mapping[str, float], same: Collection[str]
    ) -> None:
        """See `Saver`."""
        self._store.save(step, packed, metrics)


class _Talk:
    """What the processes say to each other about one save after the other."""

    def __init__(self, group: Group, talk: int) -> None:
        self._group = group
        self._talk, self._number = talk, 0
        self._ranks = range(group.world_size)

    def begin(self, step: int) -> None:
        self._number += 1
        self._what = _SAVE.format(step)

    def say(self, word: str, value: Any) -> None:
        self._group.post(self._key(word, self._group.rank), value, self._what)

    def hear_leader(self, word: str) -> Any:
        # it may write for long; when it is gone, so is the store
        return self._group.read([self._key(word, 0)], self._what, math.inf)[0]

    def hear_all(self, word: str) -> list[Any]:
        return self._group.read([self._key(word, rank) for rank in self._ranks], self._what)

    def forget(self) -> None:
        words = ("begin", "part", "end", "seen")
        self._group.forget([self._key(word, rank) for word in words for rank in self._ranks])

    def _key(self, word: str, rank: int) -> str:
        return f"save/{self._talk}/{self._number}/{word}/{rank}"


class Leader(Saver):
    """Rank 0 of several.

    Args:
        store: where checkpoints are.
        group: the processes.
        talk: the number of their conversation, from `Group.talk`.
    """

    def __init__(self, store: Store, group: Group, talk: int) -> None:
        self._store = store
        self._talk = _Talk(group, talk)

    def save(
        self, step: int, packed: Packed, metrics: Mapping[str, float], same: Collection[str]
    ) -> None:
        """See `Saver`."""
        talk = self._talk
        talk.begin(step)
        asked = False

        def others(folder: Path) -> dict[str, FileRecord]:
            nonlocal asked
            asked = True
            talk.say("begin", {"folder": str(folder), "digests": _digests(packed)})
            talk.say("part", {"files": {}})
            return _files(talk.hear_all("part"), folder)

        try:
            self._store.save(step, packed, metrics, others)
            self._end(asked, {})
        except CheckpointError as error:
            self._end(asked, {"error": str(error)})
            raise
        except DistributedError as error:
            self._end(asked, {"fatal": str(error)})
            raise
        except Exception as error:
            # the others wait for a word
            self._end(asked, {"error": f"{type(error).__name__}: {error}"})
            raise

    def skip(self, step: int, why: str) -> None:
        """See `Saver`."""
        self._talk.begin(step)
        self._end(False, {"error": why})

    def _end(self, asked: bool, outcome: dict[str, str]) -> None:
        # whoever is lost now is missed at the end of the step; what is written stays
        with contextlib.suppress(PeerLost):
            if not asked:
                self._talk.say("begin", None)
            self._talk.say("end", outcome)
            self._talk.say("seen", None)
            # the store goes with this process, so the others have to have read it
            self._talk.hear_all("seen")
            self._talk.forget()


class Follower(Saver):
    """One of the others.

    Args:
        group: the processes.
        talk: the number of their conversation, from `Group.talk`.
    """

    def __init__(self, group: Group, talk: int) -> None:
        self._rank = group.rank
        self._talk = _Talk(group, talk)

    def save(
        self, step: int, packed: Packed, metrics: Mapping[str, float], same: Collection[str]
    ) -> None:
        """See `Saver`."""
        self._talk.begin(step)
        begun = self._talk.hear_leader("begin")
        if begun is not None:
            self._talk.say("part", self._written(packed, same, **begun))
        outcome = self._talk.hear_leader("end")
        self._talk.say("seen", None)
        if "fatal" in outcome:
            raise DistributedError(outcome["fatal"])
        if "error" in outcome:
            raise CheckpointError(outcome["error"])

    def _written(
        self, packed: Packed, same: Collection[str], folder: str, digests: Mapping[str, str]
    ) -> dict[str, Any]:
        try:
            own = _digests(packed)
            shared = [name for name, digest in own.items() if digests.get(name) == digest]
            differing = sorted(set(same).difference(shared))
            if differing:
                return {"differing": differing}
            files = step_folder.write_part(Path(folder), self._rank, packed, shared)
        except Exception as error:
            # rank 0 waits for a word
            return {"error": f"{type(error).__name__}: {error}"}
        return {"files": {name: [file.num_bytes, file.sha256] for name, file in files.items()}}


def _files(parts: list[dict[str, Any]], folder: Path) -> dict[str, FileRecord]:
    """Return what the others have written; raises if one could not, or is not like rank 0."""
    files: dict[str, FileRecord] = {}
    for rank, part in enumerate(parts):
        if "differing" in part:
            names = part["differing"]
            more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
            raise DistributedError(
                f"the parameters of rank {rank} are not those of rank 0 any more: "
                f"{', '.join(f'`{name}`' for name in names[:_MAX_NAMED])}{more}. {REMEDY}"
            )
        if "error" in part:
            raise CheckpointError(f"rank {rank} cannot write its part of {folder}: {part['error']}")
        for name, (num_bytes, digest) in part["files"].items():
            if not (folder / name).is_file():
                raise CheckpointError(
                    f"rank {rank} has written {folder / name}, which rank 0 cannot see: all "
                    "machines must have the run's directory in common."
                )
            files[name] = FileRecord(num_bytes, digest)
    return files


def _digests(packed: Packed) -> dict[str, str]:
    # what is equal by these is not written twice, so no chance of error is small enough
    return {name: hash_tensor(tensor, 16) for name, tensor in packed.tensors.items()}
