"""Have all processes begin with the same model, and check that they still have.

Gradients are summed in the same order everywhere and every process makes the same update, so
parameters stay the same as bits. If they do not, a program has treated its ranks differently.
May import: torch, errors, state, group.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch
from torch import distributed

from refluid.distributed.group import Group, joined
from refluid.errors import DistributedError
from refluid.state.digest import hash_tensor

__all__ = ["REMEDY", "broadcast", "check_same", "trained_together"]

# of ranks whose parameters have come apart
REMEDY = "Update every rank from summed gradients, and set no parameter in some ranks alone."
_MAX_NAMED = 5
# the models that began with rank 0's parameters
_alike: weakref.WeakSet[torch.nn.Module] = weakref.WeakSet()


def broadcast(model: torch.nn.Module, group: Group | None = None) -> None:
    """Overwrite the parameters and buffers of all ranks with those of rank 0.

    Args:
        model: the same network in every process.
        group: the processes; by default those that were joined.

    Raises:
        DistributedError: a rank's model has other parameters, shapes or element types; or no group
            was joined.
        PeerLost: another process does not come here.

    Effects:
        A collective.
    """
    group = _need(group)
    _alike.add(model)
    named = [*model.named_parameters(), *model.named_buffers()]
    _check_layout(group, named)
    if group.world_size == 1:
        return
    with group.waiting("take over the parameters of rank 0"), torch.no_grad():
        for _, tensor in named:
            # gloo sends memory as it lies, so all have to have it in one order
            values = _plain(tensor).to(group.device).contiguous()
            distributed.broadcast(values, 0)
            _plain(tensor).copy_(values)


def check_same(model: torch.nn.Module, group: Group | None = None) -> None:
    """Check that all ranks have the same parameters, as bits.

    Compared is what is trained. What is not, such as the moving statistics of BatchNorm, is each
    rank's own.

    Args:
        model: the network.
        group: the processes; by default those that were joined.

    Raises:
        DistributedError: they have not; it names ranks and parameters.
        PeerLost: another process does not come here.

    Effects:
        A collective; copies the parameters to the CPU.
    """
    group = _need(group)
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    _check_layout(group, named)
    own = [hash_tensor(_plain(tensor).cpu()) for _, tensor in named]
    found: list[list[str]] = group.gather(own, "compare parameters")
    wrong = []
    for index, (name, _) in enumerate(named):
        digests = [of_rank[index] for of_rank in found]
        usual, count = Counter(digests).most_common(1)[0]
        if count == len(digests):
            continue
        if 2 * count <= len(digests):
            usual = digests[0]
        ranks = [rank for rank, digest in enumerate(digests) if digest != usual]
        wrong.append(f"`{name}` of rank {', '.join(map(str, ranks))}")
    if wrong:
        more = f" and {len(wrong) - _MAX_NAMED} more" if len(wrong) > _MAX_NAMED else ""
        raise DistributedError(
            "the ranks' parameters are not the same any more: "
            f"{', '.join(wrong[:_MAX_NAMED])}{more} differ from the others'. {REMEDY}"
        )


def trained_together(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Return the trained parameters of a model that all ranks have in common.

    They are those of torch's DistributedDataParallel and of what was broadcast, as fluid's
    DataParallel does, whether it is the model itself or a part of it.
    """
    return [
        parameter
        for part in model.modules()
        if isinstance(part, torch.nn.parallel.DistributedDataParallel) or part in _alike
        for parameter in part.parameters()
        if parameter.requires_grad
    ]


def _need(group: Group | None) -> Group:
    group = group or joined()
    if group is None:
        raise DistributedError(
            "no processes have been joined: call refluid.distributed.join() first, in a fluid "
            "program fluid.dygraph.parallel.prepare_context()."
        )
    return group


def _check_layout(group: Group, named: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Raise in every rank if one has other tensors than rank 0."""
    own = [[name, str(_plain(t).dtype), list(_plain(t).shape)] for name, t in named]
    found: list[list[Any]] = group.gather(own, "compare the models")
    for rank, layout in enumerate(found):
        for theirs, first in zip(layout, found[0], strict=False):
            if theirs != first:
                raise DistributedError(
                    f"the models are not the same: rank {rank} has `{theirs[0]}`, {theirs[1]} "
                    f"{theirs[2]}, where rank 0 has `{first[0]}`, {first[1]} {first[2]}. Build the "
                    "same network in every rank."
                )
        if len(layout) != len(found[0]):
            more = max(layout, found[0], key=len)[min(len(layout), len(found[0]))]
            raise DistributedError(
                f"the models are not the same: rank {rank} has {len(layout)} parameters, rank 0 "
                f"{len(found[0])}; the first that not both have is `{more[0]}`. Build the same "
                "network in every rank."
            )


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return the values as a plain tensor, in whose memory they can be overwritten."""
    return torch.Tensor.detach(tensor).as_subclass(torch.Tensor)
