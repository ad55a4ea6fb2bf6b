"""Normalizations by their formulas, with Paddle's statistics and Paddle's gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops.norm import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    spectral_norm,
)
from refluid.paddle.fluid.dygraph.base import to_variable
from refluid.paddle.fluid.dygraph.nn import BatchNorm

EPSILON = 1e-5


def normalized(x, axes):
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + EPSILON)


@pytest.fixture
def statistics():
    """Make a moving mean of zeros and a moving variance of ones."""

    def make(channels):
        return to_variable(np.zeros(channels, "float32")), to_variable(np.ones(channels, "float32"))

    return make


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5), (2, 4, 5, 6), (2, 4, 3, 2, 3)])
def test_a_batch_is_normalized_by_its_own_statistics(numbers, variable, statistics, shape):
    x, weight, bias = numbers(1, *shape), numbers(2, 4), numbers(3, 4)
    mean, variance = statistics(4)
    out = batch_norm(
        variable(x), variable(weight), variable(bias), mean, variance, 0.9, EPSILON, True
    )
    axes = (0, *range(2, len(shape)))
    wide = (1, 4, *[1] * (len(shape) - 2))
    expected = normalized(x, axes) * weight.reshape(wide) + bias.reshape(wide)
    np.testing.assert_allclose(out.numpy(), expected, 1e-4, 1e-5)
    np.testing.assert_allclose(mean.numpy(), 0.1 * x.mean(axes), 1e-5, 1e-6)
    np.testing.assert_allclose(variance.numpy(), 0.9 + 0.1 * x.var(axes), 1e-5, 1e-6)


def test_evaluation_normalizes_by_the_moving_statistics_and_keeps_them(numbers, variable):
    x = numbers(1, 5, 4)
    mean, variance = to_variable(numbers(2, 4)), to_variable(numbers(3, 4) + 2)
    kept = mean.numpy(), variance.numpy()
    out = batch_norm(variable(x), None, None, mean, variance, 0.9, EPSILON, False)
    np.testing.assert_allclose(out.numpy(), (x - kept[0]) / np.sqrt(kept[1] + EPSILON), 1e-4, 1e-5)
    np.testing.assert_array_equal(mean.numpy(), kept[0])
    np.testing.assert_array_equal(variance.numpy(), kept[1])


def test_one_value_in_each_channel_is_returned_as_it_is(numbers, variable, statistics):
    x = numbers(1, 1, 4, 1, 1)
    mean, variance = statistics(4)
    out = batch_norm(variable(x), variable(numbers(2, 4)), None, mean, variance, 0.9, 0.0, True)
    np.testing.assert_array_equal(out.numpy(), x)
    assert mean.numpy().tolist() == [0] * 4


@pytest.mark.parametrize("act", [None, "relu"])
def test_nothing_at_all_is_evaluated_to_nothing(variable, statistics, act):
    x = variable(np.empty((0, 4, 2)), "float32")
    out = batch_norm(x, None, None, *statistics(4), 0.9, EPSILON, False, "NCHW", act)
    out.backward()
    assert x.gradient().shape == out.numpy().shape == (0, 4, 2)


def test_training_after_an_evaluation_leaves_its_gradient_possible(numbers, variable, statistics):
    x, moving = variable(numbers(1, 5, 4)), statistics(4)
    evaluated = batch_norm(x, variable(numbers(2, 4)), None, *moving, 0.9, EPSILON, False)
    batch_norm(x, None, None, *moving, 0.9, EPSILON, True)
    evaluated.backward()
    assert np.isfinite(x.gradient()).all()


@pytest.mark.parametrize("act", [None, "relu"])
def test_channels_may_stand_last(numbers, variable, statistics, act):
    x, weight, bias = numbers(1, 2, 3, 3, 4), numbers(2, 4), numbers(3, 4)
    for op in ("batch", "group"):
        outs = []
        for layout, values in (("NHWC", x), ("NCHW", x.transpose(0, 3, 1, 2))):
            if op == "batch":
                args = *statistics(4), 0.9, EPSILON, True, layout, act
                out = batch_norm(variable(values), variable(weight), variable(bias), *args)
            else:
                args = EPSILON, 2, act, layout
                out = group_norm(variable(values), variable(weight), variable(bias), *args)
            outs.append(out.numpy())
        np.testing.assert_allclose(outs[0], outs[1].transpose(0, 2, 3, 1), 1e-5, 1e-6)


@pytest.mark.parametrize("begin", [1, 2])
def test_layers_are_normalized_over_the_last_dimensions(numbers, variable, begin):
    x = numbers(1, 3, 4, 5)
    size = int(np.prod(x.shape[begin:]))
    weight, bias = numbers(2, size), numbers(3, size)
    out = layer_norm(variable(x), variable(weight), variable(bias), begin, EPSILON)
    shape = x.shape[begin:]
    expected = normalized(x, tuple(range(begin, 3))) * weight.reshape(shape) + bias.reshape(shape)
    np.testing.assert_allclose(out.numpy(), expected, 1e-4, 1e-5)


def test_instances_are_normalized_channel_by_channel(numbers, variable):
    x, scale, bias = numbers(1, 2, 4, 3, 5), numbers(2, 4), numbers(3, 4)
    out = instance_norm(variable(x), variable(scale), variable(bias), EPSILON)
    wide = (1, 4, 1, 1)
    expected = normalized(x, (2, 3)) * scale.reshape(wide) + bias.reshape(wide)
    np.testing.assert_allclose(out.numpy(), expected, 1e-4, 1e-5)


@pytest.mark.parametrize(("groups", "parts"), [(1, [6]), (2, [3, 3]), (4, [2, 2, 2]), (6, [1] * 6)])
def test_groups_take_equal_parts_of_the_channels(numbers, variable, groups, parts):
    x = numbers(1, 2, 6, 3, 4)
    out = group_norm(variable(x), variable(np.ones(6), "float32"), None, EPSILON, groups)
    split = np.split(x, np.cumsum(parts)[:-1], 1)
    expected = np.concatenate([normalized(part, (1, 2, 3)) for part in split], 1)
    np.testing.assert_allclose(out.numpy(), expected, 1e-4, 1e-5)


@pytest.mark.parametrize("weighted", [True, False])
def test_without_a_weight_groups_pass_gradients_past_the_mean(numbers, variable, weighted):
    x, back = numbers(1, 1, 2, 3, 3), numbers(2, 1, 2, 3, 3)
    weight = variable(np.ones(2), "float32") if weighted else None
    v = variable(x)
    (group_norm(v, weight, None, EPSILON, 1) * to_variable(back)).backward()
    y, inverse = normalized(x, (1, 2, 3)), 1 / np.sqrt(x.var() + EPSILON)
    expected = inverse * (back - y * (back * y).mean())
    if weighted:
        expected -= inverse * back.mean()
    np.testing.assert_allclose(v.gradient(), expected, 1e-4, 1e-5)


@pytest.mark.parametrize("groups", [2, 4])
def test_groups_of_one_or_several_sizes_have_one_gradient(numbers, variable, groups):
    x, back = numbers(1, 2, 6, 3, 4), numbers(2, 2, 6, 3, 4)
    size = -(-6 // groups)
    whole = variable(x)
    (group_norm(whole, None, None, EPSILON, groups) * to_variable(back)).backward()
    for start in range(0, 6, size):
        part = variable(x[:, start : start + size])
        out = group_norm(part, None, None, EPSILON, 1)
        (out * to_variable(back[:, start : start + size])).backward()
        expected = part.gradient()
        np.testing.assert_allclose(whole.gradient()[:, start : start + size], expected, 1e-5, 1e-6)


@pytest.mark.parametrize("dim", [0, 1])
def test_many_iterations_divide_by_the_largest_singular_value(numbers, variable, dim):
    weight = numbers(1, 3, 4, 2)
    matrix = np.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1)
    u, v = variable(numbers(2, matrix.shape[0])), variable(numbers(3, matrix.shape[1]))
    out = spectral_norm(variable(weight), u, v, dim, 200, 1e-12)
    expected = weight / np.linalg.svd(matrix, compute_uv=False)[0]
    np.testing.assert_allclose(out.numpy(), expected, 1e-4, 1e-5)
    np.testing.assert_array_equal(u.numpy(), numbers(2, matrix.shape[0]))


def test_spectral_norm_has_paddles_gradient(numbers, variable):
    values, back = numbers(1, 3, 4), numbers(2, 3, 4)
    weight = variable(values)
    u, v = numbers(3, 3), numbers(4, 4)
    out = spectral_norm(weight, variable(u), variable(v), 0, 0, 1e-12)
    (out * to_variable(back)).backward()
    sigma = u @ values @ v
    expected = back * (1 / sigma - np.outer(u, v) * values.sum() / sigma**2)
    np.testing.assert_allclose(weight.gradient(), expected, 1e-4, 1e-5)


@pytest.mark.parametrize("epsilon", [0.01, -1e-6])
def test_a_large_epsilon_is_refused(numbers, variable, statistics, epsilon):
    x = variable(numbers(1, 3, 4))
    with pytest.raises(EnforceNotMet, match=r"batch_norm: `epsilon` must be from 0 to 0\.001"):
        batch_norm(x, None, None, *statistics(4), 0.9, epsilon, True)
    with pytest.raises(EnforceNotMet, match="layer_norm: `epsilon`"):
        layer_norm(x, None, None, 1, epsilon)
    with pytest.raises(EnforceNotMet, match="instance_norm: `epsilon`"):
        instance_norm(x, None, None, epsilon)


def test_shapes_that_do_not_fit_are_refused_by_name(numbers, variable, statistics):
    x = variable(numbers(1, 2, 4, 3))
    with pytest.raises(EnforceNotMet, match=r"`input` must have 3 channels.*\[2, 4, 3\]"):
        batch_norm(x, None, None, *statistics(3), 0.9, EPSILON, True)
    with pytest.raises(EnforceNotMet, match="`input` must have 2 to 5 dimensions"):
        batch_norm(variable(numbers(1, 4)), None, None, *statistics(4), 0.9, EPSILON, True)
    for short in range(3):
        sizes = [3 if k == short else 4 for k in range(3)]
        weight, bias, variance = (variable(numbers(1, size)) for size in sizes)
        mean = statistics(4)[0]
        for training in (True, False):
            with pytest.raises(EnforceNotMet, match=r"shape of the mean, \[4\].*received \[3\]"):
                batch_norm(x, weight, bias, mean, variance, 0.9, EPSILON, training)
    with pytest.raises(EnforceNotMet, match="`data_layout`"):
        batch_norm(x, None, None, *statistics(4), 0.9, EPSILON, True, "CHW")
    with pytest.raises(EnforceNotMet, match="`input` must have dimensions before"):
        layer_norm(x, None, None, 0, EPSILON)
    with pytest.raises(EnforceNotMet, match=r"`groups` must be from 1 to .* 4, but received 5"):
        group_norm(x, None, None, EPSILON, 5)
    with pytest.raises(EnforceNotMet, match="as many channels as the weight"):
        group_norm(x, variable(numbers(1, 3)), None, EPSILON, 2)
    with pytest.raises(EnforceNotMet, match="`dim` must be 0 or 1"):
        spectral_norm(x, variable(numbers(1, 3)), variable(numbers(1, 8)), 2, 1, 1e-12)
    with pytest.raises(EnforceNotMet, match="`weight` must have 3 rows"):
        spectral_norm(x, variable(numbers(1, 3)), variable(numbers(1, 8)), 0, 1, 1e-12)


def test_statistics_are_not_part_of_the_graph(numbers, variable, statistics):
    mean, variance = statistics(4)
    batch_norm(variable(numbers(1, 3, 4)), None, None, mean, variance, 0.9, EPSILON, True)
    assert not torch.Tensor.requires_grad.__get__(mean)
    assert mean.stop_gradient


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("sizes", [(8, 8), (8, 1), (4, 8, 8)])
@pytest.mark.parametrize("layout", ["contiguous", "channels last"])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_gradients_are_right_in_every_layout(
    numbers, variable, statistics, norm, layout, sizes, batch
):
    """A convolution hands back channels-last gradients, which torch misreads in a batch of one."""
    values = numbers(0, batch, 32, *sizes)
    x = variable(values)
    if norm == "instance":
        out, axes = instance_norm(x, None, None, 1e-5), tuple(range(2, values.ndim))
    else:
        layer = BatchNorm(32)
        out, axes = layer(x), (0, *range(2, values.ndim))
    last = torch.channels_last if values.ndim == 4 else torch.channels_last_3d
    form = last if layout == "channels last" else torch.contiguous_format
    gradient = torch.from_numpy(numbers(1, *values.shape)).contiguous(memory_format=form)
    (found,) = torch.autograd.grad(out.as_subclass(torch.Tensor), x, gradient)
    exact = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    spread = torch.sqrt(exact.var(axes, correction=0, keepdim=True) + 1e-5)
    (expected,) = torch.autograd.grad(
        (exact - exact.mean(axes, keepdim=True)) / spread, exact, gradient.double()
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
