"""Deterministic mode holds within its block, and leaves nothing behind."""

from __future__ import annotations

import os

import pytest
import torch
from torch.backends import cudnn

from refluid.state.deterministic import deterministic

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def settings():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
        cudnn.deterministic,
        cudnn.benchmark,
        os.environ.get(WORKSPACE),
    )


@pytest.fixture(autouse=True)
def _as_at_start(monkeypatch):
    monkeypatch.delenv(WORKSPACE, raising=False)
    before = settings()
    yield
    assert settings()[:5] == before[:5]


def test_within_the_block_torch_is_deterministic():
    with deterministic():
        assert settings() == (True, False, False, True, False, ":4096:8")


def test_everything_is_put_back():
    before = settings()
    with deterministic():
        pass
    assert settings() == before


def test_everything_is_put_back_after_an_error():
    before = settings()
    with pytest.raises(KeyError), deterministic():
        raise KeyError
    assert settings() == before


def test_settings_of_the_program_come_back():
    torch.use_deterministic_algorithms(True, warn_only=True)
    cudnn.benchmark = True
    try:
        before = settings()
        with deterministic():
            assert settings() != before
        assert settings() == before
    finally:
        torch.use_deterministic_algorithms(False)
        cudnn.benchmark = False


def test_a_workspace_that_the_user_has_set_stays(monkeypatch):
    monkeypatch.setenv(WORKSPACE, ":16:8")
    with deterministic():
        assert os.environ[WORKSPACE] == ":16:8"
    assert os.environ[WORKSPACE] == ":16:8"


def test_an_operation_without_a_deterministic_form_is_an_error():
    def run():
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.ones(2), accumulate=False)

    run()
    with deterministic(), pytest.raises(RuntimeError, match="deterministic"):
        run()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cublas_works_within_the_block():
    with deterministic():
        a = torch.ones(8, 8, device="cuda")
        assert (a @ a).sum().item() == 512
