"""`Batches`: a data set in batches, which can be gone on with from any place.

Which sample comes when, and every random number that is drawn to make it, are functions of the
seed, the epoch and the sample's index. So nothing that came before is needed to make a batch, it
does not matter which process makes it, and a position is an epoch and a number of samples.

Data in memory that nothing is done to are gathered a whole batch at a time. Everything else is
made sample by sample, here or in workers that live through all epochs.
Shapes: N samples, B batch.
May import: torch, numpy, errors, state.generators, data.batch, data.columns, data.division,
data.position, data.worker.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import default_collate

from refluid.data.batch import EpochOrder
from refluid.data.columns import Columns
from refluid.data.division import Division, Place
from refluid.data.position import Item, check_same, is_count
from refluid.data.worker import can_fork, map_in_workers
from refluid.errors import DataError, RefluidWarning
from refluid.state.generators import kept, seed_for

__all__ = ["Batches"]

_SEEDS = 1 << 32


class Batches:
    """Batches of a data set, the same for any number of workers and after any restart.

    A sample is made with Python's, NumPy's and torch's generators seeded by (seed, epoch, index),
    and the program's own draws go on as if it had not been. Numbers from elsewhere, such as
    `numpy.random.default_rng()` without a seed, are not the same again. A worker computes with one
    thread: sums over more than 32,768 elements may have other last bits there than without workers.

    Args:
        dataset: a data set with `__len__` and `__getitem__`, such as a list of samples; or tensors
            or arrays [N, ...] in memory: one, or a tuple or dict of several.
        batch_size: samples in a batch.
        shuffle: go through the samples in an order of its own for each epoch.
        seed: 0 to 2**32 - 1; decides the orders and all random numbers.
        workers: processes that make samples ahead of the program; 0 makes them when asked. Whole
            batches of data in memory, without `transform`, are always gathered here.
        transform: called with each sample; returns what takes its place. It must not write into
            what the data set keeps.
        drop_last: leave out the last batch of an epoch if it is smaller.
        shard: (rank, count): one of `count` processes that train together. They go through one
            order, and each takes its part of every `count * batch_size` samples; of the last ones
            of an epoch too, so those batches may be a little larger or smaller. By default the
            process is alone.

    Raises:
        DataError: an argument is not one of those described, or there would be no batch.

    Example:
        batches = Batches((images, labels), 100, shuffle=True, seed=1)
        for images, labels in batches:
            ...
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        workers: int = 0,
        transform: Callable[[Any], Any] | None = None,
        drop_last: bool = False,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        _check_whole("batch_size", batch_size, 1)
        _check_whole("seed", seed, 0)
        _check_whole("workers", workers, 0)
        for name, value in (("shuffle", shuffle), ("drop_last", drop_last)):
            if not isinstance(value, (bool, np.bool_)):
                raise DataError(f"`{name}` must be True or False, but received {value!r}.")
        if seed >= _SEEDS:
            raise DataError(f"`seed` must be less than 2**32, but received {seed}.")
        if transform is not None and not callable(transform):
            raise DataError(
                f"`transform` must be a function of one sample, but received {transform!r}."
            )
        rank, count = _checked_shard(shard)
        self._columns = Columns.of(dataset)
        self._dataset, self._transform = dataset, transform
        length = _length_of(dataset) if self._columns is None else len(self._columns)
        self._division = Division(length, int(batch_size), bool(drop_last), rank, count)
        self._division.check(0)
        # what a position has to agree about
        self._identity = {
            "length": length,
            "batch_size": int(batch_size),
            "shuffle": bool(shuffle),
            "seed": int(seed),
            "drop_last": bool(drop_last),
        }
        self._workers = self._usable_workers(int(workers))
        # where the batch after the last one handed out lies
        self._place = Place()
        self._continues = False
        self._items: Generator[Item, None, None] | None = None

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self._division.number(0)

    @property
    def epoch(self) -> int:
        """The epoch of the next batch, from 0."""
        return self._place.epoch

    def __iter__(self) -> Iterator[Any]:
        """Return an iterator over one epoch: the first, and each time the one after the last.

        After `load_state_dict` it is the rest of the epoch that the state was taken in. An
        iteration that is broken off has used up its epoch.
        """
        if self._place.index and not self._continues:
            self._place = Place(self._place.epoch + 1)
        self._continues = False
        return self._batches_until(self._place.epoch + 1)

    def first_epoch(self) -> Iterator[Any]:
        """Iterate over the batches of the first epoch; the position stays where it is."""
        with contextlib.closing(self._made(self._tasks(Place(), 1))) as made:
            yield from made

    def state_dict(self) -> dict[str, Any]:
        """Return the position, for loops that save and load by themselves."""
        return self.position()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to the position that `state_dict` returned.

        Raises:
            DataError: it is of other data, or of other arguments.
        """
        self._place = self._place_of(state_dict)
        self._continues = True

    # --- as a source of a run -----------------------------------------------------------------

    def open(self, position: Any | None, epochs: int) -> Iterator[Item]:
        """Go to a position in constant time, and return an iterator over what follows.

        Args:
            position: what `position` returned; None is the beginning.
            epochs: how many epochs there are in total, those before the position included.

        Raises:
            DataError: the position is of other data, or of other arguments.

        Effects:
            Starts the workers with the first batch that is asked for.
        """
        self.close()
        self._place = Place() if position is None else self._place_of(position)
        self._items = self._items_until(epochs)
        return self._items

    def position(self) -> dict[str, Any]:
        """Return where the batch after the last one handed out lies."""
        return {**self._place._asdict(), "processes": self._division.count, **self._identity}

    def describe(self) -> str | None:
        """Return None: going to a position takes no time."""
        return None

    def close(self) -> None:
        """End the iteration that `open` began, and its workers."""
        if self._items is not None:
            self._items.close()
        self._items = None

    # --- inside -------------------------------------------------------------------------------

    def _batches_until(self, epochs: int) -> Iterator[Any]:
        with contextlib.closing(self._items_until(epochs)) as items:
            for item in items:
                yield item.batch

    def _items_until(self, epochs: int) -> Generator[Item, None, None]:
        tasks = self._tasks(self._place, epochs)
        with contextlib.closing(self._made(tasks)) as made:
            for batch in made:
                epoch, index, used = self._place
                end = self._division.part(used).end
                last = not self._division.number(end)
                self._place = Place(epoch + 1) if last else Place(epoch, index + 1, end)
                yield Item(epoch, index, last, batch)

    def _tasks(self, place: Place, epochs: int) -> Iterator[_Task]:
        used = place.used
        for epoch in range(place.epoch, epochs):
            order = EpochOrder(
                self._identity["length"], self._identity["shuffle"], self._identity["seed"], epoch
            )
            for _ in range(self._division.number(used)):
                part = self._division.part(used)
                yield _Task(epoch, order.take(part.start, part.stop))
                used = part.end
            used = 0

    def _made(self, tasks: Iterator[_Task]) -> Generator[Any, None, None]:
        if self._columns is not None and self._transform is None:
            for task in tasks:
                yield self._columns.gather(task.indices)
        elif self._workers:
            # two for each worker: one that it makes, and one that waits for the program
            yield from map_in_workers(self._make, tasks, self._workers, 2 * self._workers)
        else:
            for task in tasks:
                yield self._make_here(task)

    def _make(self, task: _Task) -> Any:
        return _collated(self._samples(task), task)

    def _make_here(self, task: _Task) -> Any:
        with kept():
            samples = self._samples(task)
        return _collated(samples, task)

    def _samples(self, task: _Task) -> list[Any]:
        indices = task.indices.tolist()
        given = (
            (self._dataset[index] for index in indices)
            if self._columns is None
            else self._columns.rows(task.indices)
        )
        samples = []
        for index in indices:
            seed_for(self._identity["seed"], task.epoch, index)
            try:
                sample = next(given)
                samples.append(sample if self._transform is None else self._transform(sample))
            except Exception as error:
                raise DataError(
                    f"sample {index} could not be made in epoch {task.epoch}: "
                    f"{type(error).__name__}: {error}"
                ) from error
        return samples

    def _usable_workers(self, workers: int) -> int:
        if workers and self._columns is not None and self._transform is not None:
            self._columns.check_can_fork()
        if workers and not can_fork():
            warnings.warn(
                "`workers` needs a system that can fork; samples are made in the program's own "
                "process instead.",
                RefluidWarning,
                stacklevel=3,
            )
            return 0
        return workers

    def _place_of(self, position: Any) -> Place:
        if not isinstance(position, Mapping) or not {"epoch", "index"} <= position.keys():
            raise DataError(
                f"a position of Batches must hold `epoch` and `index`, but received {position!r}."
            )
        # the batches of more or fewer processes may be of another size, so that a step is not
        moved = position.get("processes", 1) != self._division.count
        own = {k: v for k, v in self._identity.items() if not (moved and k == "batch_size")}
        check_same(position, own, "Batches")
        epoch, index = position["epoch"], position["index"]
        # of one process, as it was saved before there could be several
        used = position.get("used", index * self._division.batch_size if is_count(index) else None)
        place = Place(epoch, index, used)
        self._division.check_place(place)
        if moved and self._division.drop_last and not self._division.number(used):
            # what is left is less than a step of this number of processes
            return Place(epoch + 1)
        self._division.check(used)
        return place


class _Task(NamedTuple):
    """What a batch is made of: an epoch, and the indices of samples, int64 [B]."""

    epoch: int
    indices: NDArray[np.int64]


def _collated(samples: list[Any], task: _Task) -> Any:
    try:
        return default_collate(samples)
    except Exception as error:
        raise DataError(
            f"samples {_shortened(task.indices.tolist())} cannot be put into one batch: {error}. "
            "All samples must have the same keys, shapes and types."
        ) from error


def _shortened(indices: list[int]) -> str:
    shown = ", ".join(map(str, indices[:8]))
    return shown if len(indices) <= 8 else f"{shown}, ..."


def _checked_shard(shard: Any) -> tuple[int, int]:
    if (
        not isinstance(shard, tuple)
        or len(shard) != 2
        or not (is_count(shard[0]) and is_count(shard[1]) and shard[0] < shard[1])
    ):
        raise DataError(
            "`shard` must be (rank, count), with a rank from 0 to count - 1, such as "
            f"`(group.rank, group.world_size)`, but received {shard!r}."
        )
    return int(shard[0]), int(shard[1])


def _check_whole(name: str, value: Any, least: int) -> None:
    if not is_count(value) or value < least:
        raise DataError(f"`{name}` must be a whole number from {least}, but received {value!r}.")


def _length_of(dataset: Any) -> int:
    if isinstance(dataset, (str, bytes)) or not hasattr(dataset, "__getitem__"):
        raise DataError(
            "`dataset` must be samples by index (`__getitem__` and `__len__`) or tensors, but "
            f"received {type(dataset).__name__}. What can only be iterated is given to the run as "
            "it is."
        )
    try:
        length = len(dataset)
    except (TypeError, NotImplementedError) as error:
        raise DataError(
            f"`dataset` must have a length, but {type(dataset).__name__} has none: {error}"
        ) from None
    if not length:
        raise DataError("`dataset` must have at least one sample, but is empty.")
    return length
