"""Curves of a run as a picture: one panel for each quantity, one line for each part of the data.

Matplotlib is an extra and slow to load, so it is loaded when a picture is drawn; without pyplot,
so that nothing of the program's own figures, backend or styles is touched.
May import: errors; matplotlib when it is called.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from refluid.errors import RefluidError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Curve", "Panel", "can_draw", "draw_panels"]

# Readable in print and for the colour-blind (Okabe and Ito, 2008).
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_GRAY = "#666666"
_MAX_MARKERS = 60


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line: `y` over `x`.

    Args:
        label: what it shows; its last value is written beside it.
        x: where the points are, usually epochs.
        y: as many values.
        x_noise: where the points of a finer curve are, drawn thin behind this one.
        y_noise: as many values.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    x_noise: Sequence[float] = ()
    y_noise: Sequence[float] = ()

    def __post_init__(self) -> None:
        for x, y in ((self.x, self.y), (self.x_noise, self.y_noise)):
            if len(x) != len(y):
                raise ValueError(
                    f"`x` and `y` of curve {self.label!r} must be of one length, but are of "
                    f"lengths {len(x)} and {len(y)}."
                )


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A pair of axes with curves in it.

    Args:
        title: what the curves measure.
        curves: at most four.
        x_label: what is along the horizontal axis.
        percent: the values are shares, to be shown as percentages.
        logarithmic: every value is above 0, and ratios matter rather than differences.
    """

    title: str
    curves: Sequence[Curve]
    x_label: str = "epoch"
    percent: bool = False
    logarithmic: bool = False


def can_draw() -> bool:
    """Return whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_panels(path: str | Path, title: str, panels: Sequence[Panel]) -> None:
    """Draw panels side by side.

    Args:
        path: the picture to write; its ending says the format, such as `.png`.
        title: stands above all panels.
        panels: from left to right.

    Raises:
        RefluidError: matplotlib is not installed, or the file cannot be written.

    Effects:
        Writes `path`.
    """
    if not can_draw():
        raise RefluidError(
            f"{path} cannot be drawn without matplotlib: pip install 'refluid[plot]'"
        )
    # an extra, and slow to load
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4 * len(panels), 4.0), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_panel(axes, panel)
    try:
        figure.savefig(path)
    except OSError as error:
        raise RefluidError(f"{path} cannot be written: {error.strerror or error}.") from None


def _draw_panel(axes: Axes, panel: Panel) -> None:
    # too heavy for the top of the file, as above
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for curve, color in zip(panel.curves, _COLORS, strict=False):
        axes.plot(curve.x_noise, curve.y_noise, color=color, linewidth=0.8, alpha=0.4, zorder=1)
        marker = "o" if len(curve.x) <= _MAX_MARKERS else None
        label = f"{curve.label}: {_text(curve.y[-1], panel)}" if curve.y else curve.label
        axes.plot(
            curve.x, curve.y, color=color, linewidth=1.8, marker=marker, markersize=3.5, label=label
        )
    if panel.percent:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    _scale(axes, panel)
    axes.set_title(panel.title, fontsize=10, loc="left")
    axes.set_xlabel(panel.x_label)
    axes.grid(True, linewidth=0.5, alpha=0.35)
    axes.tick_params(colors=_GRAY, labelsize=8, which="both")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if panel.curves:
        axes.legend(frameon=False, fontsize=9)


def _scale(axes: Axes, panel: Panel) -> None:
    """Show the range of the curves themselves; the noise around them may leave it."""
    # too heavy for the top of the file, as above
    from matplotlib.ticker import FuncFormatter, NullFormatter

    lowest = 0.0 if panel.logarithmic else -math.inf
    # a run that failed has values that are not finite, and still deserves its picture
    values = [v for curve in panel.curves for v in curve.y if lowest < v < math.inf]
    if not values:
        return
    low, high = min(values), max(values)
    if panel.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(low / 2, high * 2)
    else:
        margin = 0.08 * (high - low) or 0.01
        axes.set_ylim(low - margin, high + margin)


def _text(value: float, panel: Panel) -> str:
    return f"{100 * value:.1f}%" if panel.percent else f"{value:.4f}"
