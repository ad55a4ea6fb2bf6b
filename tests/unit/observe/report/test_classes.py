"""Confusion matrices: few classes as a table, many as a picture, and what is confused most."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.observe.record import Confusion, Table
from refluid.observe.report.classes import draw_confusion


def confusion_of(size: int) -> Confusion:
    counts = 9 * np.eye(size, dtype=np.int64)
    counts[0, 1] = 3
    return Confusion([f"class {k}" for k in range(size)], counts)


def test_few_classes_are_a_table_with_the_counts(new_run):
    counts = np.array([[3, 1], [0, 4]])
    page = new_run().start().record(confusion=Confusion(("cat", "dog"), counts)).page()
    cells = [own for tag, own in page.elements if tag == "td" and "title" in own]
    assert [own["title"] for own in cells] == [
        "cat, right: 3 of 4 (75.0%)",
        "cat, taken for dog: 1 of 4 (25.0%)",
        "dog, taken for cat: 0 of 4 (0.0%)",
        "dog, right: 4 of 4 (100.0%)",
    ]
    assert [own["class"] for own in cells] == ["r8", "w5", "r0", "r9"]
    assert "7 of 8 samples are taken for what they are (87.5%)." in page.words


def test_precision_recall_and_f1_follow_from_a_confusion_matrix_alone(new_run):
    counts = np.array([[3, 1], [0, 4]])
    page = new_run().start().record(confusion=Confusion(("cat", "dog"), counts)).page()
    table = page.texts_of("table")[2]
    assert table.endswith("cat100.0%75.0%85.7%4dog80.0%100.0%88.9%4")


def test_table_that_was_recorded_is_shown_as_it_is(new_run):
    table = Table(("class", "precision", "f1", "samples"), (("<cat>", 0.5, None, 3),))
    page = new_run().start().record(classes=table).page()
    assert page.texts_of("table")[0].endswith("<cat>50.0%3")


@pytest.mark.parametrize("size", [21, 100])
def test_many_classes_are_a_picture_of_what_is_not_zero(size):
    markup = draw_confusion(confusion_of(size))
    assert markup.count("<rect") == 1 + size + 1
    assert "class 0, taken for class 1: 3 of 12 (25.0%)" in markup
    assert ("<text" in markup) == (size <= 50)
    assert len(markup) < 400 * size


def test_huge_matrix_is_drawn_in_part():
    counts = np.ones((300, 300), np.int64)
    markup = draw_confusion(Confusion([str(k) for k in range(300)], counts))
    assert markup.count("<rect") == 1 + 10_000


def test_most_confused_pairs_come_first(new_run):
    counts = np.array([[5, 1, 4], [0, 5, 0], [2, 0, 5]])
    page = new_run().start().record(confusion=Confusion(("a", "b", "c"), counts)).page()
    assert page.texts_of("table")[1].endswith("ac440.0%ca228.6%ab110.0%")


@pytest.mark.parametrize("counts", [np.zeros((2, 2)), -np.ones((2, 2))])
def test_matrix_without_samples_says_so(counts):
    assert "counts no samples" in draw_confusion(Confusion(("a", "b"), counts))


def test_matrix_without_classes_is_left_out(new_run):
    page = new_run().start().record(confusion=Confusion((), np.zeros((0, 0)))).page()
    assert "Classes" not in page.texts_of("h2")
