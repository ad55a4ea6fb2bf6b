"""The workload of the resume tests: the course's small network in a plain PyTorch loop.

Images are drawn from a seed: a smooth template for each class, moved by up to two pixels, in noise.
Dropout, random shifts by a transform, shuffled batches and a decaying learning rate all draw or
count. At the end the program sees to it that the network has learned and is alive: at a rate of
0.01 every ReLU can die, and a dead network is the same bits whatever is lost.
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
from refluid.observe.journal.reader import JournalReader

BATCH = 100
FIRST_RATE, LAST_RATE = 0.01, 0.001


class Network(nn.Module):
    """Two convolutions with pooling, dropout, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5, padding=2)
        self.conv2 = nn.Conv2d(20, 20, 5, padding=2)
        self.fc = nn.Linear(980, 10)
        self.dropout = nn.Dropout(0.2)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits [B, 10], and the fraction of the last ReLU's outputs that is above 0."""
        features = F.max_pool2d(F.relu(self.conv1(images)), 2)
        active = F.relu(self.conv2(features))
        features = F.max_pool2d(active, 2)
        return self.fc(self.dropout(features.flatten(1))), (active > 0).float().mean()


def images_and_labels(count: int) -> list[tuple[torch.Tensor, int]]:
    rng = np.random.default_rng(3)
    coarse = torch.from_numpy(rng.standard_normal((10, 1, 7, 7), dtype=np.float32))
    templates = F.interpolate(coarse, (28, 28), mode="bilinear")
    noise = torch.from_numpy(rng.standard_normal((count, 1, 28, 28), dtype=np.float32))
    labels = rng.integers(0, 10, count)
    images = templates[labels] + noise
    # some are wrong, so that the loss stays above 0
    wrong = rng.random(count) < 0.08
    labels[wrong] = rng.integers(0, 10, int(wrong.sum()))
    return list(zip(images, labels.tolist(), strict=True))


def shifted(sample: tuple[torch.Tensor, int]) -> tuple[torch.Tensor, int]:
    """Move the image by up to two pixels; draws from Python's generator and from torch's."""
    image, label = sample
    down, right = random.randint(-2, 2), int(torch.randint(-2, 3, ()))
    return torch.roll(image, (down, right), (1, 2)), label


def make_optimizer(
    name: str, model: nn.Module, num_steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    if name == "adam":
        optimizer: torch.optim.Optimizer = torch.optim.Adam(model.parameters(), FIRST_RATE)
    else:
        optimizer = torch.optim.SGD(model.parameters(), FIRST_RATE, momentum=0.9)
    last = LAST_RATE / FIRST_RATE
    decay = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: last + (1 - last) * max(0.0, 1 - step / num_steps)
    )
    return optimizer, decay


def check_alive(journal: Path, num_steps: int) -> None:
    """See to it that there was something to be lost."""
    with JournalReader(journal) as reader:
        steps, losses = reader.curve("loss")
        _, active = reader.curve("active")
    assert steps.tolist() == list(range(num_steps)), steps
    assert len(set(losses.tolist())) == num_steps, "losses are not distinct"
    assert active.min() > 0.01, "the ReLUs have died"
    assert losses[-3:].mean() < losses[:3].mean() / 2, (losses[:3], losses[-3:])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--optimizer", choices=["adam", "momentum"], default="adam")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps-per-epoch", type=int, default=60)
    parser.add_argument("--save-every", type=int, default=20)
    parser.add_argument("--max-time-s", type=float)
    parser.add_argument("--directory", default="runs/workload")
    parser.add_argument(
        "--forget", action="store_true", help="add noise from a generator that is not tracked"
    )
    args = parser.parse_args()
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    batches = refluid.Batches(
        images_and_labels(args.steps_per_epoch * BATCH),
        BATCH,
        shuffle=True,
        seed=5,
        workers=args.workers,
        transform=shifted,
    )
    num_steps = args.epochs * args.steps_per_epoch
    model = Network()
    optimizer, decay = make_optimizer(args.optimizer, model, num_steps)
    forgotten = np.random.default_rng(7)
    with refluid.Run(
        args.directory, save_every_steps=args.save_every, max_time_s=args.max_time_s
    ) as run:
        run.track(model=model, optimizer=optimizer, decay=decay)
        for step in run.steps(batches, epochs=args.epochs):
            images, labels = step.batch
            if args.forget:
                images = images + 0.01 * float(forgotten.standard_normal())
            logits, active = model(images)
            loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            decay.step()
            accuracy = (logits.argmax(1) == labels).float().mean()
            run.log(loss=loss, accuracy=accuracy, active=active)
    check_alive(run.directory / "run.sqlite", num_steps)


if __name__ == "__main__":
    main()
