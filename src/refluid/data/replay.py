"""`Replay`: data that are gone through again to come back to a position.

A DataLoader, a function that makes a generator, or any other iterable cannot be told to begin in
the middle. What it gives depends on the random numbers that it draws and on what it keeps itself.
So it draws from a stream of its own; to come to a position the stream is put back to where it was
at the beginning, the same number of batches is drawn, and a hash of them is compared with the one
saved. A source whose data are not the same again is an error, never a run that differs in silence.

The beginning is that of the run, since a reader may keep something from one epoch to the next: one
that shuffles its own list in place shuffles the order of the epoch before. Only of a DataLoader of
torch's own parts is it known that it keeps nothing, and there the beginning is that of the epoch.

One batch is read ahead, to know which is an epoch's last. Readers of refluid's that use threads,
such as `paddle.reader.buffered`, go without: a thread draws whenever it comes to it.
May import: errors, state.generators, data.content, data.parts, data.position,
data.thread.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any, NamedTuple

from refluid.data.content import Content
from refluid.data.parts import generators_of, keeps_nothing, parts_of
from refluid.data.position import Item, Source, is_count
from refluid.data.thread import without_threads
from refluid.errors import CheckpointError, DataError
from refluid.state.generators import Stream

__all__ = ["Replay", "as_source"]

_END = object()


def as_source(data: Any) -> Source:
    """Return `data` if it can be gone on with from a position, otherwise a `Replay` of it.

    Raises:
        DataError: it is neither, nor can it be iterated again and again.
    """
    return data if isinstance(data, Source) else Replay(data)


class Replay:
    """Batches of anything that can be iterated once for each epoch.

    Its draws from Python's, NumPy's and torch's generators come from a stream apart from the
    program's, and so do those of a DataLoader's workers. A sampler, data set or reader that has
    `set_epoch` is told the epoch before each.

    Args:
        source: a DataLoader or another iterable that is not an iterator, or a function without
            arguments that returns an iterable for each epoch.
        stateless: what the source gives in an epoch depends on its random numbers alone, and on
            nothing that it keeps from the epoch before: so only the current epoch is gone through
            again, not all. By default True for a DataLoader that has a data set by index, torch's
            own samplers and no persistent workers, False for everything else. Give False for a
            DataLoader whose data set keeps something, such as a generator of its own.

    Raises:
        DataError: `source` cannot be iterated, or only once.
    """

    def __init__(self, source: Any, *, stateless: bool | None = None) -> None:
        _check_source(source)
        self._source = source
        self._parts = parts_of(source)
        self._generators = generators_of(self._parts)
        self._stateless = keeps_nothing(source) if stateless is None else stateless
        self._stream = Stream()
        # where the batch after the last one handed out lies
        self._epoch = self._index = 0
        # a hash of everything handed out since the first epoch
        self._digest = b""
        # where all draws began, and where those of the current epoch did
        self._first: dict[str, Any] = {}
        self._start: dict[str, Any] = {}
        self._opaque: set[str] = set()
        self._cost: str | None = None
        self._batches: Iterator[Any] | None = None
        self._items: Generator[Item, None, None] | None = None

    def open(self, position: Any | None, epochs: int) -> Iterator[Item]:
        """Go through the data again up to a position; return an iterator over what follows.

        Args:
            position: what `position` returned; None is the beginning.
            epochs: how many epochs there are in total, those before the position included.

        Raises:
            DataError: the position is not one of such data, or the data are not the same again.
            BaseException: whatever the source raises.
        """
        self.close()
        self._stream = Stream()
        self._epoch = self._index = 0
        self._digest, self._cost = b"", None
        if position is None:
            self._first = self._start = self._mark()
        else:
            self._go_to(position)
        self._items = self._items_until(epochs)
        return self._items

    def position(self) -> dict[str, Any]:
        """Return where the batch after the last one handed out lies."""
        return {
            "epoch": self._epoch,
            "index": self._index,
            "digest": self._digest,
            "start": self._start,
            "first": self._first,
        }

    def describe(self) -> str | None:
        """Return how many batches were replayed and how long it took, or None."""
        return self._cost

    def close(self) -> None:
        """Close the source's iterator, and with it the workers that belong to it."""
        if self._items is not None:
            self._items.close()
        self._items = None
        self._end_epoch()

    # --- going through the data ---------------------------------------------------------------

    def _items_until(self, epochs: int) -> Generator[Item, None, None]:
        while self._epoch < epochs:
            if self._batches is None:
                self._begin_epoch()
            drawn = self._draw()
            if drawn is None:
                raise DataError(
                    f"the data gave no batch in epoch {self._epoch}: expected at least one in "
                    "each. Usually an iterator was returned again that was used up before; return "
                    "a new one for each epoch."
                )
            while drawn is not None:
                following = self._draw()
                if following is not None:
                    _check_kept(drawn, following)
                yield self._handed_out(drawn, last=following is None)
                drawn = following

    def _handed_out(self, drawn: _Drawn, *, last: bool) -> Item:
        item = Item(self._epoch, self._index, last, drawn.batch)
        self._note(drawn.content)
        self._index += 1
        if last:
            self._end_epoch()
            self._epoch, self._index = self._epoch + 1, 0
            self._start = self._mark()
        return item

    def _begin_epoch(self) -> None:
        with self._stream, without_threads():
            for part in self._parts:
                if callable(getattr(part, "set_epoch", None)):
                    part.set_epoch(self._epoch)
            made = self._source if _is_iterable(self._source) else self._source()
            if not _is_iterable(made):
                raise DataError(
                    "the function given as data must return an iterable over the batches of an "
                    f"epoch, but returned {type(made).__name__}"
                    + (": pass what it returns." if callable(made) else ".")
                )
            self._batches = iter(made)

    def _draw(self) -> _Drawn | None:
        assert self._batches is not None
        with self._stream, without_threads():
            batch = next(self._batches, _END)
        return None if batch is _END else _Drawn(batch, Content(batch))

    def _note(self, content: Content) -> None:
        self._opaque |= content.opaque
        self._digest = hashlib.blake2b(self._digest + content.digest, digest_size=16).digest()

    def _end_epoch(self) -> None:
        close = getattr(self._batches, "close", None)
        self._batches = None
        if callable(close):
            # what a generator does in its `finally` may draw as well
            with self._stream, without_threads():
                close()

    # --- going through them again -------------------------------------------------------------

    def _go_to(self, position: Any) -> None:
        began_s = time.perf_counter()
        epoch, index, digest = _read(position)
        self._first, self._start = position["first"], position["start"]
        self._return_to(self._start if self._stateless else self._first)
        count = 0
        for earlier in range(epoch if self._stateless else 0, epoch):
            self._epoch = earlier
            count += self._replay(None)
        self._epoch, self._index = epoch, index
        if index:
            count += self._replay(index)
        if self._digest != digest:
            raise DataError(
                f"the {count} batches before epoch {epoch}, batch {index} are not those that the "
                "run was trained on, so it cannot go on exactly. Usually the data have changed, "
                "are read in another order, depend on random numbers that are not seeded, or keep "
                "something from one epoch to the next (then use `Replay(data, stateless=False)`); "
                "or what they draw from is tracked by the run, and so is restored ahead of them."
            )
        if count:
            self._cost = f"replayed {count:,} batches in {time.perf_counter() - began_s:.1f} s"
        if self._opaque:
            self._cost = f"{self._cost}, without comparing {', '.join(sorted(self._opaque))}"

    def _replay(self, count: int | None) -> int:
        """Draw `count` batches of a new epoch, or all; return how many there were."""
        self._begin_epoch()
        done = 0
        while done != count:
            drawn = self._draw()
            if drawn is None:
                break
            self._note(drawn.content)
            done += 1
        if count is None:
            self._end_epoch()
        elif done < count:
            raise DataError(
                f"epoch {self._epoch} had {count} batches or more when the run was saved, but has "
                f"{done} now: the data have changed."
            )
        return done

    def _mark(self) -> dict[str, Any]:
        """Return everything that has to be put back to draw the same again from here."""
        return {
            "stream": self._stream.capture(),
            "generators": [generator.get_state() for generator in self._generators],
            "digest": self._digest,
        }

    def _return_to(self, mark: dict[str, Any]) -> None:
        try:
            self._stream.restore(mark["stream"])
            states = mark["generators"]
            if len(states) != len(self._generators):
                raise DataError(
                    f"the data had {len(states)} torch generators of their own when the run was "
                    f"saved, and have {len(self._generators)} now: make them as before."
                )
            for generator, state in zip(self._generators, states, strict=True):
                generator.set_state(state)
            self._digest = mark["digest"]
        except (KeyError, TypeError, RuntimeError, CheckpointError) as error:
            raise DataError(f"the position does not hold states of generators: {error}") from None


class _Drawn(NamedTuple):
    """A batch, and what it held when it was drawn."""

    batch: Any
    content: Content


def _check_kept(drawn: _Drawn, following: _Drawn) -> None:
    """See to it that drawing a batch has not changed the one before."""
    # only where the two share memory; the same batch again and again is nothing wrong
    if drawn.content.places & following.content.places and (
        Content(drawn.batch).digest != drawn.content.digest
    ):
        raise DataError(
            "the data write each batch into the memory of the one before, which is read ahead of "
            "the step that uses it: yield a copy instead."
        )


def _read(position: Any) -> tuple[int, int, bytes]:
    names = ("epoch", "index", "digest", "start", "first")
    if not isinstance(position, Mapping) or any(name not in position for name in names):
        raise DataError(
            f"a position in data that are replayed must hold {', '.join(names)}, but received "
            f"{_shortened(position)}: it was saved with data of another kind."
        )
    epoch, index, digest = position["epoch"], position["index"], position["digest"]
    if not (is_count(epoch) and is_count(index) and isinstance(digest, bytes)):
        raise DataError(
            "a position must hold an epoch and a batch from 0 and a hash, but received "
            f"{epoch!r}, {index!r} and {digest!r}."
        )
    return epoch, index, digest


def _shortened(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"one with {', '.join(map(str, value))}"
    return type(value).__name__


def _check_source(source: Any) -> None:
    if isinstance(source, (str, bytes, Mapping)) or not (_is_iterable(source) or callable(source)):
        raise DataError(
            "data must be a DataLoader or another iterable over batches, a function that returns "
            f"one for each epoch, or Batches, but received {type(source).__name__}. A data set by "
            "index becomes batches with `Batches(dataset, batch_size)`."
        )
    if isinstance(source, Iterator) and iter(source) is source:
        raise DataError(
            f"data must be iterable once for each epoch, but received a {type(source).__name__}, "
            "which can be gone through only once: pass the function that makes it, without calling "
            "it."
        )


def _is_iterable(value: Any) -> bool:
    return hasattr(value, "__iter__")
