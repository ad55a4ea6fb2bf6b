"""`DataLoader` and `PyReader`: batches as variables, prepared in the background.

`DataLoader(dataset, ...)` reads a `Dataset` by index, `DataLoader.from_generator(...)` whatever a
generator gives. Each iteration has its own thread or processes, which end with it; in Paddle they
belong to the loader, and a `break` leaves them behind.
May import: refluid.errors, core_avx, dataloader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

from refluid.errors import UnsupportedFluidAPI, UnsupportedFluidAttribute
from refluid.paddle.fluid.core_avx import VarBase
from refluid.paddle.fluid.core_avx.tracer import current_tracer
from refluid.paddle.fluid.dataloader import BatchSampler, Dataset
from refluid.paddle.fluid.dataloader.dataloader_iter import (
    CountedBatchIterator,
    can_have_workers,
    default_collate_fn,
    fetched,
    one_place,
    to_variables,
)
from refluid.paddle.fluid.dataloader.generator import (
    DataLoaderBase,
    DygraphGeneratorLoader,
    Reader,
)

__all__ = ["DataLoader", "PyReader", "default_collate_fn"]

KEEP_DATA_LOADER_ORDER = True


def keep_data_loader_order(*args: bool) -> bool | None:
    """Return, or set, whether loaders of the static graph keep the order of their data.

    Same as Paddle 1.8; in the dynamic graph every loader keeps it.

    Args:
        *args: nothing, or the new value.

    Raises:
        AssertionError: `args` is something other than one True or False.
    """
    global KEEP_DATA_LOADER_ORDER
    if not args:
        return KEEP_DATA_LOADER_ORDER
    assert len(args) == 1 and isinstance(args[0], bool), (
        f"keep_data_loader_order takes True or False, but received {args!r}."
    )
    KEEP_DATA_LOADER_ORDER = args[0]
    return None


class DataLoader:
    """Give the samples of a data set as batches of variables.

    Differs from Paddle: `places` may be left out, which means the place of the guard; batches are
    lists in every mode; exceptions in the data set are raised as they are.

    Args:
        dataset: where the samples come from, by index.
        feed_list: accepted; only the static graph needs it.
        places: one place, alone or in a list.
        return_list: accepted; a batch is always a list.
        batch_sampler: chooses the samples of each batch, in place of the three arguments below.
        batch_size: samples in a batch.
        shuffle: shuffle at the start of each iteration, with `np.random`.
        drop_last: leave out the last batch if it is smaller.
        collate_fn: makes one array per slot of a list of samples; by default it stacks them.
        num_workers: processes that fetch batches; 0 fetches in this process.
        use_buffer_reader: without workers, fetch the next batches in a background thread.
        use_shared_memory: with workers, pass arrays through shared memory.
        timeout: accepted; as in Paddle 1.8.5, a slow worker is waited for, a dead one is an error.
        worker_init_fn: called in each worker with its number, before it fetches.

    Raises:
        AssertionError: an argument is of another type or out of range.
    """

    def __init__(
        self,
        dataset: Dataset,
        feed_list: Sequence[Any] | None = None,
        places: Any = None,
        return_list: bool = False,
        batch_sampler: BatchSampler | None = None,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Iterable[Any]] | None = None,
        num_workers: int = 0,
        use_buffer_reader: bool = True,
        use_shared_memory: bool = True,
        timeout: int = 0,
        worker_init_fn: Callable[[int], object] | None = None,
    ) -> None:
        assert isinstance(dataset, Dataset), (
            "`dataset` should be an instance of a subclass of fluid.io.Dataset, "
            f"but received {type(dataset).__name__}."
        )
        assert num_workers >= 0, f"`num_workers` must be 0 or more, but received {num_workers}."
        assert timeout >= 0, f"`timeout` must be 0 or more, but received {timeout}."
        if batch_sampler is None:
            batch_sampler = BatchSampler(
                dataset=dataset, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last
            )
        else:
            assert isinstance(batch_sampler, BatchSampler), (
                "`batch_sampler` should be None or an instance of fluid.io.BatchSampler, "
                f"but received {type(batch_sampler).__name__}."
            )
            assert (batch_size, bool(shuffle), bool(drop_last)) == (1, False, False), (
                "`batch_size`, `shuffle` and `drop_last` should not be set when `batch_sampler` "
                "is given; they belong to the sampler."
            )
        self.dataset = dataset
        self.feed_list = feed_list
        self.places = [one_place(places)]
        self.return_list = return_list
        self.batch_sampler = batch_sampler
        self.collate_fn = collate_fn
        self.num_workers = num_workers if can_have_workers(num_workers > 0) else 0
        self.use_buffer_reader = use_buffer_reader
        self.use_shared_memory = use_shared_memory
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> CountedBatchIterator:
        batches = fetched(
            self.dataset,
            self.batch_sampler,
            self.collate_fn or default_collate_fn,
            num_workers=self.num_workers,
            ahead=self.use_buffer_reader,
            share=self.use_shared_memory,
            begin=self.worker_init_fn,
        )
        return CountedBatchIterator(to_variables(batches, self.places[0]), len(self))

    def __call__(self) -> CountedBatchIterator:
        """Start an iteration, as `iter(loader)` does."""
        return iter(self)

    @staticmethod
    def from_generator(
        feed_list: Sequence[Any] | None = None,
        capacity: int | None = None,
        use_double_buffer: bool = True,
        iterable: bool = True,
        return_list: bool = False,
        use_multiprocess: bool = False,
        drop_last: bool = True,
    ) -> DygraphGeneratorLoader:
        """Return a loader whose data come from a generator, which one of its `set_` methods takes.

        Same as Paddle 1.8 in the dynamic graph.

        Args:
            feed_list: accepted; only the static graph needs it.
            capacity: how many batches may be prepared before they are asked for.
            use_double_buffer: accepted; batches are always prepared in the background.
            iterable: must be True in the dynamic graph.
            return_list: accepted; a batch is always a list.
            use_multiprocess: run the generator in a process of its own, not in a thread.
            drop_last: accepted; it only matters with several places.

        Raises:
            ValueError: `capacity` is not a positive number.
            UnsupportedFluidAPI: outside of dygraph mode, where it feeds the static graph.
        """
        if current_tracer() is None:
            raise UnsupportedFluidAPI(
                "fluid.io.DataLoader.from_generator outside of fluid.dygraph.guard() feeds the "
                "static graph, which refluid does not have. Call it inside the guard, or after "
                "fluid.enable_dygraph()."
            )
        return DygraphGeneratorLoader(
            feed_list, capacity, use_double_buffer, iterable, return_list, use_multiprocess
        )

    @staticmethod
    def from_dataset(dataset: Any, places: Any, drop_last: bool = True) -> NoReturn:
        """Raise: this reads a file-based data set into the static graph.

        Raises:
            UnsupportedFluidAttribute: always.
        """
        raise UnsupportedFluidAttribute(
            "fluid.io.DataLoader.from_dataset feeds the static graph, which refluid does not have; "
            "use fluid.io.DataLoader(dataset) or DataLoader.from_generator."
        )


class PyReader(DataLoaderBase):
    """The older interface of `DataLoader.from_generator`, with `decorate_` methods.

    Same as Paddle 1.8 in the dynamic graph.

    Args:
        feed_list: accepted; only the static graph needs it.
        capacity: how many batches may be prepared before they are asked for.
        use_double_buffer: accepted; batches are always prepared in the background.
        iterable: must be True in the dynamic graph.
        return_list: accepted; a batch is always a list.

    Raises:
        ValueError: `capacity` is not a positive number.
    """

    def __init__(
        self,
        feed_list: Sequence[Any] | None = None,
        capacity: int | None = None,
        use_double_buffer: bool = True,
        iterable: bool = True,
        return_list: bool = False,
    ) -> None:
        self._loader = DataLoader.from_generator(
            feed_list, capacity, use_double_buffer, iterable, return_list
        )

    @property
    def queue(self) -> None:
        """None: Paddle's queue of C++ has no counterpart."""
        return self._loader.queue

    @property
    def iterable(self) -> bool:
        """True: in the dynamic graph a reader is iterated."""
        return self._loader.iterable

    def __iter__(self) -> Iterator[list[VarBase]]:
        return iter(self._loader)

    def __next__(self) -> list[VarBase]:
        return next(self._loader)

    def start(self) -> NoReturn:
        """Raise: only a reader of the static graph is started.

        Raises:
            UnsupportedFluidAttribute: always; Paddle raises AttributeError.
        """
        raise UnsupportedFluidAttribute(
            "PyReader.start belongs to the static graph; in the dynamic graph iterate the reader: "
            "for data in reader(): ..."
        )

    def reset(self) -> NoReturn:
        """Raise: only a reader of the static graph is reset.

        Raises:
            UnsupportedFluidAttribute: always; Paddle raises AttributeError.
        """
        raise UnsupportedFluidAttribute(
            "PyReader.reset belongs to the static graph; in the dynamic graph iterate the reader "
            "again: for data in reader(): ..."
        )

    def decorate_sample_generator(
        self, sample_generator: Reader, batch_size: int, drop_last: bool = True, places: Any = None
    ) -> None:
        """Take samples; see `DygraphGeneratorLoader.set_sample_generator`."""
        self._loader.set_sample_generator(sample_generator, batch_size, drop_last, places)

    def decorate_sample_list_generator(self, reader: Reader, places: Any = None) -> None:
        """Take lists of samples; see `DygraphGeneratorLoader.set_sample_list_generator`."""
        self._loader.set_sample_list_generator(reader, places)

    def decorate_batch_generator(self, reader: Reader, places: Any = None) -> None:
        """Take whole batches; see `DygraphGeneratorLoader.set_batch_generator`."""
        self._loader.set_batch_generator(reader, places)
