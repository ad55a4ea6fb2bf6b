"""How often a run was interrupted, and what is known about how exactly it went on."""

from __future__ import annotations

EXACT = "it is the run that it would have been without an interruption, bit for bit"


def interrupted(run):
    return run.log(loss=[1.0] * 9)


def test_run_in_one_piece(new_run):
    page = interrupted(new_run().start()).event(9, "complete").page()
    assert "It ran in one piece, in one process." in page.words
    assert "0 timesran in one piece" in page.texts_of("dd")


def test_kills_and_stops_are_counted_and_listed(new_run):
    run = new_run().start().event(3, "saved").start(from_step=3)
    run.event(6, "stopped", "SIGTERM").start(from_step=6).event(9, "complete")
    page = interrupted(run).page()
    assert "It was interrupted 2 times (1 kill)" in page.words
    assert EXACT in page.words
    assert "2 timeswent on exactly" in page.texts_of("dd")
    table = next(own for own in page.texts_of("table") if own.startswith("The processes"))
    for row in ("0killedhost, 17", "3stopped: SIGTERMhost, 17", "6came to its endhost, 17"):
        assert row in table


def test_change_puts_exactness_in_doubt(new_run):
    run = new_run().start().start(from_step=3)
    run.event(3, "changed", "torch: <2.12> before, 2.13 now")
    page = interrupted(run).page()
    assert EXACT not in page.words
    (told,) = [text for text in page.texts if text.startswith("It may not have gone on exactly. ")]
    assert "torch: <2.12> before, 2.13 now" in told
    assert "1 timemay not be exact" in page.texts_of("dd")


def test_difference_between_processes_is_found_where_no_event_tells_it(new_run):
    run = new_run().start(environment={"torch": "2.12"})
    run.start(from_step=3, environment={"torch": "2.13"})
    page = interrupted(run).page()
    assert EXACT not in page.words
    assert "1 timemay not be exact" in page.texts_of("dd")


def test_damaged_save_is_told_and_costs_no_exactness(new_run):
    run = new_run().start().event(6, "damaged", "a bit").start(from_step=3)
    page = interrupted(run).page()
    assert EXACT in page.words
    assert any(text.startswith("Damaged: ") and "(a bit)" in text for text in page.texts)


def test_process_that_began_anew_was_not_interrupted(new_run):
    page = interrupted(new_run().start().start()).page()
    assert "It was begun 2 times, each time from the beginning" in page.words
    assert EXACT not in page.words


def test_many_processes_are_listed_in_part(new_run):
    run = new_run()
    for step in range(210):
        run.start(from_step=step)
    page = interrupted(run).page()
    table = next(own for own in page.texts_of("table") if own.startswith("The processes"))
    assert table.count("host, 17") == 200
    assert "209 timeswent on exactly" in page.texts_of("dd")
