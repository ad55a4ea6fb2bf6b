"""`Ploter` draws into files without a screen, and needs nothing that it does not use."""

from __future__ import annotations

import pytest

from refluid.paddle.utils import Ploter
from refluid.paddle.utils.plot import PlotData

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture
def curves(monkeypatch):
    monkeypatch.delenv("DISABLE_PLOT", raising=False)
    ploter = Ploter("train", "test")
    yield ploter
    ploter.plt.close("all")


def test_curves_with_points_are_drawn_and_named(curves, tmp_path):
    curves.append("train", 0, 3.0)
    curves.append("train", 1, 2.5)
    for name in ("a.svg", "b.svg"):
        curves.plot(str(tmp_path / name))
        drawing = (tmp_path / name).read_text()
        # the titles in the legend, and the curve beside its sample there; nothing is drawn twice
        assert ("<!-- train -->" in drawing, "<!-- test -->" in drawing) == (True, False)
        assert drawing.count("stroke: #1f77b4") == 2
        assert "stroke: #ff7f0e" not in drawing
    assert curves.plt.gcf().axes == []


def test_points_stay_until_they_are_reset(curves):
    curves.append("test", 2, 0.5)
    data = curves.__plot_data__["test"]
    assert (data.step, data.value) == ([2], [0.5])
    curves.reset()
    assert (data.step, data.value) == ([], [])
    assert isinstance(data, PlotData)


def test_unknown_curve_is_named(curves):
    with pytest.raises(AssertionError, match=r"`title` must be one of 'train', 'test', .* 'valid'"):
        curves.append("valid", 0, 1)


def test_notebook_shows_the_figure(curves, capsys):
    pytest.importorskip("IPython")
    curves.append("train", 0, 3.0)
    curves.plot()
    assert "Figure" in capsys.readouterr().out


def test_nothing_is_drawn_where_plots_are_disabled(tmp_path, monkeypatch):
    monkeypatch.setenv("DISABLE_PLOT", "True")
    ploter = Ploter("train")
    ploter.append("train", 0, 1)
    ploter.plot(str(tmp_path / "a.png"))
    ploter.plot()
    assert not hasattr(ploter, "plt")
    assert list(tmp_path.iterdir()) == []
