"""The workload of the resume tests with several processes: a small network in torch's own
DistributedDataParallel, or on parameter servers.

Each rank draws its own dropout and its own noise, moves its part of every batch, and has moving
statistics of its own. At the end rank 0 sees to it that the network has learned, and that the
ranks' states were not all the same.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import refluid
import refluid.distributed
from refluid.distributed.server import serve
from refluid.observe.journal.reader import JournalReader

NUM_CLASSES = 10


class Network(nn.Module):
    """Two linear layers with batch normalization and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.norm, self.fc2 = nn.Linear(64, 48), nn.BatchNorm1d(48), nn.Linear(48, 10)
        self.dropout = nn.Dropout(0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.dropout(F.relu(self.norm(self.fc1(x)))))


def vectors_and_labels(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(3)
    centers = rng.standard_normal((NUM_CLASSES, 64), dtype=np.float32)
    labels = rng.integers(0, NUM_CLASSES, count)
    vectors = centers[labels] + 1.5 * rng.standard_normal((count, 64), dtype=np.float32)
    return torch.from_numpy(vectors), torch.from_numpy(labels)


def check_alive(journal: Path, num_steps: int) -> None:
    with JournalReader(journal) as reader:
        steps, losses = reader.curve("loss")
    assert steps.tolist() == list(range(num_steps)), steps
    assert losses[-5:].mean() < losses[:5].mean() / 2, (losses[:5], losses[-5:])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--optimizer", choices=["adam", "momentum"], default="adam")
    parser.add_argument("--samples", type=int, default=2430)
    parser.add_argument("--global-batch", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--save-every", type=int, default=15)
    parser.add_argument("--directory", default="runs/ranks")
    parser.add_argument("--served", action="store_true", help="parameters are on servers")
    args = parser.parse_args()
    group = refluid.distributed.join()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(100 + group.rank)
    torch.set_num_threads(1)
    model: nn.Module = Network()
    if not args.served:
        model = nn.parallel.DistributedDataParallel(model)
    if args.optimizer == "adam":
        optimizer: torch.optim.Optimizer = torch.optim.Adam(model.parameters(), 0.003)
    else:
        optimizer = torch.optim.SGD(model.parameters(), 0.03, momentum=0.9)
    if args.served:
        serve(model, optimizer)
    batches = refluid.Batches(
        vectors_and_labels(args.samples),
        args.global_batch // group.world_size,
        shuffle=True,
        seed=5,
        shard=(group.rank, group.world_size),
    )
    used = torch.zeros(args.samples, dtype=torch.int64)
    with refluid.Run(args.directory, save_every_steps=args.save_every) as run:
        run.track(model=model, optimizer=optimizer, used=used)
        for step in run.steps(batches, epochs=args.epochs):
            vectors, labels = step.batch
            vectors = vectors + 0.05 * (random.random() + float(np.random.standard_normal()))
            loss = F.cross_entropy(model(vectors), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.log(loss=loss)
        num_steps = run.step
    if group.rank == 0:
        check_alive(run.directory / "run.sqlite", num_steps)


if __name__ == "__main__":
    main()
