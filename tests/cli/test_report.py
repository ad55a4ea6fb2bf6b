"""`refluid report` writes one page, in one piece, and says where it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from refluid.cli.report import report
from refluid.errors import RunError
from refluid.observe.journal.journal import Journal


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "digits"
    directory.mkdir()
    journal = Journal(directory / "run.sqlite")
    journal.open()
    journal.append([(step, "loss", 1.0 / (step + 1)) for step in range(10)])
    journal.close()
    return directory


def test_report_lies_in_the_run_s_folder(run, capsys):
    report(run)
    page = run / "report.html"
    assert capsys.readouterr().out == f"{page}\n"
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert sorted(path.name for path in run.iterdir()) == ["report.html", "run.sqlite"]


def test_out_names_another_place(run, tmp_path, capsys):
    page = tmp_path / "new" / "page.html"
    report(run, page)
    assert capsys.readouterr().out == f"{page}\n"
    assert page.read_bytes().endswith(b"</html>\n")
    assert not (run / "report.html").exists()


def test_later_report_takes_the_place_of_the_one_before(run):
    page = run / "report.html"
    page.write_text("old")
    with page.open() as old:
        report(run)
        # a reader of the old page goes on reading the old page
        assert old.read() == "old"
    assert page.read_text("utf-8") != "old"


def test_place_that_cannot_be_written_is_one_error(run, tmp_path):
    with pytest.raises(RunError, match=f"{tmp_path} cannot be written"):
        report(run, tmp_path)


def test_old_report_stays_where_there_is_no_run_any_more(run):
    (run / "report.html").write_text("old")
    (run / "run.sqlite").write_bytes(b"not a journal" * 1000)
    with pytest.raises(RunError, match="cannot be read"):
        report(run)
    assert (run / "report.html").read_text() == "old"


def test_name_with_html_or_halves_of_characters_is_a_name(run, capsys):
    odd = Path(os.fsdecode(os.fsencode(run.parent) + b"/<b>\xff"))
    run.rename(odd)
    report(odd, run.parent / "page.html")
    text = (run.parent / "page.html").read_text("utf-8")
    assert "<h1>&lt;b&gt;\\udcff</h1>" in text


def test_report_loads_no_torch_and_no_drawing_library(run):
    program = (
        "import sys\nfrom pathlib import Path\nfrom refluid.cli.report import report\n"
        "report(Path(sys.argv[1]))\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(run)], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) & {"torch", "matplotlib", "tensorboard", "sklearn"} == set()
    assert done.stderr == ""
