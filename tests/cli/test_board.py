"""`refluid board` as it is typed: what it serves, to whom, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refluid.observe.journal.journal import Event, Journal, Start
from refluid.observe.record import (
    Confusion,
    Embedding,
    Gallery,
    Histogram,
    Image,
    Picture,
    Table,
    Text,
)

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

COMMAND = [sys.executable, "-c", "from refluid.cli import main; main()", "board"]
GRAY = Image.of(np.arange(6, dtype=np.uint8).reshape(2, 3))
RED = Image.of(np.full((3, 4, 4), [[[1.0]], [[0.0]], [[0.0]]]))


def write(folder: Path, num_steps: int) -> Journal:
    """Write a run that has something for every page; return its journal, open."""
    folder.mkdir(parents=True)
    journal = Journal(folder / "run.sqlite")
    journal.open()
    journal.start(
        Start(
            pid=1,
            host="h",
            argv=["train.py"],
            from_step=0,
            environment={},
            config={"lr": 0.1, "optimizer": {"name": "adam"}},
            time=1000.0,
        )
    )
    journal.append(
        [(step, "loss", 1 / (step + 1)) for step in range(num_steps)],
        [Event(step=num_steps - 1, kind="saved", time=1000.0 + num_steps - 1)],
        records=[
            (0, "sample", GRAY),
            (2, "sample", RED),
            (2, "mistakes", Gallery((Picture(GRAY, "3 for 5"), Picture(RED, "1 for 7")))),
            (2, "weights", Histogram(np.array([0.0, 0.5, 1.0]), np.array([3, 4]))),
            (2, "note", Text("<script>alert(1)</script>")),
            (2, "classes", Table(("class", "f1"), (("cat", 0.5),))),
            (2, "confusion", Confusion(("cat", "dog"), np.array([[3, 1], [0, 2]]))),
            (1, "digits", Embedding(np.zeros((1, 2)), ("old",))),
            (2, "digits", Embedding(np.arange(6.0).reshape(3, 2), ("a\tb", "", "c"))),
        ],
    )
    return journal


class Board:
    """A board that is running."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        words = [word for word in self.line.split() if word.startswith("http")]
        assert words, self.process.communicate(timeout=20)
        self.url = words[0]

    def raw(self, path: str, **query: Any) -> bytes:
        url = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.read()

    def get(self, path: str, **query: Any) -> Any:
        return json.loads(self.raw(f"data/{path}", **query))

    def plugin(self, path: str, **query: Any) -> Any:
        return self.get(f"plugin/{path}", **query)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Stop it; return its exit status and what it said of runs."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, told = self.process.communicate(timeout=20)
        return self.process.returncode, told


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="module")
def journal(folder):
    journal = write(folder / "digits" / "first", 10)
    yield journal
    journal.close()


@pytest.fixture(scope="module")
def board(folder, journal):
    board = Board("--logdir", str(folder))
    yield board
    assert board.end() == (0, "")


RUN = "digits/first"


def test_pages_with_something_to_show_are_enabled(board):
    listed = board.get("plugins_listing")
    assert {name for name, page in listed.items() if page["enabled"]} == set(listed)
    assert set(listed) == {
        *("timeseries", "scalars", "images", "distributions", "histograms", "text", "hparams"),
        "projector",
    }


def test_curve_has_every_point_and_about_its_time(board):
    assert board.get("runs") == [RUN]
    found = board.plugin("scalars/scalars", run=RUN, tag="loss")
    assert found == [[1000.0 + step, step, 1 / (step + 1)] for step in range(10)]


def test_pictures_are_the_files_that_were_kept(board):
    assert {tag: entry["samples"] for tag, entry in board.plugin("images/tags")[RUN].items()} == {
        "sample": 1,
        "mistakes": 2,
    }
    for tag, sample, expected in (("sample", 0, [GRAY, RED]), ("mistakes", 1, [RED])):
        found = board.plugin("images/images", run=RUN, tag=tag, sample=sample)
        files = [board.raw(f"data/plugin/images/individualImage?{each['query']}") for each in found]
        assert files == [image.png for image in expected]


def test_histogram_has_edges_and_counts(board):
    assert board.plugin("histograms/histograms", run=RUN, tag="weights") == [
        [1002.0, 2, [[0.0, 0.5, 3.0], [0.5, 1.0, 4.0]]]
    ]
    assert board.plugin("distributions/tags") == board.plugin("histograms/tags")


def test_texts_and_tables_are_shown_literally(board):
    def shown(tag: str) -> str:
        return board.plugin("text/text", run=RUN, tag=tag)[-1]["text"]

    assert sorted(board.plugin("text/tags")[RUN]) == ["classes", "confusion", "mistakes", "note"]
    assert shown("note") == "<pre>&lt;script&gt;alert(1)&lt;/script&gt;</pre>"
    assert "<td>cat</td><td>0.5</td>" in shown("classes")
    assert "<td>dog</td><td>0</td><td>2</td>" in shown("confusion")
    assert "<td>1</td><td>1 for 7</td>" in shown("mistakes")


def test_settings_stand_beside_the_last_metrics(board):
    question = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN"],
        "colParams": [],
        "startIndex": 0,
        "sliceSize": 10,
        "aggregationType": "AGGREGATION_AVG",
    }
    path = "plugin/hparams/session_groups"
    (group,) = board.get(path, request=json.dumps(question))["sessionGroups"]
    assert group["name"] == RUN
    assert group["hparams"] == {"lr": 0.1, "optimizer.name": "adam"}
    assert [(each["name"]["tag"], each["value"]) for each in group["metricValues"]] == [
        ("loss", 0.1)
    ]


def test_embedding_is_the_last_one(board):
    assert board.plugin("projector/runs") == [RUN]
    assert board.plugin("projector/info", run=RUN) == {
        "embeddings": [{"tensorName": "digits", "tensorShape": [3, 2], "metadataPath": "digits"}]
    }
    tensor = board.raw("data/plugin/projector/tensor", run=RUN, name="digits", num_rows=2)
    assert np.frombuffer(tensor, np.float32).tolist() == [0, 1, 2, 3]
    labels = board.raw("data/plugin/projector/metadata", run=RUN, name="digits")
    assert labels.decode().split("\n") == ["a b", "-", "c"]
    assert b"projector" in board.raw("data/plugin/projector/projector_binary.html")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("images/individualImage?blob_key=abc", 404),
        ("images/individualImage?blob_key=WzEsMl0", 404),
        ("histograms/histograms?run=none&tag=none", 404),
        ("projector/tensor?run=none&name=x", 400),
        ("projector/tensor?run=digits/first&name=digits&num_rows=x", 400),
        ("projector/info", 400),
    ],
)
def test_question_that_makes_no_sense_is_refused(board, path, status):
    with pytest.raises(urllib.error.HTTPError) as refused:
        board.raw(f"data/plugin/{path}")
    assert refused.value.code == status
    refused.value.close()


def test_page_asks_for_what_is_new_every_five_seconds(board):
    assert b"reloadPeriodInMs:5e3,reloadEnabled:!0" in board.raw("index.js")


def test_nobody_else_is_served(board):
    port = urllib.parse.urlsplit(board.url).port
    listening = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if Path(table).exists():
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            listening += [row[1] for row in rows if row[3] == "0A"]
    if not listening:
        pytest.skip("this system does not say who listens")
    assert [place for place in listening if place.endswith(f":{port:04X}")] == [
        f"0100007F:{port:04X}"
    ]


def test_run_that_begins_later_and_is_cut_is_shown_as_it_is(tmp_path):
    write(tmp_path / "a", 5).close()
    board = Board("--logdir", str(tmp_path))
    try:
        later = write(tmp_path / "b", 20)
        # what is found is looked at again after a second
        until(lambda: board.get("runs"), ["a", "b"])
        curve = {"path": "scalars/scalars", "run": "b", "tag": "loss"}
        assert len(board.plugin(**curve)) == 20
        later.cut(8, Event(step=8, kind="resumed"))
        later.append([(step, "loss", -1.0) for step in range(8, 12)])
        later.close()
        expected = [
            *((step, 1 / (step + 1)) for step in range(8)),
            *((k, -1.0) for k in range(8, 12)),
        ]
        until(lambda: [(step, value) for _, step, value in board.plugin(**curve)], expected)
        (tmp_path / "b" / "run.sqlite").write_bytes(b"torn" * 2000)
        until(lambda: board.get("runs"), ["a"])
    finally:
        status, told = board.end(signal.SIGINT)
    assert status == 0
    assert told.count("\n") == 1
    assert str(tmp_path / "b" / "run.sqlite") in told


def until(look: Any, expected: Any) -> None:
    """Look until it is as expected; the test's own time limit ends it."""
    while look() != expected:
        pass


def refused(*arguments: str, **more: Any) -> str:
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=50, **more
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("refluid: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_folder_without_a_run_is_refused(tmp_path):
    assert "has none" in refused("--logdir", str(tmp_path))
    assert "is none" in refused("--logdir", str(tmp_path / "absent"))
    # the folder that is meant without the option
    assert "runs" in refused(cwd=tmp_path)


def test_port_in_use_is_refused(tmp_path):
    write(tmp_path / "a", 3).close()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refused("--logdir", str(tmp_path), "--port", str(port))
    assert f"`--port` {port}" in told


def test_without_tensorboard_it_says_what_to_install(tmp_path):
    write(tmp_path / "a", 3).close()
    hidden = "import sys; sys.modules['tensorboard'] = None; from refluid.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", hidden, "board", "--logdir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=50,
        env={**os.environ},
    )
    assert done.returncode == 2
    assert done.stderr.endswith("pip install 'refluid[board]'\n")
