"""The profiler's table, in the form in which Paddle 1.8.5 prints its own, and its timeline."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from refluid.errors import RefluidWarning
from refluid.paddle.fluid import dygraph, layers, profiler

# Paddle 1.8.5's, of a program in which nothing is computed
EMPTY = """
------------------------->     Profiling Report     <-------------------------

Place: {place}
Time unit: ms
Sorted by {order} in descending order in the same thread

Total time: 0
  Computation time       Total: 0           Ratio: 0%
  Framework overhead     Total: 0           Ratio: 0%

-------------------------     GpuMemCpy Summary     -------------------------

GpuMemcpy                Calls: 0           Total: 0           Ratio: 0%

-------------------------       Event Summary       -------------------------

{heads}
"""
HEADS = "Event   Calls       Total       Min.        Max.        Ave.        Ratio.      "
BOTH = (
    "Event   Calls       Total       CPU Time (Ratio)        GPU Time (Ratio)        "
    "Min.        Max.        Ave.        Ratio.      "
)


@pytest.fixture(autouse=True)
def _off_afterwards() -> Iterator[None]:
    yield
    if profiler._session is not None:
        profiler._session.watch.stop()
        profiler._session = None


def work(times: int = 3) -> None:
    """Train a Layer a little."""
    with dygraph.guard():
        linear = dygraph.Linear(4, 3)
        x = dygraph.to_variable(np.ones((2, 4), "float32"))
        for _ in range(times):
            layers.mean(layers.relu(linear(x))).backward()


def rows(text: str) -> dict[str, list[str]]:
    """Rows of the table by name, with their cells."""
    lines = text.partition("Event Summary")[2].splitlines()[3:]
    found = [re.match(r"(\s*\S+)\s+(.*)", line) for line in lines if line.strip()]
    return {match[1]: match[2].split() for match in found if match}


@pytest.mark.parametrize(
    ("state", "key", "place", "order", "heads"),
    [
        ("CPU", None, "CPU", "event first end time", HEADS),
        ("GPU", "calls", "CUDA", "number of calls", HEADS),
        ("All", "total", "All", "total time", BOTH),
    ],
)
def test_report_is_laid_out_as_paddles(
    state: str,
    key: str | None,
    place: str,
    order: str,
    heads: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # where there is a GPU, watching it is an event itself
    monkeypatch.setenv("REFLUID_DEVICE", "cpu")
    with profiler.profiler(state, key, str(tmp_path / "profile")) as given:
        assert given is None
    assert capfd.readouterr().out == EMPTY.format(place=place, order=order, heads=heads)


def test_operators_are_counted_forward_and_backward(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "profile"
    with profiler.profiler("CPU", "total", str(path)):
        work()
    table = rows(capfd.readouterr().out)
    for name in ("addmm", "mean", "AddmmBackward0", "MeanBackward0"):
        calls, total, low, high, average, _ = table[f"thread0::{name}"]
        assert calls == "3"
        assert 0 < float(low) <= float(average) <= float(high) < float(total)
    totals = [float(cells[1]) for cells in table.values()]
    assert totals == sorted(totals, reverse=True)
    assert sum(float(cells[-1]) for cells in table.values()) == pytest.approx(1, rel=1e-4)
    events = json.loads(path.read_text())["traceEvents"]
    assert sum(event["name"] == "aten::addmm" for event in events) == 3


@pytest.mark.parametrize(("key", "column"), [("calls", 0), ("min", 2), ("max", 3), ("ave", 4)])
def test_table_is_sorted(
    key: str, column: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with profiler.profiler("CPU", key, str(tmp_path / "profile")):
        work()
    values = [float(cells[column]) for cells in rows(capfd.readouterr().out).values()]
    assert len(values) > 5
    assert values == sorted(values, reverse=True)


def test_details_show_what_operators_call(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tables = {}
    for option in ("Default", "OpDetail", "AllOpDetail"):
        with profiler.profiler("CPU", None, str(tmp_path / "profile"), option):
            work()
        tables[option] = rows(capfd.readouterr().out)
    deepest = {option: max(name.count("/") for name in table) for option, table in tables.items()}
    assert deepest["Default"] == 0
    assert deepest["OpDetail"] == 1
    assert deepest["AllOpDetail"] > 1
    assert tables["OpDetail"]["  thread0::mean/sum"][0] == "3"
    assert list(tables["Default"]) == [name for name in tables["OpDetail"] if name[0] != " "]


def test_reset_forgets(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    profiler.start_profiler("CPU")
    work(2)
    profiler.reset_profiler()
    work(1)
    profiler.stop_profiler("total", str(tmp_path / "profile"))
    assert rows(capfd.readouterr().out)["thread0::addmm"][0] == "1"


def test_starting_twice_keeps_the_first(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    profiler.start_profiler("GPU")
    profiler.start_profiler("CPU")
    profiler.stop_profiler(profile_path=str(tmp_path / "profile"))
    assert "Place: CUDA" in capfd.readouterr().out


def test_without_a_start_nothing_happens(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    profiler.reset_profiler()
    profiler.stop_profiler("nonsense", str(tmp_path / "profile"))
    assert capfd.readouterr().out == ""
    assert not list(tmp_path.iterdir())


def test_an_error_inside_ends_watching(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), profiler.profiler("CPU", None, str(tmp_path / "profile")):
        raise KeyError
    assert "Profiling Report" in capfd.readouterr().out
    assert profiler._session is None


def test_timeline_that_cannot_be_written_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    profiler.start_profiler("CPU")
    with pytest.warns(RefluidWarning, match="cannot be written to `profile_path`"):
        profiler.stop_profiler(None, str(tmp_path / "none" / "profile"))
    assert "Profiling Report" in capfd.readouterr().out


def test_wrong_arguments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`state` must be 'CPU', 'GPU' or 'All'"):
        profiler.start_profiler("XPU")
    with pytest.raises(ValueError, match="`tracer_option` must be 'Default'"):
        profiler.start_profiler("CPU", "Detail")
    with (
        pytest.raises(ValueError, match="`sorted_key` must be None"),
        profiler.profiler("CPU", "time", str(tmp_path / "profile")),
    ):
        pass
    assert profiler._session is None
    profiler.start_profiler("CPU")
    with pytest.raises(ValueError, match="`sorted_key` must be None"):
        profiler.stop_profiler("time", str(tmp_path / "profile"))
    assert profiler._session is not None
