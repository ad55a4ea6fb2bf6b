"""Batches are dealt to the processes as in Paddle 1.8.5."""

from __future__ import annotations

import pytest

from refluid.paddle.fluid.contrib import distributed_batch_reader


def dealt(monkeypatch, count: int, rank: int) -> list[str]:
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", str(count))
    monkeypatch.setenv("PADDLE_TRAINER_ID", str(rank))
    return list(distributed_batch_reader(lambda: iter("abcdefg"))())


def test_batches_are_dealt_in_turn_and_an_incomplete_round_is_dropped(monkeypatch, capsys):
    assert dealt(monkeypatch, 1, 0) == list("abcdefg")
    assert capsys.readouterr().out == ""
    assert dealt(monkeypatch, 2, 0) == ["a", "c", "e"]
    assert dealt(monkeypatch, 2, 1) == ["b", "d", "f"]
    assert dealt(monkeypatch, 3, 2) == ["c", "f"]
    assert capsys.readouterr().out.splitlines()[-1] == (
        "start data reader (trainers_num: 3, trainer_id: 2)"
    )


def test_without_a_launcher_every_batch_is_given(monkeypatch):
    monkeypatch.delenv("PADDLE_TRAINERS_NUM", raising=False)
    monkeypatch.delenv("PADDLE_TRAINER_ID", raising=False)
    assert list(distributed_batch_reader(lambda: range(3))()) == [0, 1, 2]


def test_the_environment_is_read_when_the_reader_is_made(monkeypatch):
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "2")
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    reader = distributed_batch_reader(lambda: range(4))
    monkeypatch.setenv("PADDLE_TRAINER_ID", "0")
    assert list(reader()) == [1, 3]


def test_a_rank_outside_of_the_run_is_refused(monkeypatch):
    with pytest.raises(AssertionError, match="PADDLE_TRAINER_ID is 2, but must be below 2"):
        dealt(monkeypatch, 2, 2)
