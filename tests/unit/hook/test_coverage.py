from __future__ import annotations

import re
from pathlib import Path

from refluid.hook import catalog, coverage

PAGE = Path(__file__).parents[3] / "docs" / "coverage.md"


def test_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == coverage.render(), (
        "docs/coverage.md is stale: python -m refluid.hook.coverage docs/coverage.md"
    )


def test_page_lists_every_name_once() -> None:
    text = PAGE.read_text(encoding="utf-8")
    parts = [part for part in text.split("\n## ") if part.startswith("paddle")]
    assert len(parts) == len(catalog.load().names)
    for part in parts:
        module, _, table = part.partition("\n")
        assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == sorted(
            catalog.load().names[module]
        )


def test_states_come_from_what_can_be_imported() -> None:
    assert coverage.state("paddle.fluid.dygraph.Linear") == coverage.WORKS
    assert coverage.state("paddle.fluid.dygraph") == coverage.WORKS
    assert coverage.state("paddle.fluid.layers.While") == coverage.STATIC
    assert coverage.state("paddle.fluid.layers.no_such_name") == coverage.NOT_YET


def test_page_says_why_names_are_missing() -> None:
    text = coverage.render().partition("## Why names are missing")[2]
    reason = "`Executor.train_from_dataset` alone reads it"
    assert f"- {reason}: `paddle.fluid.DatasetFactory`, `paddle.fluid.InMemoryDataset`" in text


def test_counts_add_up() -> None:
    rows = re.findall(r"^\| (\S+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", coverage.render(), re.M)
    numbers = {module: [int(number) for number in counts] for module, *counts in rows}
    total = numbers.pop("all")
    assert total == [sum(column) for column in zip(*numbers.values(), strict=True)]
    assert all(counts[0] == sum(counts[1:]) for counts in numbers.values())
    assert total[0] == 810
