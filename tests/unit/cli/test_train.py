"""`refluid train` does what its help says, and says in one line what it cannot do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from refluid.cli import main
from refluid.loop import RESUMABLE
from refluid.observe.journal.reader import JournalReader

COMMAND = [sys.executable, "-c", "from refluid.cli import main; main()"]
# one thread: beside other work on the machine, threads of so small a network only wait
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100", "TERM": "dumb"}
SMALL = ("train", "--batch-size", "256", "--out", "run", "--device", "cpu")


def refluid(folder: Path, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=170,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == expect, done.stderr
    return done


@pytest.fixture(scope="module")
def on_terminal(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a training as it is without any options, and what a terminal was sent."""
    folder = tmp_path_factory.mktemp("terminal")
    command = f"import pty, sys; sys.exit(pty.spawn({[*COMMAND, 'train']!r}))"
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=folder,
        env={**ENVIRONMENT, "TERM": "xterm"},
        capture_output=True,
        timeout=170,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout.decode()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_digits_are_learnt_to_97_percent(on_terminal):
    folder, shown = on_terminal
    accuracy = re.search(r"Test accuracy ([\d.]+)%", re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", shown))
    assert accuracy is not None
    assert float(accuracy[1]) >= 97
    files = {path.name for path in (folder / "runs" / "digits").iterdir()}
    assert files >= {"curves.png", "model.pdopt", "model.pdparams", "run.sqlite"}


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_bar_is_shown_on_a_terminal(on_terminal):
    _, shown = on_terminal
    assert "training \x1b" in shown
    assert "accuracy" in shown


@pytest.mark.slow
def test_output_that_is_no_terminal_has_a_line_for_each_epoch(tmp_path):
    done = refluid(tmp_path, *SMALL, "--epochs", "2")
    assert done.stderr == "refluid: run begins\n"
    shown = done.stdout
    assert re.findall(r"^ +([12])/2 +[\d.]+ +[\d.]+% +[\d.]+ +[\d.]+% +[\d.]+ s$", shown, re.M) == [
        "1",
        "2",
    ]
    assert "1257 images of 8x8 to train, 180 to validate, 360 to test" in shown
    assert "11,350 parameters, on cpu" in shown
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "after 2 epochs." in shown
    assert "--out run --device cpu --epochs 4\n" in shown
    # once more: nothing to train, and nothing that looks like a failure
    again = refluid(tmp_path, *SMALL, "--epochs", "2").stdout
    head, _, rest = again.partition("The run is complete: nothing was left to train.\n\n")
    assert shown.startswith(head.rstrip())
    assert rest.splitlines()[:4] == shown[shown.index("Test accuracy") :].splitlines()[:4]
    assert "--epochs 2 --out run-2\n" in rest


def stopped_by(number: signal.Signals, folder: Path) -> tuple[int, int, str]:
    """Send a signal when an epoch has ended; return the first and last step, and what was said."""
    # so many epochs that it cannot end by itself
    command = [*COMMAND, *SMALL, "--decay", "none", "--epochs", "100000"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while "/100000" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == RESUMABLE, said
    first = re.search(r"goes on after step ([\d,]+)", said)
    last = re.search(rf"{number.name}: stopped after step ([\d,]+), which is saved", said)
    assert last is not None, said
    assert "the same command goes on from there\n" in said
    begin, end = (int(found[1].replace(",", "")) if found else 0 for found in (first, last))
    return begin, end, said


@pytest.mark.slow
def test_stopped_run_says_how_to_go_on_and_loses_nothing(tmp_path):
    begin, interrupted, said = stopped_by(signal.SIGINT, tmp_path)
    assert "refluid: run begins\n" in said
    assert "SIGINT: stopping after this step; once more to stop at once\n" in said
    again, ended, _ = stopped_by(signal.SIGTERM, tmp_path)
    assert (begin, again) == (0, interrupted)
    assert ended > again
    with JournalReader(tmp_path / "run" / "run.sqlite") as journal:
        assert journal.curve("loss")[0].tolist() == list(range(ended))
        assert [start.from_step for start in journal.starts()] == [0, interrupted]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--data", "nowhere"), "refluid: nowhere does not exist: expected a folder with"),
        (("--load", "nowhere"), "refluid: nowhere holds no saved run"),
        (("--data", "."), "refluid: . has no train-images-idx3-ubyte, no train-labels"),
        (("--data", "text"), "refluid: text is not a whole mnist.json.gz"),
        (("--out", "text"), "refluid: text cannot be made a directory"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    tmp_path, monkeypatch, capfd, arguments, expected
):
    (tmp_path / "text").write_text("hello")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["refluid", "train", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capfd.readouterr().err
    assert said.startswith(expected)
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--lr", "0"), "`lr` must be above 0, but is 0.0"),
        (("--optimizer", "adom"), "'adom' is not one of"),
        (("--epochs", "none"), "'--epochs'"),
        (("--batch-size", "0"), "'--batch-size'"),
        (("--sed", "1"), "No such option: --sed"),
        (("extra",), "unexpected extra argument"),
    ],
)
def test_wrong_option_is_named_with_status_2(tmp_path, arguments, expected):
    assert expected in refluid(tmp_path, "train", *arguments, expect=2).stderr


def test_help_and_version_load_no_torch(tmp_path):
    code = (
        "import sys\n"
        "from refluid.cli import main\n"
        "try: main()\n"
        "finally: print({'torch', 'numpy', 'matplotlib', 'sklearn'} & set(sys.modules))"
    )
    for arguments in (["--help"], ["train", "--help"], ["--version"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=ENVIRONMENT,
        )
        assert done.stdout.endswith("set()\n")
