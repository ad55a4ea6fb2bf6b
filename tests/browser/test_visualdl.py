"""What VisualDL's page shows of a program that was killed and went on."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAM = """
import sys
from visualdl import LogWriter
writer = LogWriter("log")
for step in range(int(sys.argv[1]), int(sys.argv[2])):
    writer.add_scalar("loss", 100 - step, step)
print("done", flush=True)
sys.stdin.read()
"""
SERVE = """
import sys
from pathlib import Path
from refluid.visualdl.viewer import serve_visualdl
serve_visualdl(Path(sys.argv[1]), 0)
"""
# what the page itself asks for; it draws the curve on a canvas, which has no text to be read
CURVE = """
const answer = await fetch('/app/api/scalar/list?' + new URLSearchParams(arguments[0]));
return (await answer.json()).data.map(point => point.slice(1));
"""


def killed(folder: Path, first: int, end: int) -> None:
    """Write points as a program does that is killed after the last."""
    program = subprocess.Popen(
        [sys.executable, "-m", "refluid", "-c", PROGRAM, str(first), str(end)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout
    program.stdout.readline()
    program.send_signal(signal.SIGKILL)
    program.communicate()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_page_shows_one_curve_after_a_kill(browser, tmp_path: Path) -> None:
    if find_spec("visualdl") is None:
        pytest.skip("VisualDL is not installed: its page is not tested.")
    # it is there, or there would be no browser
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    killed(tmp_path, 0, 30)
    killed(tmp_path, 20, 41)
    board = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert board.stdout
        found = re.search(r"http://\S+", board.stdout.readline())
        assert found
        browser.get(f"{found[0]}app/scalar")
        wait = WebDriverWait(browser, 40)
        wait.until(lambda page: "loss" in page.find_element(By.TAG_NAME, "body").text)
        wait.until(lambda page: page.find_elements(By.TAG_NAME, "canvas"))
        scripts = browser.execute_script(
            "return performance.getEntriesByType('resource').map(entry => entry.name)"
        )
        assert scripts
        assert all(name.startswith(found[0]) for name in scripts if "://" in name)
        curve = browser.execute_script(CURVE, {"run": str(tmp_path / "log"), "tag": "loss"})
        assert curve == [[step, 100 - step] for step in range(41)]
    finally:
        board.terminate()
        board.communicate()
