"""A run that went on in another environment is told from one that went on exactly."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def broken_off(clinic, tmp_path):
    """A run that was broken off in its third epoch, and the way to go on with it."""
    patient = clinic.Patient(epochs=4, options={"config": {"lr": 0.001}})

    def go_on(until=None):
        if until is None:
            patient.train(tmp_path)
            return {each.kind: each for each in clinic.examined(tmp_path).findings}
        with pytest.raises(clinic.BrokenOff):
            patient.train(tmp_path, until=until)
        return {}

    go_on(until=90)
    return go_on


def test_an_exact_resume_is_no_finding(threads, broken_off):
    assert broken_off() == {}


def test_a_resume_with_more_threads_is_found_at_its_step(threads, broken_off):
    threads(2)
    found = broken_off()
    assert found.keys() == {"inexact_resume"}
    # epochs of 38 steps: the save before step 90 is after the second
    assert found["inexact_resume"].steps == (76,)
    assert "step 76 (epoch 3)" in found["inexact_resume"].evidence
    assert "threads" in found["inexact_resume"].evidence


def test_steps_that_were_done_again_do_not_count(threads, broken_off):
    threads(2)
    broken_off(until=100)
    threads(1)
    assert broken_off() == {}


def test_a_damaged_checkpoint_is_a_note(threads, broken_off, tmp_path):
    state = max((tmp_path / "checkpoints").glob("step-*")) / "state.safetensors"
    content = bytearray(state.read_bytes())
    content[-1] ^= 1
    state.write_bytes(content)
    found = broken_off()
    assert found.keys() == {"damaged_checkpoint"}
    assert "the numbers are exact" in found["damaged_checkpoint"].evidence
