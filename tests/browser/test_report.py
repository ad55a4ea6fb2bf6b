"""A report in a real browser: it is shown, loads nothing, runs nothing, and fits a phone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refluid.observe.journal.journal import Event, Journal, Start
from refluid.observe.record import Confusion, Gallery, Histogram, Image, Picture, Table, Text
from refluid.observe.report.page import render

ATTACK = (
    "<script>window.hacked = 1</script>\"><img src=x onerror='window.hacked=1'>"
    "</style></title></svg><svg onload=window.hacked=1></svg> javascript:window.hacked=1 "
    "<style>body{display:none}</style> ' onmouseover=window.hacked=1 "
)
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


def write_run(directory: Path) -> None:
    """Write a run with everything that a report shows, in which every text is an attack."""
    directory.mkdir()
    journal = Journal(directory / "run.sqlite")
    journal.open()
    for step in (0, 120):
        journal.start(
            Start(
                pid=1, host=ATTACK, argv=["train.py", ATTACK], from_step=step, time=time.time(),
                environment={"torch": "2.13", ATTACK: ATTACK}, config={"lr": 0.1, ATTACK: ATTACK},
            )
        )  # fmt: skip
        journal.append(events=[Event(step=step, kind="resumed" if step else "began")])
    steps = range(400)
    journal.append([(step, "loss", 2.0 * 0.99**step) for step in steps])
    journal.append([(step, "accuracy", 1 - 0.9 * 0.99**step) for step in steps])
    journal.append([(step, "valid_loss", 2.1 * 0.99**step) for step in range(39, 400, 40)])
    journal.append([(step, ATTACK, 1.0 + step % 7) for step in steps])
    journal.append([(step, f"std/{ATTACK}{k}", 1.0 + k) for step in steps for k in range(3)])
    names = [f"{ATTACK} {k}" for k in range(10)]
    image = Image.of(np.arange(64, dtype=np.uint8).reshape(8, 8))
    wide = Table([ATTACK + str(k) for k in range(12)], [[ATTACK] * 12, ["x" * 300] * 12])
    records = {
        "confusion": Confusion(names, np.eye(10, dtype=np.int64) * 9 + 1),
        "mistakes": Gallery([Picture(image, ATTACK)] * 5),
        "layers": wide,
        "large": Image.of(np.zeros((40, 1200))),
        "many": Confusion([str(k) for k in range(60)], np.ones((60, 60))),
        "weights": Histogram.of(np.linspace(0, 1, 50) ** 2),
        ATTACK: Text(ATTACK * 5),
    }
    journal.append(
        records=[(399, name, record) for name, record in records.items()],
        events=[Event(step=400, kind="changed", text=ATTACK), Event(step=400, kind="complete")],
    )
    journal.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_run(folder / "run")
    path = folder / "report.html"
    path.write_text(render(folder / "run"), "utf-8")
    return path


def show(browser: Any, page: Path, scheme: str = "light") -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(page.as_uri())


# one test, as a browser takes seconds to start
def test_report_is_shown_loads_nothing_runs_nothing_and_fits_a_phone(browser, page):
    show(browser, page)
    assert browser.get_log("browser") == []
    loaded = browser.execute_script(
        "return performance.getEntriesByType('resource').map(each => each.name)"
    )
    assert [name for name in loaded if not name.startswith("data:")] == []
    assert browser.execute_script("return window.hacked") is None
    assert browser.execute_script("return document.scripts.length") == 0
    assert browser.execute_script("return document.title") == "run: training report"
    check_pictures(browser)
    light = colors(browser)
    show(browser, page, "dark")
    dark = colors(browser)
    assert contrast(light) >= 4.5
    assert contrast(dark) >= 4.5
    assert luminance(light[1]) > 0.8
    assert luminance(dark[1]) < 0.05
    for color, paper in soft_texts(browser):
        assert contrast((color, paper)) >= 4.5
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    browser.get(page.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    assert browser.execute_script("return document.documentElement.clientWidth") == 390
    wide = browser.execute_script(
        "return [...document.querySelectorAll('.scroll')].some(e => e.scrollWidth > e.clientWidth)"
    )
    assert wide
    assert browser.get_log("browser") == []


def check_pictures(browser: Any) -> None:
    sizes = browser.execute_script(
        "return [...document.images].map(each => [each.naturalWidth, each.naturalHeight])"
    )
    assert sizes == [[8, 8]] * 5 + [[1200, 40]]
    lines = browser.execute_script(
        "return [...document.querySelectorAll('.chart .line')].map(e => e.getTotalLength())"
    )
    assert len(lines) == 3 + 1 + 3
    assert min(lines) > 200
    # the style is the page's own, and is in force
    width = "getComputedStyle(document.querySelector('.line')).strokeWidth"
    assert browser.execute_script(f"return {width}") == "2.6px"


Color = tuple[float, float, float]


def colors(browser: Any) -> tuple[Color, Color]:
    text, paper = browser.execute_script(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    )
    return parsed(text), parsed(paper)


def soft_texts(browser: Any) -> list[tuple[Color, Color]]:
    """Colors of texts that are not of the usual color, before what is behind them."""
    found = browser.execute_script(
        "const paper = getComputedStyle(document.body).backgroundColor;"
        "return ['.note', 'thead th', 'dt', 'nav a', 'figcaption', '.key'].map(name => "
        "[getComputedStyle(document.querySelector(name)).color, paper])"
    )
    return [(parsed(text), parsed(paper)) for text, paper in found]


def parsed(color: str) -> Color:
    red, green, blue = (float(part) / 255 for part in color[color.index("(") + 1 : -1].split(","))
    return red, green, blue


def luminance(color: Color) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(pair: tuple[Color, Color]) -> float:
    low, high = sorted(luminance(color) for color in pair)
    return (high + 0.05) / (low + 0.05)
