"""A real Chromium, without a window, for the tests that look at a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def first_of(*names: str) -> str:
    """The path of the first program that is installed."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"{names[0]} is not installed: what pages show in a browser is not tested.")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """A browser of its own for each test; a Selenium `WebDriver`."""
    pytest.importorskip(
        "selenium", reason="selenium is not installed: what pages show in a browser is not tested."
    )
    # it may be missing
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = first_of(*BROWSERS)
    for argument in (
        "--headless=new",
        "--no-sandbox",  # it refuses to run as root otherwise, as in a container
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        "--window-size=1280,900",
        f"--user-data-dir={tmp_path / 'chromium'}",
    ):
        options.add_argument(argument)
    # what the page itself said, for `browser.get_log("browser")`
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options, Service(first_of("chromedriver")))
    try:
        driver.set_page_load_timeout(30)
        yield driver
    finally:
        driver.quit()
