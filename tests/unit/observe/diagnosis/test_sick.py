"""Networks are really trained in a bad way, and what is wrong with each is found."""

from __future__ import annotations

import functools
import math

import pytest
import torch
from torch import nn

from refluid.observe.diagnosis import Severity
from refluid.observe.journal.reader import JournalReader


def adam(lr, **options):
    return lambda parameters: torch.optim.Adam(parameters, lr, **options)


def sgd(lr, **options):
    return lambda parameters: torch.optim.SGD(parameters, lr, **options)


@pytest.fixture
def treat(clinic, tmp_path):
    """Train a patient; return what is found by kind, and the run's journal."""

    def train_and_examine(**patient):
        clinic.Patient(**patient).train(tmp_path / "run")
        found = clinic.examined(tmp_path / "run").findings
        return {finding.kind: finding for finding in found}

    return train_and_examine


def curve(tmp_path, name):
    with JournalReader(tmp_path / "run" / "run.sqlite") as journal:
        return journal.curve(name)


def test_overfitting_is_dated_and_measured(clinic, treat, tmp_path):
    found = treat(
        data=functools.partial(clinic.digits, num=100, wrong=0.2),
        model=lambda: clinic.mlp((64, 128, 10)),
        optimizer=adam(3e-3),
        batch_size=20,
        epochs=60,
    )
    assert found.keys() == {"overfitting"}
    finding = found["overfitting"]
    steps, losses = curve(tmp_path, "valid_loss")
    validation = list(steps).index(finding.steps[0]) + 1
    # it was nowhere much lower
    assert losses[validation - 1] < 1.05 * losses.min()
    assert f"Since validation {validation} (step {finding.steps[0]}" in finding.evidence
    assert f"(epoch {validation})" in finding.evidence
    assert "accuracy on the validation data fell from" in finding.evidence
    assert "--l2" in finding.advice
    assert "dropout" in finding.advice


def test_overfitting_is_found_by_the_gap_alone(clinic, treat):
    found = treat(
        data=functools.partial(clinic.digits, num=40),
        model=lambda: clinic.mlp((64, 128, 10)),
        optimizer=adam(3e-3),
        batch_size=20,
        epochs=60,
        logs_valid_loss=False,
    )
    assert found.keys() == {"overfitting"}
    assert "the two have parted since validation" in found["overfitting"].evidence


@pytest.mark.slow
def test_overfitting_of_a_regression(clinic, treat):
    found = treat(
        data=functools.partial(clinic.waves, num=60, noise=0.4),
        model=lambda: clinic.mlp((4, 128, 128, 1)),
        optimizer=adam(3e-3),
        batch_size=20,
        epochs=100,
    )
    assert found.keys() == {"overfitting"}
    assert found["overfitting"].severity is Severity.SERIOUS


def test_a_network_held_back_by_its_regularization_underfits(treat):
    found = treat(optimizer=adam(3e-3, weight_decay=0.3))
    assert found.keys() == {"underfitting"}
    assert "of the training data are taken right" in found["underfitting"].evidence


def test_a_network_that_is_too_weak_underfits(clinic, treat):
    def rings(seed):
        generator = torch.Generator().manual_seed(seed)
        labels = torch.randint(0, 2, (2000,), generator=generator)
        angle = 2 * math.pi * torch.rand(2000, generator=generator)
        x = torch.stack([angle.cos(), angle.sin()], 1) * (1 + labels[:, None])
        return (x[:1500], labels[:1500]), (x[1500:], labels[1500:])

    found = treat(data=rings, model=lambda: clinic.mlp((2, 2)), optimizer=adam(1e-2))
    assert found.keys() == {"underfitting"}


@pytest.mark.parametrize("optimizer", [sgd(8.0), adam(0.3)], ids=["sgd", "adam"])
def test_a_learning_rate_that_is_too_high_makes_the_loss_jump(treat, optimizer):
    found = treat(optimizer=optimizer)
    # what it leads to is found as well
    assert found.keys() == {"learning_rate_high", "dead_units"}
    assert "jumped from" in found["learning_rate_high"].evidence


def test_a_loss_that_swings_up_and_down_has_too_high_a_learning_rate(clinic, treat):
    # steps of a constant length, from one slope of a valley to the other
    found = treat(
        data=functools.partial(clinic.waves, noise=0.0),
        model=lambda: nn.Linear(4, 1),
        optimizer=sgd(4.0),
        loss=lambda y, goal: (y - goal).abs().mean(),
        batch_size=1500,
        epochs=60,
    )
    assert found.keys() == {"learning_rate_high"}
    assert "up and down in turns" in found["learning_rate_high"].evidence


@pytest.mark.parametrize("optimizer", [sgd(2e-3), adam(1e-5)], ids=["sgd", "adam"])
def test_a_learning_rate_that_is_too_low_makes_the_loss_creep(treat, optimizer):
    found = treat(optimizer=optimizer)
    assert found.keys() == {"learning_rate_low"}
    assert "still on its way" in found["learning_rate_low"].evidence


def test_a_loss_that_becomes_nan_has_diverged_at_that_step(clinic, treat, tmp_path):
    found = treat(
        data=clinic.waves, model=lambda: clinic.mlp((4, 64, 64, 1)), optimizer=sgd(2.0), epochs=3
    )
    assert found.keys() == {"diverging", "exploding_gradients"}
    steps, losses = curve(tmp_path, "loss")
    first = next(step for step, loss in zip(steps, losses, strict=True) if not math.isfinite(loss))
    assert found["diverging"].steps == (first,)
    assert f"not a finite number from step {first} (epoch 1) on" in found["diverging"].evidence
    assert "smaller" in found["diverging"].advice


def test_a_single_bad_sample_is_told_from_too_large_updates(clinic, treat):
    def broken(seed):
        (x, y), valid = clinic.digits(seed)
        x = x.clone()
        x[7, 3] = float("nan")
        return (x, y), valid

    found = treat(data=broken, epochs=3)
    assert found.keys() == {"diverging"}
    assert "Check the data" in found["diverging"].advice


def test_a_loss_that_grows_steadily_has_diverged(clinic, treat):
    found = treat(
        data=clinic.waves,
        model=lambda: nn.Linear(4, 1),
        optimizer=sgd(1.02),
        batch_size=1500,
        epochs=120,
    )
    assert "diverging" in found
    assert "it has risen to" in found["diverging"].evidence
    assert found.keys() <= {"diverging", "learning_rate_high", "exploding_gradients"}


def test_gradients_that_explode_through_time_are_found(clinic, treat):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = nn.RNN(1, 32, nonlinearity="relu", batch_first=True)
            self.head = nn.Linear(32, 10)
            with torch.no_grad():
                self.cells.weight_hh_l0.copy_(1.25 * torch.eye(32))

        def forward(self, x):
            return self.head(self.cells(x[:, :, None])[0][:, -1])

    found = treat(model=Recurrent, optimizer=sgd(1e-3), epochs=3)
    assert "exploding_gradients" in found
    assert "clip" in found["exploding_gradients"].advice.lower()


@pytest.mark.parametrize("is_watched", [False, True], ids=["logged", "watched"])
def test_gradients_that_vanish_on_their_way_down_are_found(clinic, treat, is_watched):
    found = treat(
        model=lambda: clinic.mlp((64, 32, 32, 32, 32, 32, 32, 10), nn.Sigmoid),
        is_watched=is_watched,
    )
    assert found.keys() == {"vanishing_gradients"}
    evidence = found["vanishing_gradients"].evidence
    assert "(0.weight, 2.weight" in evidence
    assert "at 12.weight" in evidence


@pytest.mark.parametrize("is_watched", [False, True], ids=["logged", "watched"])
def test_dead_units_are_named_with_their_layer(clinic, treat, is_watched):
    def model():
        layers = clinic.mlp((64, 64, 64, 10))
        with torch.no_grad():
            layers[2].bias[:40] = -20
        return layers

    found = treat(model=model, is_watched=is_watched)
    assert found.keys() == {"dead_units"}
    assert "2, where 4" in found["dead_units"].evidence
    assert "of 64 units are always 0" in found["dead_units"].evidence


def test_a_rare_class_that_is_missed_is_found(clinic, treat):
    found = treat(
        data=functools.partial(clinic.clouds, shares=(0.6, 0.35, 0.05), far=1.5),
        model=lambda: clinic.mlp((6, 16, 3)),
        optimizer=adam(3e-3),
    )
    assert found.keys() == {"unbalanced_classes"}
    evidence = found["unbalanced_classes"].evidence
    assert "few of class 2 (" in evidence
    assert "of the rare ones are recognized" in evidence


def test_a_learning_rate_that_falls_too_early_leads_to_a_plateau(treat):
    found = treat(
        optimizer=sgd(0.05),
        schedule=lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 60, 1e-6),
    )
    assert found.keys() == {"plateau"}
    assert "The learning rate fell from 0.05" in found["plateau"].evidence
    assert found["plateau"].steps[0] <= 120


def test_without_validation_a_standstill_is_a_plateau(treat):
    found = treat(optimizer=adam(3e-3, weight_decay=0.3), validates=False)
    assert found.keys() == {"plateau"}
