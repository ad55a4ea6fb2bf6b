"""Curves: which are drawn where, and what is said of them."""

from __future__ import annotations

import math


def test_parts_of_the_data_share_a_chart_and_the_rest_is_small(new_run):
    run = new_run().start()
    run.log(loss=[2.0, 1.0], valid_loss={1: 1.5}, test_f1={1: 0.5}, lr=[0.1, 0.1])
    run.log(std__conv1=[1.0, 1.0], std__conv2=[2.0, 2.0])
    page = run.page()
    charts = [own.split() for own in page.texts_of("figcaption")]
    assert charts == [
        ["losstraining", "validation"], ["f1test"], ["lr", "0.1"], ["stdconv1", "1conv2", "2"]
    ]  # fmt: skip
    assert page.texts_of("h2")[1:3] == ["Curves", "Diagnosis"]


def test_resumes_are_marked_and_explained(new_run):
    run = new_run().start().event(2, "saved").start(from_step=2).log(loss=[3.0, 2.0, 1.0, 0.5])
    page = run.page()
    flags = [own for _, own in page.elements if own.get("class") == "flag"]
    assert len(flags) == 1
    assert any(text.startswith("Resumed at step 2, ") for text in page.texts_of("title"))
    assert "a new process went on from a save: step 2." in page.words


def test_smoothing_is_explained_where_there_is_some(new_run):
    assert "Thick: the mean" not in new_run("a").start().log(loss=[1.0] * 50).page().words
    long = new_run("b").start().log(loss=[1.0, 2.0] * 200).page()
    assert "Thick: the mean over the 11 steps around it." in long.words


def test_values_that_are_not_finite_are_told(new_run):
    page = new_run().start().log(loss=[1.0, math.nan, math.inf]).page()
    assert "loss is not finite at 2 of 3 steps, first at step 1 (not a number)." in page.words


def test_many_metrics_are_drawn_in_part_and_counted(new_run):
    run = new_run().start()
    run.log(**{f"dead__{k}": [float(k)] for k in range(20)})
    page = run.page()
    assert "Of dead, the 8 that are highest at the end are drawn." in page.words
    (legend,) = page.texts_of("figcaption")
    assert [f"{k} {k}" in legend for k in (11, 12, 13, 19)] == [False, True, True, True]
    run.log(**{f"metric{k}": [1.0] for k in range(40)})
    page = run.page()
    assert "17 more metrics in the journal are not drawn here." in page.words
    assert sum(own.get("class") == "chart small" for _, own in page.elements) == 24


def test_thousands_of_metrics_are_not_all_read(new_run):
    page = new_run().start().log(loss=[1.0], **{f"m{k}": [1.0] for k in range(2000)}).page()
    assert "more metrics in the journal" in page.words
    assert page.texts_of("figcaption")[0].startswith("loss")
