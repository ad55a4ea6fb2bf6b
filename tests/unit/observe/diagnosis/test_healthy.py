"""Networks that learn well are found to be well, whatever they are trained with."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import nn

from refluid.observe.journal.journal import Journal
from refluid.observe.journal.reader import JournalReader


def adam(lr):
    return lambda parameters: torch.optim.Adam(parameters, lr)


def sgd(lr, **options):
    return lambda parameters: torch.optim.SGD(parameters, lr, **options)


PATIENTS = {
    "adam": lambda clinic: {},
    "sgd": lambda clinic: {"optimizer": sgd(0.1)},
    "momentum, cosine": lambda clinic: {
        "optimizer": sgd(0.02, momentum=0.9),
        "schedule": lambda own: torch.optim.lr_scheduler.CosineAnnealingLR(own, 380),
    },
    "warm-up": lambda clinic: {
        "optimizer": sgd(0.2, momentum=0.5),
        "schedule": lambda own: torch.optim.lr_scheduler.LinearLR(own, 0.01, 1.0, 60),
    },
    "one sample a step": lambda clinic: {
        "data": functools.partial(clinic.waves, num=600),
        "model": lambda: clinic.mlp((4, 16, 1), nn.Tanh),
        "optimizer": sgd(0.01),
        "batch_size": 1,
        "epochs": 1,
    },
    "all samples a step": lambda clinic: {
        "optimizer": sgd(0.5, momentum=0.5),
        "batch_size": 1200,
        "epochs": 150,
    },
    "dropout": lambda clinic: {"model": lambda: clinic.mlp((64, 128, 10), dropout=0.5)},
    "noise that nobody can learn": lambda clinic: {
        "data": functools.partial(clinic.waves, noise=0.5),
        "model": lambda: clinic.mlp((4, 32, 1), nn.Tanh),
        "optimizer": adam(3e-3),
    },
    "classes that overlap": lambda clinic: {
        "data": functools.partial(clinic.clouds, far=1.5),
        "model": lambda: clinic.mlp((6, 16, 2)),
        "optimizer": adam(3e-3),
    },
    "a rare class that is learned": lambda clinic: {
        "data": functools.partial(clinic.clouds, shares=(0.9, 0.1), far=5.0),
        "model": lambda: clinic.mlp((6, 16, 2)),
        "optimizer": adam(3e-3),
    },
    "two epochs": lambda clinic: {"epochs": 2},
    "watched": lambda clinic: {"is_watched": True},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PATIENTS)
def test_nothing_is_found(clinic, tmp_path, name):
    clinic.Patient(**PATIENTS[name](clinic)).train(tmp_path)
    diagnosis = clinic.examined(tmp_path)
    assert diagnosis.findings == []
    assert "a learning rate that is too high" in diagnosis.examined


def test_what_was_not_logged_is_named_with_the_line_that_logs_it(clinic, tmp_path):
    clinic.Patient(epochs=2, validates=False).train(tmp_path)
    missing = clinic.examined(tmp_path).missing
    assert missing.keys() == {"overfitting", "underfitting", "unbalanced classes"}
    assert missing["overfitting"].line.startswith("run.validate(")


def test_a_run_that_has_just_begun_is_not_judged(tmp_path, clinic):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    journal.append([(step, "loss", 2.3) for step in range(5)])
    journal.close()
    diagnosis = clinic.examined(tmp_path)
    assert diagnosis.findings == []
    assert "5 finite values, and 20 are needed" in diagnosis.missing["diverging"].reason
    assert diagnosis.missing["dead units"].line == "run.watch(model, optimizer)"


# journals that no training leaves: nobody would wait for half a million steps, or log such numbers
@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 50,
        [1.0] * 50,
        [-(1.1**k) for k in range(50)],
        [1e308, -1e308] * 25,
        [5e-324] * 50,
    ],
    ids=["zero", "constant", "negative", "huge", "tiny"],
)
def test_odd_numbers_raise_nothing_and_warn_of_nothing(tmp_path, clinic, values):
    names = ("loss", "accuracy", "valid_loss", "valid_accuracy", "lr", "grad_norm", "param_norm")
    layers = ("grad_norm/a.weight", "grad_norm/b.weight", "grad_norm/c", "dead/a", "zeros/a")
    rows = [(step, name, v) for step, v in enumerate(values) for name in (*names, *layers)]
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    journal.append(rows)
    journal.close()
    found = clinic.examined(tmp_path).findings
    assert all(finding.evidence and finding.advice for finding in found)


def test_what_is_found_does_not_depend_on_how_many_steps_there_are(tmp_path, clinic):
    generator = torch.Generator().manual_seed(1)
    for num, folder in ((200, "short"), (60_000, "long")):
        (tmp_path / folder).mkdir()
        journal = Journal(tmp_path / folder / "run.sqlite")
        journal.open()
        noise = (0.1 * torch.randn(num, generator=generator)).exp().tolist()
        losses = [noise[k] * (0.2 + 2 * 0.01 ** (k / num)) for k in range(num)]
        losses = [loss + max(0.0, 3 * (k / num - 0.5)) for k, loss in enumerate(losses)]
        journal.append([(k, "loss", loss) for k, loss in enumerate(losses)])
        journal.close()
        with JournalReader(journal.path) as reader:
            assert reader.last_step() == num - 1
        (finding,) = clinic.examined(tmp_path / folder).findings
        assert finding.kind == "diverging"
        assert 0.4 * num < finding.steps[1] < 0.75 * num
