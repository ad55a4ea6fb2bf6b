"""`refluid diagnose`: what goes wrong in a run, in plain words, or as JSON for programs.

May import: rich, errors, observe.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from refluid.observe.diagnosis import Diagnosis, Finding

__all__ = ["diagnose"]

_STYLES = {"serious": "bold red", "warning": "bold yellow", "note": "bold"}
_WIDEST = 100


def diagnose(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run's folder, or the run.sqlite in it. The run may still be going on.",
            show_default=False,
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, for programs, in place of text.")
    ] = False,
) -> None:
    """Say what goes wrong in a run, by what it has logged, and what to try.

    Overfitting and underfitting, a learning rate that is too high or too low, a loss that diverges
    or stands still, gradients that explode or vanish, dead units, unbalanced classes, a resume
    that was not exact: each with the numbers and steps that it is seen by. A healthy run has no
    finding. What could not be told is named, with the line of code that would log it.

    The exit status is 0 whatever is found.

    - `refluid diagnose runs/digits`

    - `refluid diagnose runs/digits --json`
    """
    # these load numpy
    from refluid.observe.diagnosis import examine
    from refluid.observe.journal.reader import JournalReader

    path = run / "run.sqlite" if run.is_dir() else run
    with JournalReader(path) as journal:
        diagnosis = examine(journal)
    if as_json:
        typer.echo(json.dumps(_plain(run, diagnosis), indent=2))
    else:
        _show(run, diagnosis)


def _plain(run: Path, diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "run": str(run),
        "findings": [
            {
                "kind": each.kind,
                "severity": each.severity.name.lower(),
                "title": each.title,
                "evidence": each.evidence,
                "advice": each.advice,
                "steps": list(each.steps),
            }
            for each in diagnosis.findings
        ],
        "examined": diagnosis.examined,
        "missing": [
            {"subject": subject, "reason": each.reason, "line": each.line}
            for subject, each in diagnosis.missing.items()
        ],
    }


def _show(run: Path, diagnosis: Diagnosis) -> None:
    # what is shown holds texts of the run's, which must not be taken for markup
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    width = min(console.width, _WIDEST)
    for finding in diagnosis.findings:
        _show_finding(console, finding, width)
    if not diagnosis.findings:
        # where hardly anything was logged, that nothing was found says nothing
        known = len(diagnosis.examined) > len(diagnosis.missing)
        health = "nothing found that is wrong" if known else "too little is known to say anything"
        console.print(f"{_printable(str(run))}: {health}.\n")
    console.print(_wrapped(f"Looked for: {', '.join(diagnosis.examined)}.", width))
    if not diagnosis.missing:
        return
    console.print("\nCould not look for:")
    for subject, each in diagnosis.missing.items():
        console.print(_wrapped(f"- {subject}: {each.reason}.", width, "  "))
        if each.line:
            console.print(f"  To log it: {each.line}")


def _show_finding(console: Console, finding: Finding, width: int) -> None:
    severity = finding.severity.name.lower()
    console.print(Text(f"{finding.title} ({severity})", _STYLES[severity]))
    console.print(_wrapped(finding.evidence, width, "  ", "  "))
    console.print(_wrapped(f"What to try: {finding.advice}", width, "  ", "  "))
    console.print()


def _wrapped(text: str, width: int, later: str = "", first: str = "") -> str:
    # code in a sentence stays in one piece
    return textwrap.fill(
        _printable(text),
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _printable(text: str) -> str:
    # a text from a journal must not steer the terminal
    return "".join(letter if letter.isprintable() else " " for letter in text)
