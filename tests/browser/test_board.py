"""The board in a real Chromium: a run's curve is there, goes on by itself, and is one curve."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from refluid.observe.journal.journal import Journal
from refluid.observe.journal.reader import JournalReader
from refluid.observe.record import Embedding, Table, Text

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

# a browser, a board and a training on a machine that may be busy
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

COMMAND = [sys.executable, "-c", "from refluid.cli import main; main()", "board"]

# a process trains and kills itself, at a step that the journal has come to and no save; when it is
# told to, another one goes on
TRAINING = """
import os, signal, sys, time, torch, refluid
from refluid.observe.journal.reader import JournalReader


def train(is_killed):
    weight = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    with refluid.Run("log/digits", save_every_s=None, save_every_steps=10) as run:
        run.track(weight=weight, optimizer=optimizer)
        for step in run.steps(list(range(40)), epochs=1):
            optimizer.zero_grad()
            loss = ((weight - torch.rand(1)) ** 2).sum()
            loss.backward()
            optimizer.step()
            run.log(loss=loss, left=1040 - step.number)
            if is_killed and step.number == 14:
                # what was logged goes into the journal once a second
                time.sleep(1.1)
            if is_killed and step.number == 15:
                with JournalReader("log/digits/run.sqlite") as reader:
                    while reader.last_step() != 14:
                        pass
                os.kill(os.getpid(), signal.SIGKILL)


child = os.fork()
if child == 0:
    train(is_killed=True)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
print("killed", flush=True)
sys.stdin.readline()
train(is_killed=False)
"""

SEEN_WITHIN = """
const [wanted, seconds, done] = arguments;
const end = performance.now() + 1000 * seconds;
const text = (node) => {
  let found = node.nodeType === Node.TEXT_NODE ? node.textContent + " " : "";
  if (["SCRIPT", "STYLE"].includes(node.nodeName)) return "";
  if (node.shadowRoot) found += text(node.shadowRoot);
  for (const child of node.childNodes) found += text(child);
  return found;
};
const look = () => {
  const found = text(document.body).replace(/\\s+/g, " ");
  if (found.includes(wanted)) done("");
  else if (performance.now() > end) done(found);
  else setTimeout(look, 100);
};
look();
"""
ELSEWHERE = """
return performance.getEntriesByType("resource").map((entry) => entry.name)
  .filter((name) => name.startsWith("http") && !name.startsWith(location.origin));
"""
CURVE = """
const [run, tag, done] = arguments;
const query = new URLSearchParams({run, tag});
fetch("data/plugin/scalars/scalars?" + query).then((answer) => answer.json()).then(done);
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "log").mkdir()
    return tmp_path


@pytest.fixture
def board(folder):
    """Return a function that starts a board, and gives its address."""
    started = []

    def start() -> str:
        process = subprocess.Popen(
            [*COMMAND, "--logdir", "log", "--port", "0"],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        words = process.stdout.readline().split()
        return next(word for word in words if word.startswith("http"))

    yield start
    for process in started:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 0


def wait_for(browser: Any, text: str, seconds: float = 60) -> None:
    """Return as soon as the page shows a text; fail with what it shows if it is too late."""
    browser.set_script_timeout(seconds + 10)
    assert browser.execute_async_script(SEEN_WITHIN, text, seconds) == ""


def test_new_point_is_on_the_page_within_ten_seconds(browser, board, folder):
    (folder / "log" / "live").mkdir()
    journal = Journal(folder / "log" / "live" / "run.sqlite")
    journal.open()
    journal.append([(step, "loss", 8250.0 - step) for step in range(6)])
    browser.get(f"{board()}#timeseries")
    wait_for(browser, "8,245 5")
    assert browser.title == "log - refluid"
    journal.append([(6, "loss", 7125.0)])
    journal.close()
    wait_for(browser, "7,125 6", seconds=10)


def test_run_that_was_killed_and_went_on_has_one_curve(browser, board, folder):
    training = subprocess.Popen(
        [sys.executable, "-c", TRAINING],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert training.stdout is not None
    assert training.stdout.readline() == "killed\n"
    with JournalReader(folder / "log" / "digits" / "run.sqlite") as reader:
        before = dict(zip(*(column.tolist() for column in reader.curve("loss")), strict=True))
    url = board()
    browser.get(f"{url}#timeseries")
    wait_for(browser, "1,026 14")
    _, told = training.communicate("go on\n", timeout=120)
    assert training.returncode == 0, told
    browser.get("about:blank")
    browser.get(f"{url}#timeseries")
    wait_for(browser, "1,001 39")
    points = browser.execute_async_script(CURVE, "digits", "loss")
    assert [step for _, step, _ in points] == list(range(40))
    # those after the save of step 10 were done again
    assert {step: value for _, step, value in points if step in before} == before
    times = [at for at, _, _ in points]
    assert times == sorted(times)


def test_nothing_of_the_data_is_taken_for_the_page(browser, board, folder):
    evil = (
        '<script>document.title="owned"</script>'
        '<img src="http://127.0.0.2/x" onerror="document.title=\'owned\'">'
    )
    name = '<img src=x onerror="document.title=1">'
    (folder / "log" / "a").mkdir()
    journal = Journal(folder / "log" / "a" / "run.sqlite")
    journal.open()
    journal.append(
        [(0, name, 1.0)],
        records=[
            (0, "note", Text(evil)),
            (0, "table", Table((evil,), ((evil,),))),
            (0, "points", Embedding([[0.0, 1.0], [1.0, 0.0]], (evil, "b"))),
        ],
    )
    journal.close()
    url = board()
    for page, shown in (("text", evil), ("timeseries", name)):
        browser.get("about:blank")
        browser.get(f"{url}#{page}")
        wait_for(browser, shown)
        assert browser.title == "log - refluid"
        assert browser.execute_script(ELSEWHERE) == []
