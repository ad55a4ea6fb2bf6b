"""Functions that make a reader out of readers: shuffled, mapped, joined, read ahead.

A reader is a function without arguments that returns an iterable over samples. What a decorated
reader asks of the readers inside it, and of Python's `random`, is exactly what Paddle asks, so a
seeded program sees its samples in Paddle's order.

Threads and processes start with the first sample and end when the iteration ends, fails or is left
by a `break`; their exceptions are raised where the samples are consumed.
May import: refluid.data.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from refluid.data.thread import map_in_threads, read_in_thread
from refluid.data.worker import read_in_workers

__all__ = [
    "ComposeNotAligned",
    "buffered",
    "cache",
    "chain",
    "compose",
    "firstn",
    "map_readers",
    "multiprocess_reader",
    "shuffle",
    "xmap_readers",
]

Reader = Callable[[], Iterable[Any]]

_MISSING = object()


class ComposeNotAligned(ValueError):
    """The readers given to `compose` do not have the same number of samples."""


def cache(reader: Reader) -> Callable[[], Iterator[Any]]:
    """Read all samples now, and give them from memory each time.

    Same as Paddle 1.8.

    Args:
        reader: read once, to its end, by this call.
    """
    samples = tuple(reader())
    return lambda: iter(samples)


def map_readers(func: Callable[..., Any], *readers: Reader) -> Callable[[], Iterator[Any]]:
    """Call `func` with one sample of each reader at a time, until one of them ends.

    Same as Paddle 1.8.

    Args:
        func: takes as many arguments as there are readers; its result is the new sample.
        *readers: where the arguments come from.
    """
    return lambda: map(func, *[reader() for reader in readers])


def shuffle(reader: Reader, buf_size: int) -> Callable[[], Iterator[Any]]:
    """Shuffle the samples of a reader within blocks of `buf_size`.

    Same as Paddle 1.8, with the same order for the same `random.seed`.

    Args:
        reader: gives the samples.
        buf_size: how many samples are collected, shuffled and given out at a time.

    Effects:
        Python's `random` advances once a block.
    """

    def shuffled() -> Iterator[Any]:
        block = []
        for sample in reader():
            block.append(sample)
            if len(block) >= buf_size:
                random.shuffle(block)
                yield from block
                block = []
        if block:
            random.shuffle(block)
            yield from block

    return shuffled


def chain(*readers: Reader) -> Callable[[], Iterator[Any]]:
    """Give the samples of one reader after those of another.

    Same as Paddle 1.8.

    Args:
        *readers: all are opened first, then read in turn.
    """
    return lambda: itertools.chain(*[reader() for reader in readers])


def compose(*readers: Reader, **kwargs: bool) -> Callable[[], Iterator[tuple[Any, ...]]]:
    """Join one sample of each reader into a tuple; samples that are tuples are laid flat.

    Differs from Paddle: a sample that is None does not count as the end of its reader, and an
    unknown keyword is an error.

    Args:
        *readers: where the parts come from.
        **kwargs: `check_alignment` (True): all readers must end together. If False, the longer
            ones are cut.

    Raises:
        ComposeNotAligned: (while reading) one reader ended before another.
        TypeError: a keyword other than `check_alignment`.
    """
    check = kwargs.pop("check_alignment", True)
    if kwargs:
        raise TypeError(
            f"compose takes one keyword, `check_alignment`, but received {', '.join(kwargs)}."
        )

    def composed() -> Iterator[tuple[Any, ...]]:
        opened = [reader() for reader in readers]
        if not check:
            yield from map(_flatten, zip(*opened, strict=False))
            return
        for parts in itertools.zip_longest(*opened, fillvalue=_MISSING):
            ended = [k for k, part in enumerate(parts) if part is _MISSING]
            if ended:
                raise ComposeNotAligned(
                    f"outputs of readers are not aligned: of the {len(readers)} readers, number "
                    f"{ended[0]} ended before another. Pass check_alignment=False to cut the rest."
                )
            yield _flatten(parts)

    return composed


def _flatten(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    return sum((part if isinstance(part, tuple) else (part,) for part in parts), ())


def buffered(reader: Reader, size: int) -> Callable[[], Iterator[Any]]:
    """Read up to `size` samples ahead in a background thread.

    Differs from Paddle: an exception in the reader is raised to the consumer, who would wait
    forever, and the thread ends when the consumer stops early.

    Args:
        reader: gives the samples; runs in the thread.
        size: how many samples may wait; 0 or less is without a bound.
    """
    return lambda: read_in_thread(reader, size)


def firstn(reader: Reader, n: int) -> Callable[[], Iterator[Any]]:
    """Give the first `n` samples.

    Same as Paddle 1.8: one sample more is read where there is one.

    Args:
        reader: gives the samples.
        n: how many to keep.
    """

    def limited() -> Iterator[Any]:
        # islice would not read the sample after the last, and leave `random` elsewhere than Paddle
        for count, sample in enumerate(reader()):
            if count == n:
                break
            yield sample

    return limited


def xmap_readers(
    mapper: Callable[[Any], Any],
    reader: Reader,
    process_num: int,
    buffer_size: int,
    order: bool = False,
) -> Callable[[], Iterator[Any]]:
    """Map the samples of a reader in several background threads.

    Differs from Paddle: the order of the reader is always kept, so that every run is the same;
    exceptions are raised to the consumer, who would wait forever.

    Args:
        mapper: called with each sample, in one of the threads.
        reader: gives the samples; runs in a thread of its own.
        process_num: number of threads that map, at least 1.
        buffer_size: how many mapped samples may wait for the consumer.
        order: accepted; the order is kept in either case.

    Raises:
        ValueError: `process_num` is less than 1.
    """
    if process_num < 1:
        raise ValueError(f"`process_num` must be at least 1, but received {process_num!r}.")
    ahead = max(buffer_size, process_num)

    def mapped() -> Iterator[Any]:
        return map_in_threads(mapper, reader(), process_num, ahead)

    return lambda: read_in_thread(mapped, buffer_size)


def multiprocess_reader(
    readers: Sequence[Reader], use_pipe: bool = True, queue_size: int = 1000
) -> Callable[[], Iterator[Any]]:
    """Run each reader in a process of its own and give one sample of each in turn.

    Differs from Paddle: samples keep their types (Paddle's pipe makes lists of tuples and takes no
    arrays), None may be a sample, the order is the same in every run, an exception in a reader is
    raised as itself, and the processes end with the consumer.

    Args:
        readers: at least one; each runs in its process.
        use_pipe: accepted; samples travel over one kind of connection.
        queue_size: how many samples may wait for the consumer, of all readers together.

    Raises:
        AssertionError: `readers` is not a list or is empty.
        RuntimeError: (while reading) a process died.
    """
    assert isinstance(readers, list), (
        f"`readers` must be a list of readers, but received {type(readers).__name__}."
    )
    assert readers, "`readers` must hold at least one reader, but is empty."
    return partial(read_in_workers, readers, max(1, queue_size // len(readers)))
