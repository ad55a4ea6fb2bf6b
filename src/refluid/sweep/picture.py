"""A sweep as a picture: the metric over each option that was tried, the winner marked.

Matplotlib is an extra and slow to load, so it is loaded when a picture is drawn; without pyplot,
so that nothing of the program's own figures, backend or styles is touched.
May import: errors, observe.curves.curve, sweep; matplotlib when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from refluid.errors import RefluidError
from refluid.observe.curves.curve import can_draw
from refluid.sweep.ledger import COMPLETE, FAILED, Plan, Trial
from refluid.sweep.space import Parameter, Range

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_sweep"]

# Readable in print and for the colour-blind (Okabe and Ito, 2008).
_BLUE, _ORANGE = "#0072b2", "#d55e00"
_GRAY = "#666666"
_MAX_COLUMNS = 3
# a metric that spans so much is a loss that has blown up somewhere
_WIDE = 30
_MAX_LABEL = 16
_MARGIN = 0.06
# what an axis can hold; values beyond are drawn at its edge
_MAX_HEIGHT = 1e100
# whole numbers up to there are written out on an axis
_MAX_WRITTEN = 100_000


def draw_sweep(path: Path, plan: Plan, trials: Sequence[Trial]) -> bool:
    """Draw one panel for each option.

    Args:
        path: the picture to write; its ending says the format, such as `.png`.
        plan: of the sweep.
        trials: at least one of which is complete.

    Returns:
        Whether it was drawn: False where matplotlib is not installed.

    Raises:
        RefluidError: the file cannot be written.

    Effects:
        Writes `path`.
    """
    if not can_draw():
        return False
    # an extra, and slow to load
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    num_columns = min(len(plan.parameters), _MAX_COLUMNS)
    num_rows = -(-len(plan.parameters) // num_columns)
    size = (max(4.2 * num_columns, 6.0), 3.6 * num_rows + 0.4)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(_title(plan, trials), fontsize=10, x=0.01, ha="left", parse_math=False)
    grid = figure.subplots(num_rows, num_columns, squeeze=False, sharey=True).ravel()
    for axes, parameter in zip(grid, plan.parameters, strict=False):
        _draw_panel(axes, parameter, plan, trials)
    for axes in grid[::num_columns]:
        axes.set_ylabel(plan.metric, parse_math=False)
    for axes in grid[len(plan.parameters) :]:
        axes.set_axis_off()
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3, frameon=False, fontsize=8)
    try:
        figure.savefig(path)
    except OSError as error:
        raise RefluidError(f"{path} cannot be written: {error.strerror or error}.") from None
    return True


def _title(plan: Plan, trials: Sequence[Trial]) -> str:
    best = plan.ranked(trials)[0]
    values = ", ".join(f"{name} {_cut(value)}" for name, value in best.values.items())
    return f"{plan.metric} {best.value:.6g} with {values}: the best of {len(trials)} trials"


def _draw_panel(axes: Axes, parameter: Parameter, plan: Plan, trials: Sequence[Trial]) -> None:
    complete = [trial for trial in trials if trial.state == COMPLETE]
    winner = plan.ranked(complete)[0]
    values = [_height(trial) for trial in complete]
    places = [_place(parameter, trial) for trial in complete]
    axes.plot(
        places, values, "o", color=_BLUE, markersize=6, alpha=0.65, markeredgewidth=0, label="trial"
    )
    axes.plot(
        [_place(parameter, winner)],
        [_height(winner)],
        "*",
        color=_ORANGE,
        markersize=15,
        markeredgecolor="white",
        label=f"the best: trial {winner.number}",
    )
    failed = [_place(parameter, trial) for trial in trials if trial.state == FAILED]
    if failed:
        # at the edge where the bad ones are, as they have no value
        height = 0.98 if plan.minimize else 0.02
        edge = axes.get_xaxis_transform()
        axes.plot(failed, [height] * len(failed), "x", color=_GRAY, transform=edge, label="failed")
    if plan.minimize and min(values) > 1 / _MAX_HEIGHT and max(values) > _WIDE * min(values):
        axes.set_ylim(_around(min(values), max(values), log=True))
        axes.set_yscale("log")
    _scale(axes, parameter)
    axes.set_xlabel(parameter.name, parse_math=False)
    axes.grid(True, linewidth=0.5, alpha=0.35)
    axes.tick_params(colors=_GRAY, labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _place(parameter: Parameter, trial: Trial) -> float:
    text = trial.values[parameter.name]
    return float(text) if isinstance(parameter, Range) else parameter.values.index(text)


def _height(trial: Trial) -> float:
    return max(-_MAX_HEIGHT, min(trial.value or 0.0, _MAX_HEIGHT))


def _around(low: float, high: float, log: bool) -> tuple[float, float]:
    """Return the limits of an axis that leave a margin around a range."""
    if not log:
        margin = _MARGIN * (high - low)
        return low - margin, high + margin
    factor = (high / low) ** _MARGIN
    return low / factor, high * factor


def _scale(axes: Axes, parameter: Parameter) -> None:
    """Show the whole range that was tried, whatever was proposed."""
    # too heavy for the top of the file, as above
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    if not isinstance(parameter, Range):
        labels = [_cut(value) for value in parameter.values]
        wide = sum(map(len, labels)) > 2 * _MAX_LABEL
        turned = {"rotation": 30, "ha": "right"} if wide else {}
        axes.set_xticks(range(len(labels)), labels, parse_math=False, **turned)
        axes.set_xlim(-0.5, len(labels) - 0.5)
        return
    low, high = float(parameter.low), float(parameter.high)
    axes.set_xlim(_around(low, high, parameter.log))
    if parameter.log:
        axes.set_xscale("log")
        few = high / low < 10
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=parameter.whole))
    if parameter.log or parameter.whole:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))


def _number(value: float) -> str:
    return f"{value:.0f}" if 1 <= value < _MAX_WRITTEN and value == int(value) else f"{value:g}"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_LABEL else f"{text[: _MAX_LABEL - 3]}..."
