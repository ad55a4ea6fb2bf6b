"""Deal the batches of one reader to the processes of a run. May import: refluid.env."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from refluid import env

__all__ = ["distributed_batch_reader"]


def distributed_batch_reader(
    batch_reader: Callable[[], Iterable[Any]],
) -> Callable[[], Iterator[Any]]:
    """Give this process its share of the batches, dealt in turn; an incomplete round is dropped.

    Same as Paddle 1.8. Every process reads all batches, so all must see them in the same order:
    seed `random` alike where the reader shuffles.

    Args:
        batch_reader: gives all batches, the same in every process.

    Raises:
        AssertionError: PADDLE_TRAINER_ID is not below PADDLE_TRAINERS_NUM.

    Effects:
        Prints one line when reading starts, if there is more than one process.
    """
    count, rank = env.world_size(), env.rank()
    assert rank < count, f"PADDLE_TRAINER_ID is {rank}, but must be below {count} trainers."

    def reader() -> Iterator[Any]:
        if count > 1:
            print(  # noqa: T201 - Paddle prints this line, and logs are searched for it
                f"start data reader (trainers_num: {count}, trainer_id: {rank})"
            )
        mine = None
        for number, batch in enumerate(batch_reader()):
            if number % count == rank:
                mine = batch
            if number % count == count - 1:
                yield mine
                mine = None

    return reader
