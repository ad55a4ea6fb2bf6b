"""What a run came to, in a sentence, in figures and in a table."""

from __future__ import annotations

import math

PLAN = '{"epochs": 2, "steps_per_epoch": 2}'


def lead(page) -> str:
    return next(text for text in page.texts if text.endswith("."))


def test_test_accuracy_is_told_first(new_run):
    run = new_run().start().event(0, "planned", PLAN)
    run.log(loss=[4.0, 3.0, 2.0, 1.0], accuracy=[0.1, 0.2, 0.4, 0.6])
    run.log(valid_accuracy={1: 0.5, 3: 0.75}, test_accuracy={3: 0.7}).event(4, "complete")
    page = run.page()
    assert lead(page) == (
        "Accuracy is 70.0% on the test data and at best 75.0% in validation. The run is complete, "
        "with 4 steps in 2 epochs."
    )
    assert page.texts_of("dd")[:3] == ["70.0%", "75.0%step 3", "42 epochs"]


def test_training_is_given_as_the_mean_of_the_last_epoch(new_run):
    run = new_run().start().event(0, "planned", PLAN)
    run.log(loss=[4.0, 3.0, 2.0, 1.0], accuracy=[0.1, 0.2, 0.4, 0.6])
    run.log(valid_loss={1: 2.5, 3: 3.5}, test_loss={3: 3.0})
    table = run.page().texts_of("table")[0]
    assert table == (
        "Training, validation and testlossaccuracy"
        "training, mean of the last epoch1.550.0%"
        "validation, last3.5"
        "validation, best2.5step 1"
        "test3"
    )


def test_without_a_plan_it_is_the_mean_of_some_steps(new_run):
    page = new_run().start().log(loss=[1.0] * 60 + [2.0] * 50).page()
    assert page.texts_of("table")[0].endswith("training, mean of the last 50 steps2")


def test_loss_alone_is_told(new_run):
    page = new_run().start().log(loss=[3.0, 0.5]).page()
    assert lead(page) == "The training loss went from 3 to 0.5. It ended after 2 steps."


def test_accuracy_in_percent_is_not_made_a_share(new_run):
    page = new_run().start().log(valid_accuracy={0: 50.0, 5: 97.5}).page()
    assert lead(page).startswith("Accuracy is at best 97.5 on the validation data, at step 5.")


def test_run_with_one_step(new_run):
    page = new_run().start().log(loss=[2.5]).page()
    assert lead(page) == "The training loss is 2.5. It ended after 1 step."
    assert "Curves" in page.texts_of("h2")


def test_run_whose_loss_is_not_a_number(new_run):
    run = new_run().start().log(loss=[math.nan] * 3, valid_loss={2: math.nan})
    page = run.event(3, "error", "ValueError: <loss> is not a number").page()
    sentence = (
        "The validation loss is not a number. It failed after 3 steps: ValueError: <loss> is not "
        "a number"
    )
    assert sentence in page.texts
    assert "Curves" in page.texts_of("h2")


def test_run_that_measured_nothing(new_run):
    page = new_run().start().page()
    assert lead(page) == "No loss and no accuracy were logged. It ended after 0 steps."
    assert page.texts_of("h2") == ["Setup", "Interruptions", "Environment"]


def test_run_that_never_began(new_run):
    page = new_run().page()
    assert lead(page) == "No loss and no accuracy were logged. It has not begun."
    assert page.texts_of("h2") == []


def test_run_that_was_stopped_says_how_far_it_is(new_run):
    run = new_run().start().event(0, "planned", PLAN).log(loss=[1.0, 1.0, 1.0])
    page = run.event(3, "stopped", "SIGTERM").page()
    assert "It was stopped after 3 of 4 steps, and can go on." in page.words
