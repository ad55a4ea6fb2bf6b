"""`fluid.profiler`: where the time goes, as Paddle's table of operators.

torch.profiler watches; what it saw is put together here, in the form that Paddle prints. The rows
are torch's operators, forward and backward, since those are what runs. Beside the table, the
timeline is written to `profile_path` in the format of Chrome's trace viewer (chrome://tracing,
ui.perfetto.dev), in place of Paddle's own, which needs a program of Paddle's to be read.
May import: torch, errors, core_avx.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch.profiler import ProfilerActivity, profile

from refluid.errors import RefluidWarning
from refluid.paddle.fluid import core_avx

__all__ = ["profiler", "reset_profiler", "start_profiler", "stop_profiler"]

_PLACES = {"CPU": "CPU", "GPU": "CUDA", "All": "All"}
_OPTIONS = ("Default", "OpDetail", "AllOpDetail")
_ORDERS = {
    "default": "event first end time",
    "calls": "number of calls",
    "total": "total time",
    "max": "maximum time",
    "min": "minimum time",
    "ave": "average time",
}
_DEFAULT_PATH = "/tmp/profile"
_BACKWARD = "autograd::engine::evaluate_function: "
_WIDTH = 12


@dataclass
class _Row:
    """What is known of one kind of event: its calls in milliseconds, and the kinds inside it."""

    first_end: float = float("inf")
    times: list[float] = field(default_factory=list)
    on_cpu: float = 0.0
    on_gpu: float = 0.0
    inside: dict[str, _Row] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(self.times)


@dataclass(frozen=True)
class _Session:
    """Profiling that is going on."""

    watch: profile
    state: str
    tracer_option: str


_session: _Session | None = None


def start_profiler(state: str, tracer_option: str = "Default") -> None:
    """Begin to watch operators; nothing happens if that is going on already.

    Same as Paddle 1.8.

    Args:
        state: "CPU"; "GPU" to count what runs there by its time there; "All" for both times.
        tracer_option: how far the table goes into operators: "Default", the outermost alone;
            "OpDetail", with those that they call; "AllOpDetail", with everything.

    Raises:
        ValueError: `state` or `tracer_option` is something else.
    """
    global _session
    if state not in _PLACES:
        raise ValueError(f"`state` must be 'CPU', 'GPU' or 'All', but received {state!r}.")
    if tracer_option not in _OPTIONS:
        raise ValueError(
            f"`tracer_option` must be 'Default', 'OpDetail' or 'AllOpDetail', but received "
            f"{tracer_option!r}."
        )
    if _session is None:
        _session = _Session(_watch(state), state, tracer_option)


def reset_profiler() -> None:
    """Forget what was seen so far. Same as Paddle 1.8."""
    global _session
    if _session is not None:
        _session.watch.stop()
        _session = _Session(_watch(_session.state), _session.state, _session.tracer_option)


def stop_profiler(sorted_key: str | None = None, profile_path: str = _DEFAULT_PATH) -> None:
    """Stop watching, print the table, and write the timeline; nothing happens without a start.

    Differs from Paddle: the table lists torch's operators, in the dynamic graph too, for which
    Paddle's is empty; the timeline is one for Chrome's trace viewer.

    Args:
        sorted_key: the largest first by "calls", "total", "max", "min" or "ave"; None for the
            order in which events ended first.
        profile_path: the file for the timeline. A RefluidWarning says where it cannot be written.

    Raises:
        ValueError: `sorted_key` is something else; watching goes on.
    """
    global _session
    if _session is None:
        return
    order = _order(sorted_key)
    session, _session = _session, None
    session.watch.stop()
    sys.stdout.write(_report(session, order))
    sys.stdout.flush()
    try:
        Path(profile_path).touch()
        session.watch.export_chrome_trace(str(profile_path))
    except OSError as error:
        warnings.warn(
            f"the timeline cannot be written to `profile_path` {profile_path}: {error.strerror}.",
            RefluidWarning,
            stacklevel=2,
        )


@contextmanager
def profiler(
    state: str,
    sorted_key: str | None = None,
    profile_path: str = _DEFAULT_PATH,
    tracer_option: str = "Default",
) -> Iterator[None]:
    """Watch operators within the block; see `start_profiler` and `stop_profiler`.

    Differs from Paddle: where the block raises, watching ends too.

    Raises:
        ValueError: an argument is none of those that they name.
    """
    _order(sorted_key)
    start_profiler(state, tracer_option)
    try:
        yield
    finally:
        stop_profiler(sorted_key, profile_path)


def _watch(state: str) -> profile:
    """Return a profiler of torch's, running."""
    activities = [ProfilerActivity.CPU]
    if state != "CPU" and core_avx.is_compiled_with_cuda():
        activities.append(ProfilerActivity.CUDA)
    watch = profile(activities=activities)
    watch.start()
    return watch


def _order(sorted_key: str | None) -> str:
    """Return the order that `sorted_key` asks for."""
    order = "default" if sorted_key is None else sorted_key
    if order not in _ORDERS:
        raise ValueError(
            f"`sorted_key` must be None, 'calls', 'total', 'max', 'min' or 'ave', but received "
            f"{sorted_key!r}."
        )
    return order


# --- what was seen ------------------------------------------------------------------------------


def _report(session: _Session, order: str) -> str:
    """Return Paddle's text about what was seen."""
    events: Sequence[Any] = session.watch.events() or ()
    on_cpu = [event for event in events if event.device_type.name == "CPU"]
    rows = _collect(on_cpu, session)
    total = sum(row.total for row in rows.values())
    computing = _computing(rows)
    copies = [event for event in events if event.name.startswith("Memcpy")]
    copying = sum(event.time_range.elapsed_us() for event in copies) / 1000
    return "\n".join(
        [
            "",
            "------------------------->     Profiling Report     <-------------------------",
            "",
            f"Place: {_PLACES[session.state]}",
            "Time unit: ms",
            f"Sorted by {_ORDERS[order]} in descending order in the same thread",
            "",
            f"Total time: {total:g}",
            "  Computation time       " + _share(computing, total),
            "  Framework overhead     " + _share(total - computing, total),
            "",
            "-------------------------     GpuMemCpy Summary     -------------------------",
            "",
            f"GpuMemcpy                Calls: {len(copies):<12}" + _share(copying, total),
            "",
            "-------------------------       Event Summary       -------------------------",
            "",
            *_table(rows, session, order, total),
            "",
        ]
    )


def _collect(events: Sequence[Any], session: _Session) -> dict[str, _Row]:
    """Put events of one kind together, within the kinds that they ran inside of."""
    rows: dict[str, _Row] = {}
    threads: dict[int, str] = {}
    # the rows that an event's own children belong to; parents come before their children
    places: dict[int, dict[str, _Row]] = {}
    names: dict[int, str] = {}
    for event in sorted(events, key=lambda event: event.time_range.start):
        parent = event.cpu_parent
        name = _name(event.name)
        if parent is None or id(parent) not in places:
            thread = threads.setdefault(event.thread, f"thread{len(threads)}")
            home, label = rows, f"{thread}::{name}"
        elif name == _name(parent.name):
            # the same operator seen twice, by the engine and by itself
            places[id(event)], names[id(event)] = places[id(parent)], names[id(parent)]
            continue
        else:
            home, label = places[id(parent)], f"{names[id(parent)]}/{name}"
        row = home.setdefault(label, _Row())
        _add(row, event, session.state)
        places[id(event)], names[id(event)] = row.inside, label
    return rows


def _name(name: str) -> str:
    """Return torch's name of an operator without where it comes from."""
    return name.removeprefix(_BACKWARD).rpartition("::")[2]


def _add(row: _Row, event: Any, state: str) -> None:
    """Count one event."""
    cpu, gpu = event.cpu_time_total / 1000, event.device_time_total / 1000
    row.first_end = min(row.first_end, event.time_range.end)
    row.on_cpu += cpu
    row.on_gpu += gpu
    row.times.append({"CPU": cpu, "GPU": gpu or cpu, "All": cpu + gpu}[state])


def _computing(rows: dict[str, _Row]) -> float:
    """Return the time of the innermost events, which compute; the others only lead there."""
    return sum(_computing(row.inside) if row.inside else row.total for row in rows.values())


# --- the table ----------------------------------------------------------------------------------


def _table(rows: dict[str, _Row], session: _Session, order: str, total: float) -> Iterator[str]:
    """Yield the lines of the table of events."""
    depth = {"Default": 1, "OpDetail": 2, "AllOpDetail": sys.maxsize}[session.tracer_option]
    listed = list(_listed(rows, _KEYS[order], depth, ""))
    width = max((len(label) for label, _ in listed), default=0) + 8
    both = session.state == "All"
    times = "".join(f"{head:<24}" for head in ("CPU Time (Ratio)", "GPU Time (Ratio)"))
    heads = "".join(f"{head:<{_WIDTH}}" for head in ("Min.", "Max.", "Ave.", "Ratio."))
    first = f"{'Event':<{width}}{'Calls':<{_WIDTH}}{'Total':<{_WIDTH}}"
    yield first + (times if both else "") + heads
    for label, row in listed:
        cells = [len(row.times), row.total]
        line = f"{label:<{width}}" + "".join(_cell(value) for value in cells)
        if both:
            spent = row.on_cpu + row.on_gpu
            for part in (row.on_cpu, row.on_gpu):
                line += f"{f'{part:g} ({_ratio(part, spent):g})':<24}"
        average = row.total / len(row.times)
        cells = [min(row.times), max(row.times), average, _ratio(row.total, total)]
        yield line + "".join(_cell(value) for value in cells)


def _listed(
    rows: dict[str, _Row], key: Callable[[_Row], float], depth: int, indent: str
) -> Iterator[tuple[str, _Row]]:
    """Yield rows with their labels, those inside of each after it, as deep as asked for."""
    if depth == 0:
        return
    for label, row in sorted(rows.items(), key=lambda item: key(item[1])):
        yield indent + label, row
        yield from _listed(row.inside, key, depth - 1, indent + "  ")


_KEYS: dict[str, Callable[[_Row], float]] = {
    "default": lambda row: row.first_end,
    "calls": lambda row: -len(row.times),
    "total": lambda row: -row.total,
    "max": lambda row: -max(row.times),
    "min": lambda row: -min(row.times),
    "ave": lambda row: -row.total / len(row.times),
}


def _cell(value: float) -> str:
    """Return a number as C++ streams write it, in its column."""
    return f"{value:<{_WIDTH}g}"


def _share(part: float, total: float) -> str:
    """Return a time, and how much of the whole it is."""
    return f"Total: {part:<11g} Ratio: {100 * _ratio(part, total):g}%"


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
