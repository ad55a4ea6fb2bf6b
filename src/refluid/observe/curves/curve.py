"""Curves as a picture: panels side by side, in each some lines, a table of them below.

Matplotlib is an extra and slow to load, so it is loaded when a picture is drawn; without pyplot,
so that nothing of the program's own figures, backend or styles is touched.
May import: errors, numpy, observe; matplotlib when it is called.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from refluid.errors import RefluidError
from refluid.observe.printable import printable

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Curve", "Panel", "can_draw", "draw_panels"]

# Readable in print and for the colour-blind (Okabe and Ito, 2008).
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_MARKERS = "osD^vP"
_GRAY = "#666666"
_MAX_MARKERS = 60
_MAX_COLUMNS = 3
# longer labels stand below each other
_MAX_BESIDE = 22
_WIDTH_INCHES, _HEIGHT_INCHES, _LINE_INCHES = 5.4, 4.0, 0.19
# what more than a factor of 30 lies between is seen on a logarithmic axis only
_DECADES = 1.5
# fonts with Chinese letters, where one is installed
_CHINESE = (
    "Noto Sans CJK",
    "Source Han Sans",
    "WenQuanYi",
    "SimHei",
    "Microsoft YaHei",
    "PingFang",
)


Numbers = Sequence[float] | NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line: `y` over `x`.

    Args:
        label: what it shows; its last value is written beside it.
        x: where the points are, rising.
        y: as many values. Where one is not finite, the line has a gap.
        x_noise: where the points of a finer curve are, drawn thin behind this one.
        y_noise: as many values.
        color: a number; the same in all panels for what belongs together.
        dashed: draw it so. It stands to the right of the curve before it in the table below.
        marks: where something begins again; a triangle at the bottom of the panel.
        odd: where a value is not finite; a cross at the top of the panel.
    """

    label: str
    x: Numbers
    y: Numbers
    x_noise: Numbers = ()
    y_noise: Numbers = ()
    color: int = 0
    dashed: bool = False
    marks: Numbers = ()
    odd: Numbers = ()

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

    The vertical axis is logarithmic where all values are above 0 and spread so far that nothing
    would be seen otherwise.

    Args:
        title: what the curves measure.
        curves: any number.
        x_label: what is along the horizontal axis.
        note: stands small above the panel, to the right.
        percent: the values are shares, to be shown as percentages.
    """

    title: str
    curves: Sequence[Curve]
    x_label: str = "epoch"
    note: str = ""
    percent: bool = False


def can_draw() -> bool:
    """Return whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_panels(
    path: str | Path, title: str, panels: Sequence[Panel], mark: str = "resumed"
) -> None:
    """Draw panels side by side, three in a row.

    Args:
        path: the picture to write; its ending says the format, such as `.png`.
        title: stands above all panels.
        panels: at least one.
        mark: what the marks of the curves mean.

    Raises:
        RefluidError: matplotlib is not installed, the ending is not that of a picture, or the file
            cannot be written.

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

    num_rows = -(-len(panels) // _MAX_COLUMNS)
    num_columns = -(-len(panels) // num_rows)
    num_lines = max(_num_lines(panel.curves) for panel in panels)
    height = _HEIGHT_INCHES + _LINE_INCHES * max(0, num_lines - 2)
    size = (_WIDTH_INCHES * num_columns, height * num_rows)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    endings = FigureCanvasAgg(figure).get_supported_filetypes()
    if Path(path).suffix[1:].lower() not in endings:
        raise RefluidError(
            f"{path} has no ending that is known of pictures: let it end in .png, .svg or .pdf."
        )
    with _fonts():
        _fill(figure, (num_rows, num_columns), title, panels, mark)
        engine = figure.get_layout_engine()
        assert engine is not None
        engine.execute(figure)
        # once is enough; while there is an engine, saving has all laid out twice, and drawn twice
        figure.set_layout_engine(None)
        try:
            figure.savefig(path)
        except OSError as error:
            raise RefluidError(f"{path} cannot be written: {error.strerror or error}.") from None


@contextlib.contextmanager
def _fonts() -> Iterator[None]:
    """Have Chinese letters drawn where there is a font for them, and as boxes where not."""
    # extras, as above
    from matplotlib import rc_context
    from matplotlib.font_manager import fontManager

    installed = sorted({font.name for font in fontManager.ttflist})
    chinese = [name for name in installed if name.startswith(_CHINESE)][:1]
    with warnings.catch_warnings(), rc_context({"font.family": ["DejaVu Sans", *chinese]}):
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def _fill(
    figure: Figure, shape: tuple[int, int], title: str, panels: Sequence[Panel], mark: str
) -> None:
    figure.suptitle(_plain(title), fontsize=11, x=0.01, ha="left")
    places = figure.subplots(*shape, squeeze=False).ravel()
    for axes, panel in zip(places, panels, strict=False):
        _draw_panel(axes, panel, mark)
    for axes in places[len(panels) :]:
        axes.set_visible(False)


def _draw_panel(axes: Axes, panel: Panel, mark: str) -> None:
    # too heavy for the top of the file, as above
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    lines = [_draw_curve(axes, curve) for curve in panel.curves]
    if panel.percent:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    _scale(axes, panel)
    axes.set_title(_plain(panel.title), fontsize=10, loc="left")
    axes.set_title(_plain(panel.note), fontsize=8, loc="right", color=_GRAY)
    axes.set_xlabel(panel.x_label, fontsize=9, color=_GRAY)
    axes.grid(True, linewidth=0.5, alpha=0.35)
    axes.tick_params(colors=_GRAY, labelsize=8, which="both")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    _draw_legend(axes, panel, lines, _draw_marks(axes, panel.curves, mark))


def _draw_curve(axes: Axes, curve: Curve) -> Artist:
    color = _COLORS[curve.color % len(_COLORS)]
    # further runs have the same colors and other markers
    marker = _MARKERS[curve.color // len(_COLORS) % len(_MARKERS)]
    axes.plot(curve.x_noise, curve.y_noise, color=color, linewidth=0.7, alpha=0.3, zorder=1)
    values = np.where(np.isfinite(curve.y), curve.y, np.nan)
    few = len(values) <= _MAX_MARKERS
    (line,) = axes.plot(
        curve.x,
        values,
        color=color,
        linewidth=1.7,
        linestyle="--" if curve.dashed and len(values) > 1 else "-",
        marker=marker if few or curve.color >= len(_COLORS) else None,
        markevery=1 if few else max(1, len(values) // 12),
        markersize=3.5,
    )
    return line


def _draw_marks(axes: Axes, curves: Sequence[Curve], mark: str) -> list[tuple[Artist, str]]:
    """Draw what is marked at the edges of a panel; return what the marks mean."""
    # too heavy for the top of the file, as above
    from matplotlib.lines import Line2D

    meanings: list[tuple[Artist, str]] = []
    for marker, meaning, height, places in (
        ("^", mark, 0.018, [curve.marks for curve in curves]),
        ("x", "not finite", 0.982, [curve.odd for curve in curves]),
    ):
        for curve, x in zip(curves, places, strict=True):
            # an empty line that is not clipped takes room at the picture's corner
            if len(x):
                axes.plot(
                    x,
                    np.full(len(x), height),
                    color=_COLORS[curve.color % len(_COLORS)],
                    linestyle="",
                    marker=marker,
                    markersize=5,
                    transform=axes.get_xaxis_transform(),
                    clip_on=False,
                    zorder=5,
                )
        if any(len(x) for x in places):
            shown = Line2D([], [], color=_GRAY, linestyle="", marker=marker, markersize=5)
            meanings.append((shown, meaning))
    return meanings


def _rows(curves: Sequence[Curve]) -> list[list[int]]:
    """Return the rows of the table below a panel: which curves stand beside each other."""
    if any(len(curve.label) > _MAX_BESIDE for curve in curves):
        return [[index] for index in range(len(curves))]
    if not any(curve.dashed for curve in curves):
        return [list(range(len(curves)))[k : k + 2] for k in range(0, len(curves), 2)]
    rows: list[list[int]] = []
    for index, curve in enumerate(curves):
        if curve.dashed and rows and len(rows[-1]) == 1:
            rows[-1].append(index)
        else:
            rows.append([index])
    return rows


def _num_lines(curves: Sequence[Curve]) -> int:
    """Return how high the table below a panel is."""
    has_marks = any(len(curve.marks) + len(curve.odd) for curve in curves)
    return len(_rows(curves)) + has_marks


def _draw_legend(
    axes: Axes, panel: Panel, lines: Sequence[Artist], meanings: Sequence[tuple[Artist, str]]
) -> None:
    # too heavy for the top of the file, as above
    from matplotlib.lines import Line2D

    nothing = (Line2D([], [], linestyle=""), "")
    entries = [(line, _labelled(c, panel)) for line, c in zip(lines, panel.curves, strict=True)]
    rows = [[entries[index] for index in row] for row in _rows(panel.curves)]
    num_columns = max((len(row) for row in rows), default=2)
    rows += [list(meanings[k : k + num_columns]) for k in range(0, len(meanings), num_columns)]
    if not rows:
        return
    # Matplotlib fills one column after the other
    columns = itertools.zip_longest(*rows, fillvalue=nothing)
    handles, labels = zip(*itertools.chain.from_iterable(columns), strict=True)
    axes.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(-0.02, -0.15),
        borderaxespad=0.0,
        ncols=num_columns,
        frameon=False,
        fontsize=8.5,
    )


def _scale(axes: Axes, panel: Panel) -> None:
    """Choose what is shown of the vertical axis."""
    # too heavy for the top of the file, as above
    from matplotlib.ticker import FuncFormatter, NullFormatter

    # a run that failed has values that are not finite, and still deserves its picture
    values = _finite([curve.y for curve in panel.curves])
    noise = _finite([curve.y_noise for curve in panel.curves])
    if not len(values) + len(noise):
        return
    low, high = _extent(np.concatenate([values, noise]))
    if not panel.percent and 0 < low < high / 10**_DECADES:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(low / 1.3, high * 1.3)
        return
    # some single steps far from all others would leave no room for the rest
    usual = _extent(np.concatenate([values, np.percentile(noise, (1, 99)) if len(noise) else []]))
    if high - low > 10 * (usual[1] - usual[0]) > 0:
        low, high = usual
    margin = 0.06 * (high - low) or 0.01 * max(abs(high), 1.0)
    if math.isfinite(margin):
        axes.set_ylim(low - margin, high + margin)


def _finite(series: Sequence[Numbers]) -> NDArray[np.float64]:
    values = np.concatenate([np.zeros(0), *(np.asarray(each, np.float64) for each in series)])
    return values[np.isfinite(values)]


def _extent(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _labelled(curve: Curve, panel: Panel) -> str:
    label = _plain(curve.label)
    if not len(curve.y):
        return f"{label}: nothing"
    value = float(curve.y[-1])
    return f"{label}: {100 * value:.1f}%" if panel.percent else f"{label}: {value:.4g}"


def _plain(text: str) -> str:
    """Return a text that Matplotlib takes for nothing but a text."""
    # a formula stands between dollars, and labels that begin with a line are left out
    shown = printable(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown
