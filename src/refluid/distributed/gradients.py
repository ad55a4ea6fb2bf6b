"""The sum of gradients over all processes.

Gradients are laid one behind the other into a few flat tensors, which are summed while the backward
pass still computes those of earlier layers: a bucket starts when the last of its gradients is
there. Which gradients share a bucket never depends on time, so sums are made in one order, and a
repetition gives the same bits.

Processes may disagree about what there is to be summed: in one of them a layer was not used, a
backward pass ran twice, a gradient was changed after its sum had begun. So with every sum goes a
row of flags. If any process says that a sum came too early, all of them sum once more. A parameter
that has a gradient in some processes gets the sum in all; one that has none anywhere stays without.

Sparse gradients are gathered: all rows of rank 0, then those of rank 1, and so on.
May import: torch, errors, group, peer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import distributed

from refluid.distributed.group import Group
from refluid.distributed.peer import SUM
from refluid.errors import DistributedError

__all__ = ["GradientSum"]

# as in torch.nn.parallel.DistributedDataParallel: a small one, so that the first sum starts early
_FIRST_BYTES, _BYTES = 1 << 20, 25 << 20
_AWAKE_S = 0.02


class _Bucket:
    """Gradients that are summed together."""

    def __init__(self, indices: Sequence[int], params: Sequence[torch.Tensor]) -> None:
        self.indices = indices
        self.missing = set(indices)
        self.work: Any = None
        like = params[indices[0]]
        sizes = [params[k].numel() for k in indices]
        self.flat = torch.empty(sum(sizes), dtype=like.data.dtype, device=like.device)
        parts = self.flat.split(sizes)
        self.views = [
            part.view(params[k].data.size()) for k, part in zip(indices, parts, strict=True)
        ]
        # what was summed, and its version: if it is another one later, it was summed too early
        self.summed: list[tuple[torch.Tensor | None, int]] = []

    def start(self, params: Sequence[torch.Tensor]) -> None:
        """Begin the sum of the gradients as they are now; one that is missing counts as zeros."""
        grads = [params[k].grad for k in self.indices]
        self.summed = [(grad, 0 if grad is None else grad._version) for grad in grads]
        pairs = list(zip(self.views, grads, strict=True))
        dense = [(view, g) for view, g in pairs if g is not None and not g.is_sparse]
        if len(dense) < len(pairs):
            self.flat.zero_()
        if dense:
            torch._foreach_copy_([view for view, _ in dense], [grad for _, grad in dense])
        self.work = distributed.all_reduce(self.flat, async_op=True)

    def is_stale(self, params: Sequence[torch.Tensor]) -> bool:
        """Tell whether a gradient has changed since its sum began."""
        return any(
            params[k].grad is not grad or (grad is not None and grad._version != version)
            for k, (grad, version) in zip(self.indices, self.summed, strict=True)
        )


class GradientSum:
    """Sums the gradients of parameters over all processes.

    Args:
        group: the processes; more than one.
        parameters: the same in all of them, in the same order.

    Effects:
        Hooks on the parameters begin collectives during the backward pass.
    """

    def __init__(self, group: Group, parameters: Sequence[torch.Tensor]) -> None:
        self._group = group
        self._all = list(parameters)
        self._sparse: set[int] = set()
        self._hooks: list[Any] = []
        self._error: RuntimeError | None = None
        self._build()

    def close(self) -> None:
        """Take the hooks away."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def apply(self) -> None:
        """Replace every gradient by its sum over the processes; all of them have to call it.

        Raises:
            PeerLost: another process has ended, or does not call this within the timeout.
        """
        with self._group.waiting(SUM), torch.no_grad():
            if self._error is not None:
                raise self._error
            if [p.requires_grad for p in self._all] != self._trainable:
                self._build()
            num_dense, num_sparse = self._sum()
            self._write_back(num_dense)
            for k in sorted(self._sparse):
                if num_dense[k]:
                    self._sum_as_dense(k)
                elif num_sparse[k]:
                    self._gather_rows(k)
        self._group.num_sums += 1
        self._begin()

    def check(self, parameters: Sequence[torch.Tensor]) -> None:
        """Check that these are the parameters that are summed.

        Raises:
            DistributedError: some have come or gone, so that they would differ between processes.
        """
        if len(parameters) != len(self._all) or any(
            given is not known for given, known in zip(parameters, self._all, strict=True)
        ):
            raise DistributedError(
                f"the model had {len(self._all)} parameters when it was wrapped for several "
                f"processes, and has others now ({len(parameters)}): make all of them in its "
                "constructor, and wrap it afterwards."
            )

    # --- buckets ------------------------------------------------------------------------------

    def _build(self) -> None:
        """Deal the parameters into buckets, the last first, as a backward pass comes to them."""
        self.close()
        self._trainable = [p.requires_grad for p in self._all]
        self._params = [p for p in self._all if p.requires_grad]
        self._buckets: list[_Bucket] = []
        indices: list[int] = []
        num_bytes, limit, kind = 0, _FIRST_BYTES, None
        for k in reversed(range(len(self._params))):
            if k in self._sparse:
                continue
            param = self._params[k].data
            if indices and (num_bytes >= limit or kind != (param.dtype, param.device)):
                self._buckets.append(_Bucket(indices, self._params))
                indices, num_bytes, limit = [], 0, _BYTES
            kind = (param.dtype, param.device)
            indices.append(k)
            num_bytes += param.numel() * param.element_size()
        if indices:
            self._buckets.append(_Bucket(indices, self._params))
        self._hooks = [
            self._params[k].register_post_accumulate_grad_hook(self._hook(k, bucket))
            for bucket in self._buckets
            for k in bucket.indices
        ]
        self._begin()

    def _begin(self) -> None:
        """Wait for new gradients."""
        self._next = 0
        for bucket in self._buckets:
            bucket.missing = set(bucket.indices)
            bucket.work = None
            bucket.summed = []

    def _hook(self, index: int, bucket: _Bucket) -> Callable[[torch.Tensor], None]:
        def arrived(param: torch.Tensor) -> None:
            bucket.missing.discard(index)
            if not bucket.missing and self._error is None:
                self._start_complete()

        return arrived

    def _start_complete(self) -> None:
        """Start the buckets that are complete, always in one order."""
        try:
            while self._next < len(self._buckets):
                bucket = self._buckets[self._next]
                if bucket.missing:
                    return
                bucket.start(self._params)
                self._next += 1
        except RuntimeError as error:
            # within a backward pass it would become an error of that
            self._error = error

    # --- sums ---------------------------------------------------------------------------------

    def _sum(self) -> tuple[list[int], list[int]]:
        """Sum all buckets; return in how many processes each parameter has which gradient."""
        early = any(bucket.is_stale(self._params) for bucket in self._buckets[: self._next])
        self._start_rest()
        flags = self._flags(early)
        work = distributed.all_reduce(flags, async_op=True)
        self._finish()
        _wait(work)
        size = len(self._params)
        counts = [round(count) for count in flags.tolist()]
        dense, sparse, again = counts[:size], counts[size:-1], counts[-1] > 0
        new = {k for k in range(size) if sparse[k]} - self._sparse
        if new:
            self._sparse |= new
            self._build()
        if new or again:
            self._begin()
            self._start_rest()
            self._finish()
        return dense, sparse

    def _flags(self, early: bool) -> torch.Tensor:
        grads = [p.grad for p in self._params]
        values = [float(g is not None and not g.is_sparse) for g in grads]
        values += [float(g is not None and g.is_sparse) for g in grads]
        return torch.tensor([*values, float(early)], device=self._group.device)

    def _start_rest(self) -> None:
        for bucket in self._buckets[self._next :]:
            bucket.start(self._params)
        self._next = len(self._buckets)

    def _finish(self) -> None:
        for bucket in self._buckets:
            _wait(bucket.work)

    def _write_back(self, num_dense: Sequence[int]) -> None:
        grads, views = [], []
        for bucket in self._buckets:
            for k, view in zip(bucket.indices, bucket.views, strict=True):
                param = self._params[k]
                if param.grad is not None:
                    grads.append(param.grad)
                    views.append(view)
                elif num_dense[k]:
                    param.grad = torch.empty_like(param.data).copy_(view)
        if grads:
            torch._foreach_copy_(grads, views)

    # --- sparse gradients ---------------------------------------------------------------------

    def _sum_as_dense(self, index: int) -> None:
        """Sum gradients of which at least one is dense."""
        param = self._params[index]
        grad = param.grad
        total = torch.zeros_like(param.data, memory_format=torch.contiguous_format)
        if grad is not None:
            total.copy_(grad.to_dense() if grad.is_sparse else grad)
        distributed.all_reduce(total)
        param.grad = total

    def _gather_rows(self, index: int) -> None:
        """Put the rows of all processes one behind the other."""
        param = self._params[index]
        grad = param.grad
        value = param.data
        if grad is None:
            rows = torch.empty(0, dtype=torch.int64, device=value.device)
            values = value.new_empty((0, *value.size()[1:]))
        else:
            rows, values = grad._indices()[0], grad._values()
        counts = [c.item() for c in _all_gather(torch.tensor([len(rows)], device=value.device))]
        most = max(1, *map(int, counts))
        all_rows = _all_gather(_padded(rows, most))
        all_values = _all_gather(_padded(values, most))
        keep = [int(count) for count in counts]
        param.grad = torch.sparse_coo_tensor(
            torch.cat([r[:n] for r, n in zip(all_rows, keep, strict=True)]).unsqueeze(0),
            torch.cat([v[:n] for v, n in zip(all_values, keep, strict=True)]),
            value.size(),
            check_invariants=False,
        )


def _wait(work: Any) -> None:
    """Wait for a sum; at first awake, since a core that sleeps wakes up late for each message."""
    until = time.monotonic() + _AWAKE_S
    while not work.is_completed() and time.monotonic() < until:
        os.sched_yield()
    work.wait()


def _padded(tensor: torch.Tensor, length: int) -> torch.Tensor:
    out = tensor.new_zeros((length, *tensor.size()[1:]))
    out[: tensor.size(0)] = tensor.detach()
    return out


def _all_gather(tensor: torch.Tensor) -> list[torch.Tensor]:
    parts = [torch.empty_like(tensor) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, tensor)
    return parts
