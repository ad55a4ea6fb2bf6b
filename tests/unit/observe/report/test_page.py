"""The page loads nothing, shows every text as it is, and leaves out what is empty."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from refluid.errors import RunError
from refluid.observe.record import Confusion, Gallery, Image, Picture, Table, Text
from refluid.observe.report.page import render

# what a page may consist of; none of it can load or run anything
ATTRIBUTES = {
    "alt", "aria-hidden", "aria-label", "aria-labelledby", "charset", "class", "content", "cx",
    "cy", "d", "height", "href", "http-equiv", "id", "lang", "name", "r", "role", "scope", "src",
    "tabindex", "text-anchor", "title", "transform", "viewbox", "width", "x", "x1", "x2", "y", "y1",
    "y2",
}  # fmt: skip
NASTY = [
    '<script>window.hacked = 1</script>',
    '"><img src=x onerror="window.hacked=1">',
    "' onmouseover='window.hacked=1",
    "javascript:window.hacked=1",
    "</title></style></textarea></svg><svg onload=window.hacked=1>",
    "&lt;b&gt;{{7*7}}<!--",
    "nul \x00, bell \x07, turn \u202e, isolate \u2066",
]  # fmt: skip
NASTY_TEXT = " ".join(NASTY)


@pytest.fixture
def nasty_run(new_run):
    """A run in which every text is an attack."""
    run = new_run("<img src=x onerror=alert(1)> & 'co'")
    pairs = {text: text for text in NASTY} | {"list": NASTY, "dict": {NASTY[0]: NASTY}}
    run.start(config=pairs, environment=pairs | {"refluid": NASTY[0]}, argv=NASTY)
    run.start(from_step=1, config=pairs, environment=pairs, argv=NASTY)
    for text in NASTY:
        run.event(1, "changed", text).event(1, "damaged", text).event(1, text, text)
        run.journal.append([(k, part + text, 1.0 / (k + 1)) for k in range(4) for part in (
            "", "valid_", "test_", "std/", "grad_norm/", "dead/"
        )])  # fmt: skip
    run.log(loss=[2.0, 1.0, 1.5, 0.5], accuracy=[0.5] * 4)
    image = Image.of(np.zeros((2, 2)))
    table = Table(NASTY, [NASTY])
    run.record(
        confusion=Confusion(NASTY, np.ones((len(NASTY), len(NASTY)))),
        classes=Table(("class", "precision", "f1"), [(text, 0.5, text) for text in NASTY]),
        class_counts=table,
        mistakes=Gallery([Picture(image, text) for text in NASTY]),
        layers=table,
    )
    names = [(1, f"{text} {kind}", made) for text in NASTY for kind, made in (
        ("text", Text(NASTY_TEXT)), ("table", table), ("image", image),
        ("matrix", Confusion([NASTY_TEXT] * 21, np.ones((21, 21)))),
    )]  # fmt: skip
    run.journal.append(records=names)
    return run.event(4, "error", NASTY_TEXT)


def check_harmless(page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert tags & {"script", "iframe", "object", "embed", "form", "base", "link", "audio"} == set()
    assert {name for _, own in page.elements for name in own} <= ATTRIBUTES
    assert all(re.fullmatch("#[a-z]+", href) for href in page.values("a", "href"))
    assert all(own.startswith("data:image/png;base64,") for own in page.values("img", "src"))
    assert [tag for tag, own in page.elements if "href" in own and tag != "a"] == []


def test_every_text_of_a_run_is_shown_and_does_nothing(nasty_run):
    page = nasty_run.page()
    check_harmless(page)
    assert page.unbalanced == []
    assert page.open == []
    shown = page.words
    for text in NASTY[:-1]:
        assert shown.count(text) > 10, text
    assert "nul \\u0000, bell \\u0007, turn \\u202e, isolate \\u2066" in shown
    assert not re.search("[\x00-\x08\u202e\u2066]", page.text)
    assert page.texts_of("h1") == ["<img src=x onerror=alert(1)> & 'co'"]


def test_only_the_style_of_the_page_is_allowed(nasty_run):
    page = nasty_run.page()
    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [
        own["content"] for _, own in page.elements
        if own.get("http-equiv") == "Content-Security-Policy"
    ]  # fmt: skip
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in style


def test_page_is_accessible_html(nasty_run):
    page = nasty_run.page()
    assert page.text.startswith('<!doctype html>\n<html lang="en">')
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    tables = sum(tag == "table" for tag, _ in page.elements)
    assert tables == sum(tag == "caption" for tag, _ in page.elements) > 5
    assert all(own.get("scope") in ("row", "col") for tag, own in page.elements if tag == "th")
    assert all(own.get("alt") for tag, own in page.elements if tag == "img")
    ids = [own["id"] for _, own in page.elements if "id" in own]
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in page.values("a", "href")} <= set(ids)
    pictures = [own for tag, own in page.elements if tag == "svg" and "x" not in own]
    assert all(own.get("role") == "img" or own.get("aria-hidden") for own in pictures)
    assert all(own["aria-label"] for own in pictures if own.get("role") == "img")


def test_parts_without_data_are_left_out(new_run):
    page = new_run().start().log(loss=[2.0, 1.0]).page()
    check_harmless(page)
    assert page.texts_of("h2") == [
        "Results", "Curves", "Diagnosis", "Setup", "Interruptions", "Environment"
    ]  # fmt: skip
    assert [href[1:] for href in page.values("a", "href")] == page.values("section", "id")


def test_checkpoints_are_listed(new_run):
    run = new_run().start().log(loss=[1.0] * 5, valid_loss={4: 0.5})
    folder = run.directory / "checkpoints" / "step-00000005"
    folder.mkdir(parents=True)
    (folder / "state.json").write_bytes(b"x" * 2500)
    table = run.page().texts_of("table")[-1]
    assert table.startswith("Checkpointsfoldersavedsizewhy it is keptstep-00000005")
    assert table.endswith("2.5 kBbest valid_loss")


# a process that has a run's directory
HOLDER = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.lockf(descriptor, fcntl.LOCK_EX)
os.write(descriptor, f"process {os.getpid()} on here".encode())
print(flush=True)
sys.stdin.read()
"""


def test_run_that_is_going_on_is_reported(new_run):
    run = new_run().start().event(0, "planned", '{"epochs": 2, "steps_per_epoch": 4}')
    run.log(loss=[1.0] * 6)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(run.directory / "run.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        page = run.page()
        process.communicate()
    assert "It is still training: 6 of 8 steps are done." in page.words
    assert "still running" in page.words
    assert "It was killed after 6 of 8 steps, and can go on." in run.page().words


def test_settings_of_every_shape_are_shown(new_run):
    nested: object = 1
    for _ in range(400):
        nested = [nested]
    config = {"nested": nested, "none": None, "yes": True, "long": "x" * 5000, "": 1, "n": 10**300}
    page = new_run().start(config=config).page()
    assert "... (5,000 letters)" in page.words
    assert {"none", "yes"} <= set(page.texts_of("dd"))


@pytest.mark.parametrize(
    "contents", [b"", b"not a database" * 100, b"SQLite format 3\0" + b"x" * 4096]
)
def test_file_that_is_no_journal_is_one_error(tmp_path, contents):
    (tmp_path / "run.sqlite").write_bytes(contents)
    with pytest.raises(RunError, match="run.sqlite cannot be read: "):
        render(tmp_path)


def test_directory_without_a_run_is_one_error(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        render(tmp_path)
    with pytest.raises(RunError, match="holds no run"):
        render(Path("/dev/null"))
