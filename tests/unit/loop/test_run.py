"""A run that was broken off goes on as if nothing had happened, and says what it does."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import refluid
from refluid.errors import CheckpointError, DataError, RunError
from refluid.loop import RESUMABLE, Stopped
from refluid.observe.journal.reader import JournalReader

SAMPLES, SIZE = 40, 8  # five batches an epoch


class BrokenOff(Exception):
    """What a test breaks a loop off with; the run cannot know that it was coming."""


def samples():
    generator = torch.Generator().manual_seed(7)
    x = torch.rand(SAMPLES, 6, generator=generator)
    return x, x.sum(1, keepdim=True)


def batches():
    return refluid.Batches(samples(), SIZE, shuffle=True, seed=3)


def loader():
    return DataLoader(TensorDataset(*samples()), batch_size=SIZE, shuffle=True)


class Reader:
    """As the course's: shuffles one list in place, each epoch on top of the last."""

    def __init__(self):
        self.order = list(range(SAMPLES))

    def __call__(self):
        x, y = samples()
        random.shuffle(self.order)
        for k in range(0, SAMPLES, SIZE):
            part = self.order[k : k + SIZE]
            yield x[part] + float(np.random.rand()), y[part]


def train(folder, data=batches, *, break_at=None, before=None, epochs=3, **options):
    """Train a little network; before step `break_at` is complete, raise BrokenOff."""
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, 15)
    with refluid.Run(folder, **{"save_every_steps": 2, **options}) as run:
        run.track(model=model, optimizer=optimizer, schedule=schedule)
        for step in run.steps(data(), epochs=epochs):
            x, y = step.batch
            loss = ((model(x) - y) ** 2).mean() + random.random()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            run.log(loss=loss, mean=run.means.get("loss", 0.0))
            if before is not None:
                before(run, step)
            if step.number == break_at:
                raise BrokenOff
        return run


def curve(folder):
    with JournalReader(Path(folder) / "run.sqlite") as journal:
        return [
            (step, name, value.hex())
            for step, name, value in journal.metrics()
            if not name.endswith("_per_s")
        ]


@pytest.fixture(scope="module", params=[batches, loader, Reader], ids=lambda data: data.__name__)
def whole(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    train(folder, request.param)
    rows = curve(folder)
    # a network that does not learn would go on exactly by accident
    assert len({value for _, name, value in rows if name == "loss"}) == 15
    return request.param, rows


@pytest.mark.parametrize("breaks", [[0], [1], [2], [4], [5], [6], [14], [3, 3, 9], [7, 8, 13]])
def test_broken_off_anywhere_it_goes_on_with_the_same_bits(whole, tmp_path, breaks):
    data, rows = whole
    for step in breaks:
        with pytest.raises(BrokenOff):
            train(tmp_path, data, break_at=step)
    train(tmp_path, data)
    assert curve(tmp_path) == rows


def test_a_run_without_a_seed_goes_on_as_it_began(tmp_path):
    def unseeded(break_at=None):
        weight = torch.zeros(3, requires_grad=True)
        with refluid.Run(tmp_path) as run:
            run.track(weight=weight)
            for step in run.steps(batches(), epochs=1):
                with torch.no_grad():
                    weight += torch.rand(3)
                run.log(weight=weight[0])
                if step.number == break_at:
                    run.save()
                if step.number == 2 and break_at is not None:
                    raise BrokenOff

    torch.manual_seed(11)
    with pytest.raises(BrokenOff):
        unseeded(break_at=1)
    before = curve(tmp_path)
    torch.seed()
    unseeded()
    assert curve(tmp_path)[:2] == before[:2]


def test_a_finished_run_has_nothing_left_and_goes_on_with_more_epochs(tmp_path, capfd):
    train(tmp_path, epochs=2)
    seen = []
    train(tmp_path, epochs=2, before=lambda run, step: seen.append(step.number))
    assert seen == []
    assert f"{tmp_path} is complete: 10 steps" in capfd.readouterr().err
    train(tmp_path, epochs=3, before=lambda run, step: seen.append(step.number))
    assert seen == list(range(10, 15))


def test_steps_know_their_place(tmp_path):
    seen = []
    train(tmp_path, epochs=2, before=lambda run, step: seen.append(step))
    assert [(s.number, s.epoch, s.index, s.last) for s in seen] == [
        (k, k // 5, k % 5, k % 5 == 4) for k in range(10)
    ]


def terminate_in(number):
    """Return what has the run saved and stopped after the step of that number."""

    def send(run, step):
        if step.number == number:
            signal.raise_signal(signal.SIGTERM)

    return send


def test_the_journal_says_what_happened(tmp_path):
    with pytest.raises(Stopped):
        train(tmp_path, before=terminate_in(5), config={"lr": 0.01})
    with pytest.raises(BrokenOff):
        train(tmp_path, break_at=6, config={"lr": 0.01})
    train(tmp_path, config={"lr": 0.01})
    with JournalReader(tmp_path / "run.sqlite") as journal:
        events = list(journal.events())
        starts = list(journal.starts())
    kinds = [event.kind for event in events]
    assert kinds[0] == "began"
    assert "error" in kinds
    assert "resumed" in kinds
    assert ("SIGTERM", 6) in [(event.text, event.step) for event in events]
    assert [start.from_step for start in starts] == [0, 6, 6]
    assert starts[0].config == {"lr": 0.01}
    assert "torch" in starts[0].environment


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_lets_the_step_end_saves_and_loses_nothing(tmp_path, number, capfd):
    def send(run, step):
        if step.number == 7:
            signal.raise_signal(number)

    handler = signal.getsignal(number)
    with pytest.raises(Stopped) as stopped:
        train(tmp_path, save_every_steps=None, save_every_s=None, before=send)
    assert stopped.value.code == RESUMABLE
    assert signal.getsignal(number) is handler
    assert f"{number.name}: stopped after step 8, which is saved" in capfd.readouterr().err
    seen = []
    train(tmp_path, before=lambda run, step: seen.append(step.number))
    assert seen[0] == 8


def test_a_second_interrupt_stops_at_once(tmp_path):
    def send(run, step):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, before=send)


def test_the_deadline_stops_as_a_signal_does(tmp_path):
    with pytest.raises(Stopped) as stopped:
        train(tmp_path, max_time_s=1e-6)
    assert stopped.value.reason == "max_time_s"
    assert train(tmp_path).step == 15


def test_stop_ends_the_loop_for_good(tmp_path):
    def stop(run, step):
        if step.number == 3:
            run.stop()

    assert train(tmp_path, before=stop).step == 4
    seen = []
    train(tmp_path, before=lambda run, step: seen.append(step.number))
    assert seen == []


def test_a_loop_that_is_left_by_break_says_what_is_lost(tmp_path, capfd):
    with refluid.Run(tmp_path, save_every_s=None) as run:
        run.track(weight=torch.zeros(1))
        for step in run.steps(batches(), epochs=1):
            if step.number == 2:
                break
    assert "the loop was left in step 2, which is not saved" in capfd.readouterr().err
    with refluid.Run(tmp_path) as run:
        run.track(weight=torch.zeros(1))
        assert next(iter(run.steps(batches(), epochs=1))).number == 0


def test_two_loops_one_after_the_other(tmp_path):
    def program(folder, break_at=None):
        torch.manual_seed(5)
        weight = torch.zeros(1)
        with refluid.Run(folder, save_every_steps=1) as run:
            run.track(weight=weight)
            for step in run.steps(batches(), epochs=1):
                weight += torch.rand(1)
                run.log(first=weight)
                if break_at == ("first", step.number):
                    raise BrokenOff
            other = torch.zeros(1)
            run.track(other=other)
            for step in run.steps(batches(), epochs=2):
                other += weight * torch.rand(1)
                run.log(second=other)
                if break_at == ("second", step.number):
                    raise BrokenOff

    program(tmp_path / "whole")
    for break_at in [("first", 2), ("first", 4), ("second", 5), ("second", 11)]:
        folder = tmp_path / f"{break_at[0]}{break_at[1]}"
        with pytest.raises(BrokenOff):
            program(folder, break_at)
        program(folder)
        assert curve(folder) == curve(tmp_path / "whole")


def test_a_schedule_made_after_its_optimizer_was_tracked_does_not_change_it(tmp_path):
    def program(folder, break_at=None):
        weight = torch.ones(1, requires_grad=True)
        optimizer = torch.optim.SGD([weight], lr=0.1)
        with refluid.Run(folder, save_every_steps=1) as run:
            run.track(weight=weight, optimizer=optimizer)
            # its constructor multiplies the rate
            schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 0.25, total_iters=8)
            run.track(schedule=schedule)
            for step in run.steps(batches(), epochs=2):
                weight.grad = torch.ones(1)
                optimizer.step()
                schedule.step()
                run.log(weight=weight, rate=optimizer.param_groups[0]["lr"])
                if step.number == break_at:
                    signal.raise_signal(signal.SIGTERM)

    program(tmp_path / "whole")
    with pytest.raises(Stopped):
        program(tmp_path / "stopped", break_at=4)
    program(tmp_path / "stopped")
    assert curve(tmp_path / "stopped") == curve(tmp_path / "whole")


def test_kept_are_the_last_ones_and_the_best(tmp_path):
    def log(run, step):
        run.log(score=-abs(step.number - 5))

    train(tmp_path, before=log, save_every_steps=1, keep_last=2, keep_highest="score")
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept[-1] == "step-00000015"
    assert len(kept) <= 3


def test_resume_never_and_must_refuse_what_they_forbid(tmp_path):
    with pytest.raises(RunError, match="no checkpoint to go on from, and `resume` is 'must'"):
        train(tmp_path / "a", resume="must")
    train(tmp_path / "a", epochs=1)
    with pytest.raises(RunError, match="holds a run, and `resume` is 'never'"):
        train(tmp_path / "a", resume="never")
    assert train(tmp_path / "a", resume="must").step == 15


def test_a_change_that_can_change_the_numbers_is_told_and_refused_if_strict(tmp_path, capfd):
    threads = torch.get_num_threads()
    train(tmp_path, epochs=1)
    torch.set_num_threads(threads + 1)
    try:
        with pytest.raises(RunError, match=rf"threads: {threads} before, {threads + 1} now"):
            train(tmp_path, strict=True)
        capfd.readouterr()
        train(tmp_path, config={"lr": 2})
    finally:
        torch.set_num_threads(threads)
    told = capfd.readouterr().err
    assert f"threads: {threads} before, {threads + 1} now" in told
    assert "`lr` in config: None before, 2 now" in told


def test_a_damaged_checkpoint_is_named_kept_and_the_one_before_used(tmp_path, whole, capfd):
    data, rows = whole
    with pytest.raises(BrokenOff):
        train(tmp_path, data, break_at=9)
    newest = max((tmp_path / "checkpoints").iterdir())
    state = newest / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-1])
    train(tmp_path, data)
    told = capfd.readouterr().err
    assert f"{newest.name}.damaged" in told
    assert (tmp_path / "checkpoints" / f"{newest.name}.damaged").is_dir()
    assert curve(tmp_path) == rows


def test_a_damaged_journal_costs_no_checkpoint(tmp_path, capfd):
    with pytest.raises(Stopped):
        train(tmp_path, before=terminate_in(8))
    for path in tmp_path.glob("run.sqlite*"):
        path.write_bytes(b"no journal at all" * 100)
    seen = []
    train(tmp_path, before=lambda run, step: seen.append(step.number))
    assert seen[0] == 9
    assert "run.sqlite.damaged" in capfd.readouterr().err


def test_other_data_than_before_are_refused(tmp_path):
    with pytest.raises(BrokenOff):
        train(tmp_path, break_at=3)
    with pytest.raises(DataError, match="`batch_size` was 8 and is 10 now"):
        train(tmp_path, lambda: refluid.Batches(samples(), 10, shuffle=True, seed=3))


def test_a_model_that_is_not_the_checkpoints_is_named(tmp_path):
    train(tmp_path, epochs=1)
    with refluid.Run(tmp_path) as run:
        run.track(weight=nn.Linear(6, 9))
        with pytest.raises(CheckpointError, match="no state of `weight`, but of `model`"):
            next(run.steps(batches(), epochs=3))


def test_wrong_use_is_explained(tmp_path):
    run = refluid.Run(tmp_path)
    with pytest.raises(RunError, match="`track` was called on a Run that is not open"):
        run.track(x=torch.zeros(1))
    with run:
        with pytest.raises(RunError, match="nothing is tracked"):
            next(run.steps(batches(), epochs=1))
        run.track(x=torch.zeros(1))
        with pytest.raises(ValueError, match="`epochs` must be a whole number from 1"):
            run.steps(batches(), epochs=0)
        with pytest.raises(TypeError, match="`loss` must be a number"):
            run.log(loss=torch.zeros(3))
        with pytest.raises(RunError, match="in use by another Run of this process"):
            refluid.Run(tmp_path).__enter__()
    with pytest.raises(RunError, match="was opened before"):
        run.__enter__()
