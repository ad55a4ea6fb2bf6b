"""What is drawn of runs: which metrics, under which names, over which axis."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from refluid.errors import RunError
from refluid.observe.curves.chart import draw_runs, short_names
from refluid.observe.journal.journal import Event, Journal, Start


def write(folder: Path, *metrics: str, num_steps=300, per_epoch=None, starts=(0,)) -> Path:
    folder.mkdir(parents=True)
    journal = Journal(folder / "run.sqlite")
    journal.open()
    for step in starts:
        journal.start(Start(pid=7, host="h", argv=[], from_step=step, environment={}, config={}))
        journal.append(events=[Event(step=step, kind="resumed" if step else "began")])
        if per_epoch:
            text = json.dumps({"epochs": 99, "steps_per_epoch": per_epoch})
            journal.append(events=[Event(step=step, kind="planned", text=text)])
    journal.append([(k, name, 1 / (1 + k)) for k in range(num_steps) for name in metrics])
    journal.close()
    return folder


def texts(path: Path) -> list[str]:
    return [text.strip() for text in re.findall("<!--(.*?)-->", path.read_text())]


@pytest.mark.parametrize(
    ("there", "asked", "drawn"),
    [
        (["loss", "accuracy", "lr", "valid_loss"], [], ["loss", "valid_loss", "accuracy"]),
        (["valid_accuracy", "lr"], [], ["valid_accuracy"]),
        (["elbo", "lr", "valid_elbo"], [], ["elbo", "valid_elbo", "lr"]),
        (["valid_elbo"], [], ["valid_elbo"]),
        (["loss", "valid_loss", "lr"], ["lr"], ["lr"]),
        (["loss", "valid_loss", "lr"], ["loss"], ["loss", "valid_loss"]),
        (["loss", "valid_loss"], ["valid_loss", "loss", "loss"], ["valid_loss", "loss"]),
    ],
)
def test_metrics_are_those_asked_for_or_the_usual_ones(tmp_path, there, asked, drawn):
    run = write(tmp_path / "run", *there, num_steps=3)
    assert draw_runs(tmp_path / "a.svg", [run], asked) == drawn
    assert set(texts(tmp_path / "a.svg")) & set(there) >= set(asked)


def test_unknown_metric_is_told_with_those_that_are_there(tmp_path):
    run = write(tmp_path / "run", "loss", "grad_norm", num_steps=3)
    with pytest.raises(RunError, match=r"`--metric` 'los' is not in .*: grad_norm, loss\."):
        draw_runs(tmp_path / "a.svg", [run], ["loss", "los"])
    assert not (tmp_path / "a.svg").exists()


def test_run_without_metrics_is_told(tmp_path):
    run = write(tmp_path / "run")
    with pytest.raises(RunError, match="no metric has been logged"):
        draw_runs(tmp_path / "a.svg", [run])


def test_metric_of_one_run_is_drawn_beside_runs_without_it(tmp_path):
    runs = [write(tmp_path / "a", "loss"), write(tmp_path / "b", "loss", "lr")]
    assert draw_runs(tmp_path / "a.svg", runs, ["lr"]) == ["lr"]
    assert sum(text.startswith("b:") for text in texts(tmp_path / "a.svg")) == 1


def test_run_that_is_named_twice_is_drawn_once(tmp_path):
    run = write(tmp_path / "run", "loss")
    (tmp_path / "link").symlink_to(run)
    draw_runs(tmp_path / "once.png", [run])
    draw_runs(tmp_path / "twice.png", [run, tmp_path / "link"])
    assert (tmp_path / "once.png").read_bytes() == (tmp_path / "twice.png").read_bytes()


def test_axis_is_in_epochs_where_all_runs_know_them(tmp_path):
    one = write(tmp_path / "one", "loss", per_epoch=30)
    two = write(tmp_path / "two", "loss", per_epoch=20)
    other = write(tmp_path / "other", "loss")
    for runs, axis in (([one], "epoch"), ([one, two], "epoch"), ([one, other], "step")):
        draw_runs(tmp_path / "a.svg", runs)
        assert {"epoch", "step"} & set(texts(tmp_path / "a.svg")) == {axis}


def test_resume_is_marked_unless_nothing_came_after_it(tmp_path):
    resumed = write(tmp_path / "resumed", "loss", starts=(0, 100))
    ended = write(tmp_path / "ended", "loss", starts=(0, 300))
    found = []
    for run in (resumed, ended):
        draw_runs(tmp_path / "a.svg", [run])
        found.append("resumed" in texts(tmp_path / "a.svg"))
    assert found == [True, False]


def test_values_that_are_not_finite_are_marked(tmp_path):
    run = write(tmp_path / "run", "loss")
    journal = Journal(run / "run.sqlite")
    journal.open()
    journal.append([(step, "loss", math.nan) for step in range(100, 250)])
    journal.close()
    draw_runs(tmp_path / "a.svg", [run])
    assert "not finite" in texts(tmp_path / "a.svg")


def test_long_curves_are_smoothed_and_it_is_said(tmp_path):
    short, long = write(tmp_path / "a", "loss", num_steps=99), write(tmp_path / "b", "loss")
    draw_runs(tmp_path / "a.svg", [short])
    assert not any(text.startswith("thick") for text in texts(tmp_path / "a.svg"))
    draw_runs(tmp_path / "b.svg", [long])
    assert "thick: mean over 6 steps" in texts(tmp_path / "b.svg")


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/a"], ["a"]),
        (["runs/a", "runs/b"], ["a", "b"]),
        (["x/1/run", "x/2/run"], ["1", "2"]),
        (["x/1/a/run", "x/2/b/run"], ["1/a", "2/b"]),
        (["runs", "runs/a"], ["runs", "a"]),
        (["runs/x", "runs/x/a/x"], ["x", "a"]),
    ],
)
def test_names_are_what_differs(paths, names):
    found = short_names([Path(path) for path in paths])
    assert found == names
    assert len(set(found)) == len(found)
