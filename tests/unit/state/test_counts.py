"""Metrics of torchmetrics go on with what they had counted."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch

from refluid.errors import CheckpointError
from refluid.state.holder import capture, check, restore
from refluid.state.tree import pack, unpack

NUM_CLASSES = 5


@pytest.fixture(scope="module")
def torchmetrics() -> ModuleType:
    return pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")


def metrics(torchmetrics: ModuleType) -> torch.nn.Module:
    return torch.nn.ModuleDict(
        {
            "accuracy": torchmetrics.classification.MulticlassAccuracy(NUM_CLASSES),
            "mean": torchmetrics.MeanMetric(),
            "list": torchmetrics.CatMetric(),
            "curve": torchmetrics.classification.MulticlassAUROC(NUM_CLASSES),
        }
    )


def feed(parts: torch.nn.Module, count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    for _ in range(count):
        scores = torch.rand(20, NUM_CLASSES, generator=generator)
        labels = torch.randint(0, NUM_CLASSES, (20,), generator=generator)
        for name in ("accuracy", "curve"):
            parts[name](scores, labels)  # type: ignore[index]
        for name in ("mean", "list"):
            parts[name].update(scores[0])  # type: ignore[index]


def test_what_they_counted_comes_back_and_goes_on_to_the_same_bits(torchmetrics):
    there, here = metrics(torchmetrics), metrics(torchmetrics)
    feed(there, 3)
    check("metrics", there)
    packed = pack(capture(there))
    feed(here, 1)
    restore("metrics", here, unpack(packed))
    feed(there, 4)
    feed(here, 4)
    for name, metric in there.items():
        assert here[name].update_count == metric.update_count == 7
        assert torch.equal(metric.compute(), here[name].compute()), name


def test_a_checkpoint_of_another_metric_is_refused(torchmetrics):
    model = torch.nn.Module()
    model.weight = torch.nn.Parameter(torch.ones(2))
    packed = pack(capture(model))
    model.mean = torchmetrics.MeanMetric()
    with pytest.raises(CheckpointError, match=r"`mean\.counts` is not in the checkpoint"):
        restore("model", model, unpack(packed))
