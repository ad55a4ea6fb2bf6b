"""A clinic: small networks that are really trained, well or badly, in real runs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

import refluid
from refluid.observe.diagnosis import Diagnosis, examine
from refluid.observe.journal.reader import JournalReader
from refluid.observe.record import Confusion, Table

Data = tuple[torch.Tensor, torch.Tensor]


@functools.cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    found = load_digits()
    return found.data.astype(np.float32) / 16, found.target


def digits(seed: int, num: int = 1200, wrong: float = 0.0) -> tuple[Data, Data]:
    """Handwritten digits: `num` to train, a share of them labeled at random; 500 to validate."""
    images, labels = _digits()
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(images))
    x, y = torch.from_numpy(images[order]), torch.from_numpy(labels[order].copy())
    train_y = y[:num].clone()
    mixed = torch.from_numpy(draw.random(num) < wrong)
    train_y[mixed] = torch.from_numpy(draw.integers(0, 10, int(mixed.sum())))
    return (x[:num], train_y), (x[-500:], y[-500:])


def clouds(
    seed: int, shares: tuple[float, ...] = (0.5, 0.5), far: float = 2.0
) -> tuple[Data, Data]:
    """Points around one center for each class; the farther apart, the less they overlap."""
    draw = np.random.default_rng(seed)
    centers = draw.normal(size=(len(shares), 6))
    centers *= far / np.linalg.norm(centers, axis=1, keepdims=True)
    y = draw.choice(len(shares), 2000, p=shares)
    x = torch.from_numpy((centers[y] + draw.normal(size=(2000, 6))).astype(np.float32))
    labels = torch.from_numpy(y)
    return (x[:1500], labels[:1500]), (x[1500:], labels[1500:])


def waves(seed: int, num: int = 1500, noise: float = 0.2) -> tuple[Data, Data]:
    """A smooth function of four numbers, and noise on it."""
    draw = np.random.default_rng(seed)
    x = draw.uniform(-1, 1, size=(num + 500, 4)).astype(np.float32)
    y = np.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3] + noise * draw.normal(size=(num + 500, 1))
    a, b = torch.from_numpy(x), torch.from_numpy(y.astype(np.float32))
    return (a[:num], b[:num]), (a[num:], b[num:])


def mlp(
    sizes: tuple[int, ...], act: type[nn.Module] = nn.ReLU, dropout: float = 0.0
) -> nn.Sequential:
    """Linear layers with activations in between."""
    layers: list[nn.Module] = []
    for k in range(len(sizes) - 1):
        layers.append(nn.Linear(sizes[k], sizes[k + 1]))
        if k < len(sizes) - 2:
            layers += [act(), nn.Dropout(dropout)] if dropout else [act()]
    return nn.Sequential(*layers)


@dataclass(kw_only=True)
class Patient:
    """What is trained, and how."""

    seed: int = 0
    data: Callable[[int], tuple[Data, Data]] = digits
    model: Callable[[], nn.Module] = lambda: mlp((64, 64, 10))
    optimizer: Callable[[Any], torch.optim.Optimizer] = lambda p: torch.optim.Adam(p, 1e-3)
    schedule: Callable[[torch.optim.Optimizer], Any] | None = None
    batch_size: int = 32
    epochs: int = 6
    validates: bool = True
    logs_valid_loss: bool = True
    is_watched: bool = False
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def train(self, folder: Path, until: int | None = None) -> None:
        """Train in a run, and log what `run.validate` and `run.watch` would."""
        torch.manual_seed(self.seed)
        train, valid = self.data(self.seed)
        model = self.model()
        optimizer = self.optimizer(model.parameters())
        schedule = self.schedule(optimizer) if self.schedule else None
        batches = refluid.Batches(train, self.batch_size, shuffle=True, seed=self.seed)
        with refluid.Run(folder, save_every_s=None, **self.options) as run:
            run.track(model=model, optimizer=optimizer)
            if self.is_watched:
                run.watch(model, optimizer, every=20)
            else:
                run.record(layers=_layers(model))
            for step in run.steps(batches, epochs=self.epochs):
                run.log(**self._update(model, optimizer, *step.batch))
                if step.number % 20 == 0 and not self.is_watched:
                    run.log(**_look(model, train[0][:200]))
                    run.log(param_norm=_norm(model.parameters()))
                if schedule is not None:
                    schedule.step()
                    run.log(lr=optimizer.param_groups[0]["lr"])
                if step.last and self.validates:
                    self._validate(run, model, valid)
                if step.number == until:
                    raise BrokenOff
            if self.validates and train[1].ndim == 1:
                self._count(run, model, train, valid)

    def _update(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor
    ) -> dict[str, Any]:
        scores = model(x)
        loss = self._loss(scores, y)
        optimizer.zero_grad()
        loss.backward()
        names, own = zip(*model.named_parameters(), strict=True)
        norms = torch.stack(torch._foreach_norm([each.grad for each in own])).tolist()
        optimizer.step()
        found: dict[str, Any] = {"loss": loss.item()}
        if y.ndim == 1:
            found["accuracy"] = (scores.argmax(1) == y).float().mean().item()
        if self.is_watched:
            return found
        found["grad_norm"] = math.hypot(*norms)
        return found | {f"grad_norm/{name}": norm for name, norm in zip(names, norms, strict=True)}

    def _loss(self, scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if self.loss is not None:
            return self.loss(scores, y)
        if y.ndim == 1:
            return functional.cross_entropy(scores, y)
        return functional.mse_loss(scores, y)

    @torch.no_grad()
    def _validate(self, run: Any, model: nn.Module, valid: Data) -> None:
        model.eval()
        scores = model(valid[0])
        model.train()
        if self.logs_valid_loss:
            run.log(valid_loss=self._loss(scores, valid[1]))
        if valid[1].ndim == 1:
            run.log(valid_accuracy=(scores.argmax(1) == valid[1]).float().mean())

    @torch.no_grad()
    def _count(self, run: Any, model: nn.Module, train: Data, valid: Data) -> None:
        model.eval()
        num = int(max(train[1].max(), valid[1].max())) + 1
        taken = model(valid[0]).argmax(1)
        counts = torch.bincount(valid[1] * num + taken, minlength=num * num).reshape(num, num)
        names = tuple(f"class {k}" for k in range(num))
        numbers = torch.bincount(train[1], minlength=num).tolist()
        run.record(
            confusion=Confusion(names, counts.numpy()),
            class_counts=Table(("class", "samples"), tuple(zip(names, numbers, strict=True))),
        )


@torch.no_grad()
def _norm(tensors: Iterable[torch.Tensor]) -> torch.Tensor:
    return torch.stack([each.norm() for each in tensors]).norm()


def _layers(model: nn.Module) -> Table:
    rows = []
    for name, layer in model.named_modules():
        own = layer.named_parameters(recurse=False)
        shapes = " ".join(f"{parameter} {list(value.shape)}" for parameter, value in own)
        rows.append((name, type(layer).__name__, shapes))
    return Table(("layer", "type", "parameters"), tuple(rows))


@torch.no_grad()
def _look(model: nn.Module, x: torch.Tensor) -> dict[str, float]:
    found, before = {}, ""
    if not isinstance(model, nn.Sequential):
        return found
    for name, layer in model.named_children():
        before = before if isinstance(layer, nn.ReLU) else name
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            zero = (x == 0).transpose(0, 1).flatten(1)
            found[f"dead/{before}"] = float(zero.all(1).sum())
            found[f"zeros/{before}"] = float(zero.float().mean())
    return found


class BrokenOff(Exception):
    """What a run is broken off with."""


@pytest.fixture(scope="session")
def clinic() -> SimpleNamespace:
    """What patients are made of, and how they are looked at."""
    return SimpleNamespace(
        Patient=Patient,
        BrokenOff=BrokenOff,
        clouds=clouds,
        digits=digits,
        mlp=mlp,
        waves=waves,
        examined=examined,
    )


def examined(folder: Path) -> Diagnosis:
    """What a run is found to have."""
    with JournalReader(folder / "run.sqlite") as journal:
        return examine(journal)
