"""Fused kernels and what stands in for them give the same, whatever the memory layout."""

from __future__ import annotations

import pytest
import torch

from refluid.paddle.fluid.optimizer import kernel

SHAPES = ((2, 3, 4, 5), (7,), (1, 1, 1, 1))


def tensors(seed, memory_format=torch.contiguous_format, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    made = [torch.rand(shape, generator=generator).to(dtype) for shape in SHAPES]
    return [t.to(memory_format=memory_format) if t.dim() == 4 else t for t in made]


def run_adam(values, grads, moments):
    kernel.adam(
        values, grads, moments, [m * m for m in moments], rate=0.1, beta1=0.9, beta2=0.99,
        epsilon=1e-3,
    )  # fmt: skip
    return values


def run_momentum(values, grads, moments):
    kernel.momentum(values, grads, moments, rate=0.1, decay=0.9, nesterov=True)
    return values


RUNS = pytest.mark.parametrize("run", [run_adam, run_momentum])


def with_gaps(tensors):
    """The same values in memory that no kernel can walk flat, so that the fallback must."""
    return [torch.stack((t, t), -1)[..., 0] for t in tensors]


@RUNS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_fallback_agrees_with_the_fused_kernel(run, dtype):
    arguments = [tensors(seed, dtype=dtype) for seed in (1, 2, 3)]
    plain = run(*(with_gaps(a) for a in arguments))
    fused = run(*arguments)
    for a, b in zip(fused, plain, strict=True):
        torch.testing.assert_close(a, b)


@RUNS
@pytest.mark.parametrize("layouts", ["LLL", "LLC", "CCL", "CLC"])
def test_mixed_layouts_give_the_same_as_plain_ones(run, layouts):
    formats = [torch.channels_last if c == "L" else torch.contiguous_format for c in layouts]
    plain = run(*(tensors(k) for k in range(3)))
    mixed = run(*(tensors(k, f) for k, f in enumerate(formats)))
    for a, b in zip(plain, mixed, strict=True):
        torch.testing.assert_close(a, b.contiguous())


@RUNS
def test_a_parameter_with_gaps_in_memory_does_not_touch_them(run):
    whole = torch.zeros(4, 4)
    run([whole[:, :2]], [torch.ones(4, 2)], [torch.ones(4, 2)])
    assert (whole[:, :2] != 0).all()
    assert (whole[:, 2:] == 0).all()


@RUNS
def test_gradients_are_only_read(run):
    grads = tensors(2)
    run(tensors(1), grads, tensors(3))
    for a, b in zip(grads, tensors(2), strict=True):
        assert torch.equal(a, b)


@RUNS
def test_half_precision_works(run):
    values = run(*(tensors(k, dtype=torch.float16) for k in range(3)))
    expected = run(*(tensors(k, dtype=torch.float16) for k in range(3)))
    assert all(v.dtype is torch.float16 for v in values)
    assert all(torch.equal(a, b) for a, b in zip(values, expected, strict=True))


def test_fused_kernels_are_used_on_this_torch():
    cpu = torch.device("cpu")
    assert kernel._adam_is_fused(cpu, torch.float32)
    assert kernel._momentum_is_fused(cpu, torch.float32)
    assert not kernel._adam_is_fused(cpu, torch.int64)
