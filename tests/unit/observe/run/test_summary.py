"""A summary holds the last and the best of each metric, and what is saved, whatever is there."""

from __future__ import annotations

import math
import shutil

import pytest

from refluid.errors import RunError
from refluid.observe.journal.journal import Journal
from refluid.observe.run.point import Point, is_better, is_share
from refluid.observe.run.saved import checkpoints_in
from refluid.observe.run.summary import is_run, summarize


def write(folder, rows):
    folder.mkdir(exist_ok=True)
    journal = Journal(folder / "run.sqlite")
    journal.open()
    journal.append(rows)
    journal.close()


def test_last_values_are_found_however_long_ago(tmp_path):
    rows = [(step, "loss", float(step)) for step in range(5000)]
    rows += [(3, "once", 7.0), (1000, "valid_loss", 2.0), (2000, "valid_loss", 3.0)]
    rows += [(step, "lr", step / 10) for step in range(0, 3000, 100)]
    write(tmp_path, rows)
    found = summarize(tmp_path)
    assert found.last == {
        "loss": Point(4999, 4999.0),
        "once": Point(3, 7.0),
        "lr": Point(2900, 290.0),
        "valid_loss": Point(2000, 3.0),
    }
    assert list(found.last) == sorted(found.last)
    assert found.step == 5000


def test_best_is_the_first_of_equals_and_never_nan(tmp_path):
    losses = [math.nan, 3.0, 1.0, math.inf, 1.0, -math.inf]
    accuracies = [0.1, math.nan, 0.9, 0.9, 0.2, 0.3]
    write(
        tmp_path,
        [(k, "valid_loss", v) for k, v in enumerate(losses)]
        + [(k, "valid_accuracy", v) for k, v in enumerate(accuracies)]
        + [(k, "valid_speed", 1.0) for k in range(6)]
        + [(k, "loss", 1.0) for k in range(6)],
    )
    best = summarize(tmp_path).best
    assert best == {"valid_loss": Point(2, 1.0), "valid_accuracy": Point(2, 0.9)}


def test_metric_without_a_number_has_no_best(tmp_path):
    write(tmp_path, [(0, "valid_loss", math.nan)])
    assert summarize(tmp_path).best == {}


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("valid_loss", False),
        ("valid_f1", True),
        ("top5_accuracy", True),
        ("lossy", None),
        ("lr", None),
    ],
)
def test_what_is_better_is_known_by_the_name(name, better):
    assert is_better(name) is better
    assert is_share(name) is (better is True)


def saved(folder, step, size=10):
    place = folder / "checkpoints" / f"step-{step:08d}"
    place.mkdir(parents=True)
    (place / "state").write_bytes(bytes(size))
    return place


def test_checkpoint_made_with_the_best_value_is_marked(tmp_path):
    write(tmp_path, [(9, "valid_loss", 2.0), (19, "valid_loss", 1.0), (29, "valid_loss", 3.0)])
    for step in (10, 20, 25, 30):
        saved(tmp_path, step, size=step)
    found = summarize(tmp_path).checkpoints
    assert [(each.step, each.size_bytes) for each in found] == [
        (10, 10),
        (20, 20),
        (25, 25),
        (30, 30),
    ]
    assert [each.best_of for each in found] == [(), ("valid_loss",), (), ()]


def test_none_is_marked_when_the_best_is_not_kept(tmp_path):
    write(tmp_path, [(9, "valid_loss", 1.0), (19, "valid_loss", 2.0)])
    saved(tmp_path, 20)
    assert [each.best_of for each in summarize(tmp_path).checkpoints] == [()]


def test_only_whole_checkpoints_are_listed(tmp_path):
    write(tmp_path, [])
    good = saved(tmp_path, 30)
    for name in (".step-00000040.00000000.tmp", "step-00000010.damaged", "step-7", "other"):
        (tmp_path / "checkpoints" / name).mkdir()
    (tmp_path / "checkpoints" / "step-00000050").touch()
    (tmp_path / "checkpoints" / "step-00000060").symlink_to(good)
    assert [each.path for each in checkpoints_in(tmp_path)] == [good]
    shutil.rmtree(tmp_path / "checkpoints")
    assert checkpoints_in(tmp_path) == []


def test_folder_without_a_run_is_refused(tmp_path):
    assert not is_run(tmp_path)
    with pytest.raises(RunError, match=r"holds no run: it has no run\.sqlite"):
        summarize(tmp_path)


def test_foreign_journal_is_refused(tmp_path):
    (tmp_path / "run.sqlite").write_text("something else")
    with pytest.raises(RunError, match=r"run\.sqlite cannot be read: file is not a database"):
        summarize(tmp_path)
