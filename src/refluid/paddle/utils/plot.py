"""`Ploter`: curves drawn with matplotlib, into a file or a notebook.

May import: refluid.env; matplotlib and IPython where they are needed.
"""

from __future__ import annotations

from refluid import env

__all__ = ["PlotData", "Ploter"]


class PlotData:
    """The points of one curve. Same as Paddle 1.8."""

    def __init__(self) -> None:
        self.step: list[float] = []
        self.value: list[float] = []

    def append(self, step: float, value: float) -> None:
        """Add a point."""
        self.step.append(step)
        self.value.append(value)

    def reset(self) -> None:
        """Forget all points."""
        self.step, self.value = [], []


class Ploter:
    """Draw curves.

    Differs from Paddle: IPython is only needed to draw in a notebook.

    Args:
        *args: titles of the curves.

    Raises:
        ImportError: matplotlib is not installed, and the variable DISABLE_PLOT is not `True`.
    """

    def __init__(self, *args: str) -> None:
        self.__args__ = args
        self.__plot_data__ = {title: PlotData() for title in args}
        self._disabled = env.plots_disabled()
        if self._disabled:
            return
        try:
            import matplotlib.pyplot  # optional, and slow to load
        except ImportError:
            raise ImportError(
                "paddle.utils.Ploter draws with matplotlib: pip install matplotlib, or set "
                "DISABLE_PLOT=True to draw nothing."
            ) from None
        self.plt = matplotlib.pyplot

    def append(self, title: str, step: float, value: float) -> None:
        """Add a point to a curve.

        Args:
            title: the curve's.
            step: where, from left to right.
            value: how high.

        Raises:
            AssertionError: there is no curve of that title.
        """
        assert title in self.__plot_data__, (
            f"`title` must be one of {', '.join(map(repr, self.__args__))}, but is {title!r}."
        )
        self.__plot_data__[title].append(step, value)

    def plot(self, path: str | None = None) -> None:
        """Draw all curves that have points, and clear the figure.

        Args:
            path: the file to draw into; by default the notebook.

        Raises:
            ImportError: there is no `path` and IPython is not installed.
        """
        if self._disabled:
            return
        titles = [title for title in self.__args__ if self.__plot_data__[title].step]
        for title in titles:
            self.plt.plot(self.__plot_data__[title].step, self.__plot_data__[title].value)
        self.plt.legend(titles, loc="upper left")
        figure = self.plt.gcf()
        try:
            if path is None:
                _show(figure)
            else:
                figure.savefig(path)
        finally:
            figure.clear()

    def reset(self) -> None:
        """Forget all points."""
        for data in self.__plot_data__.values():
            data.reset()


def _show(figure: object) -> None:
    try:
        from IPython import display  # optional: only notebooks need it
    except ImportError:
        raise ImportError(
            "Ploter.plot() draws in a notebook and needs IPython; elsewhere, give it a `path`."
        ) from None
    display.clear_output(wait=True)
    display.display(figure)
