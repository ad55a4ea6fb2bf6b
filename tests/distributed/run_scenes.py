"""What two processes with one `Run` live through, scene by scene: `run_scenes.py FOLDER`.

Each rank prints a line of JSON for each scene. `run_scenes.py FOLDER NAME...` goes on with runs
that are left, in however many processes.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import paddle.fluid as fluid
import torch
from paddle.fluid.contrib.reader import distributed_batch_reader
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import refluid.distributed
from refluid import Batches, RefluidError, Run
from refluid.loop.parts import Follower

FOLDER = Path(sys.argv[1])
GROUP = refluid.distributed.join()
SHARD = (GROUP.rank, GROUP.world_size)


class Backwards(nn.Module):
    """Layers that are used in another order than they are made in, and of many weights.

    With more than two ranks torch adds up their gradients in another order in its first step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.last, self.middle, self.first = nn.Linear(99, 1), nn.Linear(400, 99), nn.Linear(3, 400)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.middle(torch.tanh(self.first(x)))))


class Trained:
    """A small network with dropout, trained on its part of 22 samples in steps of 4."""

    def __init__(self, network: type[nn.Module] | None = None, wrapped: bool = True) -> None:
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(7 + GROUP.rank)
        self.model: nn.Module
        self.model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        if network is not None:
            self.model = network()
        if wrapped:
            self.model = DistributedDataParallel(self.model)
        self.optimizer = torch.optim.Adam(self.model.parameters(), 0.01)
        samples = torch.arange(66, dtype=torch.float32).reshape(22, 3) / 66
        self.batches = Batches((samples, torch.arange(22)), 2, shuffle=True, shard=SHARD)
        self.losses: list[str] = []
        self.used: list[int] = []

    def step(self, batch: Any) -> float:
        samples, numbers = batch
        loss = self.model(samples * (1 + random.random())).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.used += numbers.tolist()
        self.losses.append(loss.item().hex())
        return loss.item()

    def total(self) -> str:
        """Return the sum of all parameters, in which the last bits of each show."""
        return sum(p.double().abs().sum().item() for p in self.model.parameters()).hex()

    def run(self, name: str, do: Any = None, epochs: int = 2, data: Any = None) -> Run:
        with Run(FOLDER / name, save_every_steps=3) as run:
            run.track(model=self.model, optimizer=self.optimizer)
            for step in run.steps(data or self.batches, epochs=epochs):
                run.log(loss=self.step(step.batch))
                if do is not None:
                    do(run, step.number)
        return run


def tell(scene: str, **what: Any) -> None:
    sys.stdout.write(json.dumps({"scene": scene, "rank": GROUP.rank, **what}) + "\n")
    sys.stdout.flush()


def refused(scene: str, do: Any) -> None:
    try:
        do()
    except RefluidError as error:
        tell(scene, error=f"{type(error).__name__}: {error}")
    else:
        tell(scene, error=None)


def uninterrupted() -> None:
    trained = Trained()
    trained.run("whole")
    tell("uninterrupted", losses=trained.losses, used=trained.used)


def stopped_in_one() -> None:
    """A signal in one rank stops both at the same step, and they go on exactly."""

    def signal_in_rank_1(run: Run, number: int) -> None:
        if number == 3 and GROUP.rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    first = Trained()
    status = None
    try:
        first.run("stopped", signal_in_rank_1)
    except SystemExit as stop:
        status = stop.code
    second = Trained()
    second.run("stopped")
    tell("stopped", status=status, before=first.losses, after=second.losses)


def ended_by_one() -> None:
    """A loop that one rank ends, ends in both; a process that is stopped just before does too."""

    def stop_in_rank_1(run: Run, number: int) -> None:
        if number == 2 and GROUP.rank == 1:
            run.stop()

    def and_is_stopped(run: Run, number: int) -> None:
        stop_in_rank_1(run, number)
        if number == 1 and GROUP.rank == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    def at_the_end(run: Run, number: int) -> None:
        if number == 5 and GROUP.rank == 0:
            run.stop()

    num_steps = [Trained().run("ended", stop_in_rank_1).step]
    try:
        Trained().run("ended-too", and_is_stopped)
    except SystemExit:
        num_steps.append(Trained().run("ended-too").step)
    num_steps.append(Trained().run("ended-at-last", at_the_end).step)
    tell("ended", num_steps=num_steps)


def set_in_one() -> None:
    """A parameter that one rank has changed is found when it is saved."""
    trained = Trained()

    def change(run: Run, number: int) -> None:
        if number == 5 and GROUP.rank == 1:
            with torch.no_grad():
                trained.model.module[2].bias.add_(1)

    refused("set in one", lambda: trained.run("set", change, epochs=1))


def other_directories() -> None:
    refused("directories", lambda: Trained().run(f"mine-{GROUP.rank}"))


def more_batches_in_one() -> None:
    """Without sums of gradients, which would miss the other rank first."""
    rows = [(torch.ones(2, 3), torch.zeros(2)) for _ in range(3 + GROUP.rank)]
    refused("more batches", lambda: Trained(wrapped=False).run("more", data=rows))


def left_for_others(name: str, data: Any = None) -> None:
    """Leave a run in the middle of an epoch, for another number of processes."""
    trained = Trained()

    def stop(run: Run, number: int) -> None:
        if number == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        trained.run(name, stop, data=data)
    except SystemExit:
        tell(name, used=trained.used)


ROWS = [(torch.ones(2, 3), torch.zeros(2)) for _ in range(4)]


def killed() -> None:
    """Rank 1 is killed in its first life, and all are started again."""

    def kill(run: Run, number: int) -> None:
        if number == 7 and GROUP.rank == 1 and os.environ.get("REFLUID_RESTARTS") == "0":
            while not list((FOLDER / "killed" / "checkpoints").glob("step-0000000[1-9]")):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)

    Trained().run("killed", kill)


def late_to_know(save: Any) -> Any:
    """Have rank 1 learn that a save has failed when rank 0 has known it for some steps."""

    def late(*args: Any) -> None:
        try:
            save(*args)
        except RefluidError:
            time.sleep(0.3)
            raise

    return late


def fluid_program() -> None:
    """A fluid program with a replayed reader; a parameter that one rank sets is found here too."""

    def rows() -> Iterator[Any]:
        for _ in range(10):
            yield np.random.rand(4, 3).astype("float32")

    def train(name: str, do: Any = None, epochs: int = 2) -> list[str]:
        np.random.seed(5)
        with fluid.unique_name.guard():  # as in a process of its own
            linear = fluid.dygraph.Linear
            layers = fluid.dygraph.Sequential(linear(3, 4), linear(4, 1))
            model = fluid.dygraph.parallel.DataParallel(layers, strategy)
            adam = fluid.optimizer.Adam(0.01, parameter_list=model.parameters())
        losses = []
        with Run(FOLDER / name, save_every_steps=3) as run:
            run.track(model=model, optimizer=adam)
            for step in run.steps(distributed_batch_reader(rows), epochs=epochs):
                x = fluid.layers.dropout(fluid.dygraph.to_variable(step.batch), 0.2)
                loss = fluid.layers.mean(fluid.layers.square(model(x)))
                model.scale_loss(loss).backward()
                model.apply_collective_grads()
                adam.minimize(loss)
                model.clear_gradients()
                losses.append(float(loss.numpy()).hex())
                if do is not None:
                    do(step.number, layers)
        return losses

    def stop(number: int, layers: Any) -> None:
        if number == 1 and GROUP.rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    def change(number: int, layers: Any) -> None:
        if number == 4 and GROUP.rank == 1:
            layers[0].bias.set_value(np.ones(4, "float32"))
        last_step[0] = number

    with fluid.dygraph.guard(fluid.CPUPlace()):
        strategy = fluid.dygraph.parallel.prepare_context()
        fluid.default_main_program().random_seed = 3
        whole = train("fluid")
        try:
            train("fluid-stopped", stop)
        except SystemExit:
            tell("fluid", whole=whole, again=train("fluid-stopped"))
        last_step = [0]
        with mock.patch.object(Follower, "save", late_to_know(Follower.save)):
            refused("fluid set in one", lambda: train("fluid-set", change, epochs=40))
        tell("fluid ended", last_step=last_step[0])


def backwards() -> None:
    def stop(run: Run, number: int) -> None:
        if number == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    whole = Trained(Backwards)
    whole.run("backwards")
    stopped = Trained(Backwards)
    try:
        stopped.run("backwards-stopped", stop)
    except SystemExit:
        resumed = Trained(Backwards)
        resumed.run("backwards-stopped")
        tell("backwards", whole=whole.total(), again=resumed.total())


def go_on(name: str) -> None:
    trained = Trained()
    rows = ROWS if name == "left-as-list" else None
    refused(f"{name} goes on", lambda: trained.run(name, epochs=1, data=rows))
    tell(f"{name} again", used=trained.used, drawn=random.random())


def main() -> None:
    scenes = {"killed": killed, "backwards": backwards}
    for name in sys.argv[2:]:
        scenes.get(name, partial(go_on, name))()
    if sys.argv[2:]:
        return
    uninterrupted()
    stopped_in_one()
    ended_by_one()
    fluid_program()
    set_in_one()
    other_directories()
    more_batches_in_one()
    left_for_others("left-to-one")
    left_for_others("left-to-three")
    left_for_others("left-as-list", ROWS)


if __name__ == "__main__":
    main()
