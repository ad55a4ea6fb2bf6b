"""`refluid diagnose` as it is started from a shell: text for people, JSON for programs."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from refluid.observe.journal.journal import Event, Journal

COMMAND = "from refluid.cli import main; main()"

# A learning rate that is given, on a task that 0.1 suits.
PROGRAM = """
import sys, torch, refluid
torch.manual_seed(1)
x = torch.randn(400, 8)
y = (x[:, :1] > 0).float()
model = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(model.parameters(), float(sys.argv[2]))
with refluid.Run(sys.argv[1], save_every_s=None) as run:
    run.track(model=model, optimizer=optimizer)
    for step in run.steps(refluid.Batches((x, y), 40, shuffle=True, seed=1), epochs=6):
        loss = (model(step.batch[0]) - step.batch[1]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.log(loss=loss)
        if step.last:
            run.log(valid_loss=(model(x) - y).square().mean())
"""


def diagnose(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", COMMAND, "diagnose", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, rate in (("sick", "8"), ("healthy", "0.1")):
        command = [sys.executable, "-c", PROGRAM, str(folder / name), rate]
        subprocess.run(command, check=True, capture_output=True, timeout=50)
    return folder


def test_what_is_wrong_is_said_with_evidence_and_advice(runs):
    done = diagnose(runs / "sick")
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert words.startswith("The loss is no longer a number (serious)")
    assert "not a finite number from step" in words
    assert "What to try: The updates are too large." in words
    assert "nothing found" not in words


def test_a_healthy_run_is_called_so_with_what_was_looked_for(runs):
    done = diagnose(runs / "healthy")
    assert done.returncode == 0, done.stderr
    assert f"{runs / 'healthy'}: nothing found that is wrong." in done.stdout
    words = " ".join(done.stdout.split())
    assert "Looked for: diverging," in words
    assert (
        "dead units: no `dead/<layer>` was logged. To log it: run.watch(model, optimizer)" in words
    )


def test_json_holds_the_same(runs):
    found = json.loads(diagnose(runs / "sick", "--json").stdout)
    assert found.keys() == {"run", "findings", "examined", "missing"}
    first = found["findings"][0]
    assert first["kind"] == "diverging"
    assert first["severity"] == "serious"
    assert first["evidence"] in " ".join(diagnose(runs / "sick").stdout.split())
    (step,) = first["steps"]
    assert f"step {step}" in first["evidence"]
    assert {"subject", "reason", "line"} == found["missing"][0].keys()


def test_the_file_does_as_well_as_the_folder(runs):
    by_file, by_folder = (
        json.loads(diagnose(path, "--json").stdout)
        for path in (runs / "sick" / "run.sqlite", runs / "sick")
    )
    assert by_file["findings"] == by_folder["findings"]


@pytest.mark.parametrize("case", ["missing", "empty folder", "text", "cut", "foreign"])
def test_what_is_no_run_is_one_clear_error(runs, tmp_path, case):
    path = tmp_path / "run.sqlite"
    if case == "missing":
        path = tmp_path / "nowhere"
    elif case == "empty folder":
        path = tmp_path
    elif case == "text":
        path.write_text("loss 0.5\n" * 100)
    elif case == "cut":
        whole = (runs / "healthy" / "run.sqlite").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    else:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE metric(step, name, value)")
        connection.close()
    done = diagnose(path)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("refluid: ")
    assert "run.sqlite" in line or "nowhere" in line


def test_a_run_that_has_not_logged_anything_is_not_called_healthy(tmp_path):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    journal.close()
    done = diagnose(tmp_path)
    assert done.returncode == 0
    assert "too little is known to say anything" in done.stdout
    assert "To log it: run.log(loss=loss)" in done.stdout


def test_texts_of_a_run_do_not_steer_the_terminal(tmp_path):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    journal.append(events=[Event(step=3, kind="changed", text="[red]\x1b[2Jtorch\r")])
    journal.close()
    done = diagnose(tmp_path)
    assert "\x1b" not in done.stdout
    assert "[red] [2Jtorch" in " ".join(done.stdout.split())
