"""Sums of gradients in the order of the ranks, for torch's DistributedDataParallel.

Torch adds a bucket of gradients by parts, each beginning with another rank, and after the first
step it deals the gradients into other buckets, by the order in which they came. So with more than
two processes a gradient is added up in another order in the first step of a process than in later
ones, and a process that goes on with a run would not get the bits of one that was never stopped.
Here the parts of all ranks are exchanged and added in the order of the ranks, whatever bucket a
gradient lies in. As much is sent as by torch.

A thread does it bucket after bucket, so that the backward pass goes on meanwhile.
May import: torch, group.
"""

from __future__ import annotations

import datetime
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from refluid.distributed.group import Group

__all__ = ["sum_in_order"]


def sum_in_order(model: torch.nn.Module, group: Group) -> None:
    """Have every DistributedDataParallel in `model` add gradients in the order of the ranks.

    One that the program has given a hook for its sums keeps it.

    Args:
        model: any module; the same in all processes.
        group: the processes. Two need nothing, since a + b is b + a.

    Effects:
        A collective where there is something to be done.
    """
    if group.world_size <= 2:
        return
    for part in model.modules():
        if isinstance(part, DistributedDataParallel) and not _has_hook(part):
            part.register_comm_hook(_Sums(group), lambda sums, bucket: sums.start(bucket.buffer()))


class _Sums:
    """What sums the buckets of one model, one after the other."""

    def __init__(self, group: Group) -> None:
        self._count = group.world_size
        with group.waiting("connect to the other ranks"):
            # with others' collectives between them, those of this thread would be out of order
            self._channel = distributed.new_group(
                timeout=datetime.timedelta(seconds=group.timeout_s)
            )
        self._thread = ThreadPoolExecutor(1, "refluid-sums")

    def start(self, flat: torch.Tensor) -> torch.futures.Future[torch.Tensor]:
        """Begin to replace a bucket's values by their mean over the ranks."""
        if flat.is_cuda:
            # the stream puts it in order by itself, and a thread would leave it
            future = torch.futures.Future[torch.Tensor](devices=[flat.device])
            future.set_result(self._mean(flat))
            return future
        future = torch.futures.Future[torch.Tensor]()
        self._thread.submit(self._finish, flat, future)
        return future

    def _finish(self, flat: torch.Tensor, future: torch.futures.Future[torch.Tensor]) -> None:
        try:
            mean = self._mean(flat)
        except Exception as error:
            # it becomes an error of the backward pass, which waits for it
            future.set_exception(error)  # type: ignore[arg-type]
        else:
            future.set_result(mean)

    @torch.no_grad()
    def _mean(self, flat: torch.Tensor) -> torch.Tensor:
        length, count = flat.numel(), self._count
        size = -(-length // count)
        sent = flat.new_zeros(size * count)
        sent[:length].copy_(flat)
        received = torch.empty_like(sent)
        distributed.all_to_all_single(received, sent, group=self._channel)
        first, *others = received.view(count, size).unbind()
        for part in others:
            first.add_(part)
        first.div_(count)
        distributed.all_gather_into_tensor(sent, first, group=self._channel)
        return flat.copy_(sent[:length])


def _has_hook(model: Any) -> bool:
    # torch refuses a second one, and has no public way to ask for the first
    return bool(model._comm_hooks)
