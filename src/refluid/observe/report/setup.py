"""What was trained on what: settings, command, saves, and the environment.

May import: observe.
"""

from __future__ import annotations

import shlex

from refluid.observe.report.course import trained_s
from refluid.observe.report.markup import Html, element, join
from refluid.observe.report.material import Material
from refluid.observe.report.number import count, duration, instant, size
from refluid.observe.report.table import clipped, draw_pairs, draw_table

__all__ = ["draw_environment", "draw_saves", "draw_settings"]

_MAX_SAVES = 200


def draw_settings(material: Material) -> Html | None:
    """Return the settings that the program gave its run, and the command it was started with."""
    summary = material.summary
    if not summary.attempts:
        return None
    facts: dict[str, str] = {}
    if summary.planned is not None:
        planned = summary.planned
        per_epoch = planned.steps_per_epoch
        each = f" of {count(per_epoch, 'step')}" if per_epoch else ""
        facts["planned"] = f"{count(planned.epochs, 'epoch')}{each}"
    facts["begun"] = instant(summary.attempts[0].start.time)
    facts["time"] = duration(trained_s(summary))
    command = shlex.join(map(str, summary.attempts[-1].start.argv))
    return join(
        draw_pairs({**summary.config, **facts}),
        element("p", "Started as", class_="label"),
        element("pre", element("code", clipped(command))),
    )


def draw_saves(material: Material) -> Html | None:
    """Return the checkpoints that are there."""
    saves = material.summary.checkpoints[-_MAX_SAVES:]
    if not saves:
        return None
    rows = [
        (
            each.path.name,
            instant(each.time),
            size(each.size_bytes),
            ", ".join(f"best {clipped(name, 80)}" for name in each.best_of) or None,
        )
        for each in saves
    ]
    return draw_table(
        "Checkpoints",
        ("folder", "saved", "size", "why it is kept"),
        rows,
        numeric=(False, False, True, False),
    )


def draw_environment(material: Material) -> Html | None:
    """Return what can change results, such as the versions of libraries."""
    environment = material.summary.environment
    return draw_pairs(environment) if environment else None
