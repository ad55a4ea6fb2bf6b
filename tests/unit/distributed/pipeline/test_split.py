"""A model split over devices of one process; several processes are in tests/distributed."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional

from refluid import CheckpointError, DeviceError
from refluid.distributed.pipeline import split


def model():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))


def batch(num_samples=8):
    generator = torch.Generator().manual_seed(2)
    return (
        torch.randn(num_samples, 4, generator=generator),
        torch.randn(num_samples, 2, generator=generator),
    )


def test_gradients_are_those_of_the_unsplit_model():
    whole, (inputs, target) = model(), batch()
    functional.mse_loss(whole(inputs), target).backward()
    parts = split(model(), loss=functional.mse_loss, num_stages=3, num_microbatches=4)
    loss = parts.step(inputs, target)
    assert (loss.shape, loss.requires_grad, loss.dtype) == ((), False, torch.float32)
    for own, expected in zip(parts.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(own.grad, expected.grad, rtol=0, atol=1e-7)
    assert parts.plan.boundaries == [2, 4]


def test_one_part_of_the_batch_gives_the_bits_of_the_unsplit_model():
    whole, (inputs, target) = model(), batch()
    functional.mse_loss(whole(inputs), target).backward()
    parts = split(model(), loss=functional.mse_loss, boundaries=[2], num_microbatches=1)
    parts.step(inputs, target)
    for own, expected in zip(parts.parameters(), whole.parameters(), strict=True):
        assert torch.equal(own.grad, expected.grad)
    assert torch.equal(parts.predict(inputs), whole(inputs))


def test_gradients_of_two_steps_are_added():
    parts, (inputs, target) = split(model(), loss=functional.mse_loss, num_stages=2), batch()
    parts.step(inputs, target)
    once = [p.grad.clone() for p in parts.parameters()]
    parts.step(inputs, target)
    for p, gradient in zip(parts.parameters(), once, strict=True):
        torch.testing.assert_close(p.grad, 2 * gradient)


def test_state_goes_there_and_back_exactly():
    whole = model()
    parts = split(nn.Sequential(*model()), loss=functional.mse_loss, num_stages=2)
    assert list(parts.state_dict()) == list(whole.state_dict())
    with torch.no_grad():
        whole[0].weight.mul_(3)
    parts.load_state_dict({k: v.numpy() for k, v in whole.state_dict().items()})
    assert all(torch.equal(v, whole.state_dict()[k]) for k, v in parts.state_dict().items())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"0.weight": torch.zeros(2, 2)}, "`0.weight [8, 4] float32` is [2, 2] float32"),
        ({"0.bias": torch.zeros(8).double()}, "`0.bias [8] float32` is [8] float64"),
        ({"9.bias": torch.zeros(8)}, "`9.bias` is not of this model"),
        (None, "rank 0 gave None"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, text):
    parts = split(model(), loss=functional.mse_loss, num_stages=2)
    before = {k: v.clone() for k, v in parts.state_dict().items()}
    state = None if change is None else {k: v + 1 for k, v in before.items()} | change
    with pytest.raises(CheckpointError) as caught:
        parts.load_state_dict(state)
    assert text in str(caught.value)
    assert all(torch.equal(v, before[k]) for k, v in parts.state_dict().items())


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"num_stages": 4}, ValueError, "`num_stages` must be at most 3, as only so many"),
        ({"num_stages": 0}, ValueError, "`num_stages` must be a whole number from 1, but is 0"),
        ({"num_stages": 2.0}, ValueError, "`num_stages` must be a whole number"),
        ({"num_stages": 2, "boundaries": [1, 2]}, ValueError, "`num_stages` 2, `boundaries`"),
        ({"num_stages": 2, "devices": ["cpu"]}, ValueError, "`num_stages` 2, `devices` 1"),
        ({"num_microbatches": 0}, ValueError, "`num_microbatches` must be a whole number from 1"),
        ({"boundaries": [5]}, ValueError, "numbers of layers below 5"),
        ({"devices": ["cuda:77"]}, DeviceError, "`devices` is cuda:77, but this machine has"),
        ({"devices": [object()]}, TypeError, "`devices` must be a place of fluid, or a device"),
    ],
)
def test_impossible_splits_are_refused(given, error, text):
    with pytest.raises(error) as caught:
        split(model(), loss=functional.mse_loss, **given)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "target", "error", "text"),
    [
        (torch.ones(7, 4), torch.ones(7, 2), ValueError, "`num_microbatches`, 2, divides, but has"),
        (torch.ones(0, 4), torch.ones(0, 2), ValueError, "but has 0"),
        (torch.ones(8, 4), torch.ones(4, 2), ValueError, "as many samples, but have 8 and 4"),
        ([1.0], torch.ones(1, 2), TypeError, "`inputs` must be one tensor, but is list"),
        (torch.ones(8, 4), "label", TypeError, "`target` must be one tensor, but is str"),
    ],
)
def test_impossible_batches_are_refused(inputs, target, error, text):
    parts = split(model(), loss=functional.mse_loss, num_stages=2)
    with pytest.raises(error) as caught:
        parts.step(inputs, target)
    assert text in str(caught.value)


def test_a_loss_that_is_no_number_is_refused():
    parts = split(model(), loss=lambda output, target: output - target, num_stages=2)
    with pytest.raises(TypeError, match="`loss` must give the mean over the samples, a tensor of"):
        parts.step(*batch())


def test_a_layer_that_gives_something_else_is_named():
    parts = split(nn.Sequential(nn.Linear(4, 4), nn.LSTM(4, 4)), loss=functional.mse_loss)
    with pytest.raises(TypeError, match="layer `1` must give one tensor for the next layer"):
        parts.step(*batch())


def test_a_step_without_gradients_is_refused():
    parts = split(model(), loss=functional.mse_loss)
    with torch.no_grad(), pytest.raises(RuntimeError, match="`step` needs gradients"):
        parts.step(*batch())


def test_one_process_does_not_load_what_several_need():
    code = (
        "import sys, torch\nfrom refluid.distributed.pipeline import split\n"
        "split(torch.nn.Sequential(torch.nn.Linear(2, 2)), loss=None)\n"
        "assert 'torch.distributed.pipelining' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_alone_and_with_nothing_said_there_is_one_stage():
    parts = split(model(), loss=functional.mse_loss)
    assert (parts.plan.num_stages, parts.plan.num_microbatches, parts.rank) == (1, 1, 0)


@pytest.mark.gpu
def test_stages_on_a_gpu_and_the_cpu_train_as_one():
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    whole, (inputs, target) = model(), batch()
    functional.mse_loss(whole(inputs), target).backward()
    parts = split(model(), loss=functional.mse_loss, boundaries=[2], devices=["cuda:0", "cpu"])
    parts.step(inputs, target)
    assert [p.device.type for p in parts.parameters()] == ["cuda"] * 2 + ["cpu"] * 4
    for own, expected in zip(parts.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(own.grad.cpu(), expected.grad, rtol=0, atol=1e-5)
