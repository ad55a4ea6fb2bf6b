"""Split a model into stages, over processes or devices.

May import: torch, env, group, boundary, devices, layers, pipeline, processes, stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from refluid import env
from refluid.distributed.group import Group, join, joined
from refluid.distributed.pipeline.boundary import balanced, check
from refluid.distributed.pipeline.devices import DevicePipeline
from refluid.distributed.pipeline.layers import Model, build, sizes_bytes
from refluid.distributed.pipeline.pipeline import Loss, Pipeline, Plan
from refluid.distributed.pipeline.stage import Stage
from refluid.distributed.placement import as_device

__all__ = ["split"]


def split(
    model: Model,
    *,
    loss: Loss,
    num_stages: int | None = None,
    boundaries: Sequence[int] | None = None,
    num_microbatches: int | None = None,
    devices: Sequence[Any] | None = None,
) -> Pipeline:
    """Split a model too large for one device into stages of layers, and train it in them.

    Started by a launcher, each process has one stage; alone, one process has all of them, each on
    its device. The training is that of the unsplit model, but that a BatchNorm's statistics are
    those of a part of the batch, and that dropout draws other numbers.

    Args:
        model: what is made of layers, each of which takes one tensor and gives one: an
            `nn.Sequential`, fluid's `Sequential`, or a function that yields the layers, or tuples
            of a name and a layer. Of a function's layers only this process's stay in memory, and
            the whole model is never there; without `boundaries` it is called once more before, on
            torch's meta device, to learn the sizes.
        loss: called with the last layer's output and a target; returns the mean over the samples.
        num_stages: by default as many as there are processes, or `devices`.
        boundaries: number of the first layer of each stage but the first; by default such that the
            parameters of the largest stage have as few bytes as possible.
        num_microbatches: in how many parts a batch goes through the stages, so that all of them
            work at the same time; by default as many as stages.
        devices: where each stage lives: places of fluid, or what torch.device takes. By default the
            GPU that the launcher has chosen, or where the layers are made.

    Returns:
        The split model.

    Raises:
        ValueError: there are more stages than layers with parameters, arguments or the number of
            processes do not agree, or stages share a parameter.
        TypeError: `model` does not consist of layers.
        DistributedError: the processes do not split the same model in the same way.
        PeerLost: another process has ended or hangs.

    Effects:
        A collective. Joins the group of processes if that was not done before.
    """
    group = joined() or (join() if env.num_trainers() > 1 else None)
    places = None if devices is None else [as_device(device, "devices") for device in devices]
    count = _num_stages(group, num_stages, boundaries, places)
    parts = _num_microbatches(num_microbatches, count)
    cuts = balanced(sizes_bytes(model), count) if boundaries is None else check(boundaries)
    several = group is not None and group.world_size > 1
    layers = build(model, cuts, [group.rank] if group is not None and several else range(count))
    plan = Plan(cuts, layers.entries, loss, parts)
    if group is None or not several:
        return DevicePipeline(plan, [Stage(layers.kept[k]) for k in range(count)], places)
    # takes as long to load as torch itself
    from refluid.distributed.pipeline.processes import ProcessPipeline

    device = places[group.rank] if places is not None else group.device
    return ProcessPipeline(group, plan, Stage(layers.kept[group.rank]), device)


def _num_stages(
    group: Group | None,
    num_stages: int | None,
    boundaries: Sequence[int] | None,
    devices: Sequence[torch.device] | None,
) -> int:
    said = {
        "`num_stages`": num_stages,
        "`boundaries` (which number one less)": None if boundaries is None else len(boundaries) + 1,
        "`devices`": None if devices is None else len(devices),
        "the number of processes": group.world_size if group and group.world_size > 1 else None,
    }
    known = {name: value for name, value in said.items() if value is not None}
    if len(set(known.values())) > 1:
        listed = ", ".join(f"{name} {value}" for name, value in known.items())
        raise ValueError(
            f"`num_stages` must be what everything else says: {listed}. Start as many processes "
            "as there are stages, or one."
        )
    count = next(iter(known.values()), 1)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"`num_stages` must be a whole number from 1, but is {count!r}.")
    return count


def _num_microbatches(given: int | None, num_stages: int) -> int:
    if given is None:
        return num_stages
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ValueError(f"`num_microbatches` must be a whole number from 1, but is {given!r}.")
    return given
