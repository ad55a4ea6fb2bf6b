"""Deformable convolutions where the numbers are known otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L


def attr(shape):
    values = np.random.default_rng(1).normal(size=shape).astype("float32")
    return fluid.ParamAttr(initializer=fluid.initializer.NumpyArrayInitializer(values))


@pytest.fixture
def images(variable):
    return variable(np.random.default_rng(2).normal(size=(3, 4, 6, 7)))


@pytest.mark.parametrize("modulated", [True, False])
def test_without_offsets_it_is_a_convolution(variable, images, modulated):
    offset, mask = variable(np.zeros((3, 18, 3, 4))), variable(np.ones((3, 9, 3, 4)))
    settings = 5, 3, 2, 1, 1
    mine = L.deformable_conv(
        images, offset, mask, *settings, param_attr=attr((5, 4, 3, 3)), modulated=modulated
    )
    plain = L.conv2d(images, *settings, param_attr=attr((5, 4, 3, 3)))
    np.testing.assert_allclose(mine.numpy(), plain.numpy(), rtol=1e-4, atol=1e-5)


def test_whole_offsets_move_the_image(variable, images):
    # two rows down, one column to the left
    offset = np.tile(np.array([2.0, -1.0]).reshape(1, 2, 1, 1), (3, 1, 6, 7))
    weight = attr((5, 4, 1, 1))
    out = L.deformable_conv(
        images, variable(offset), variable(np.ones((3, 1, 6, 7))), 5, 1, param_attr=weight
    ).numpy()
    moved = np.zeros((3, 4, 6, 7), "float32")
    moved[:, :, :-2, 1:] = images.numpy()[:, :, 2:, :-1]
    expected = L.conv2d(variable(moved), 5, 1, param_attr=weight).numpy()
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


def test_the_step_of_its_computation_does_not_matter(variable, images):
    offset, mask = variable(np.full((3, 2, 6, 7), 0.3)), variable(np.ones((3, 1, 6, 7)))
    outs = [
        L.deformable_conv(
            images, offset, mask, 5, 1, im2col_step=step, param_attr=attr((5, 4, 1, 1))
        ).numpy()
        for step in (1, 2, 64, None)
    ]
    for out in outs[1:]:
        np.testing.assert_array_equal(out, outs[0])


def test_names_of_its_parameters(variable, images):
    with fluid.dygraph.guard(fluid.CPUPlace()):
        made = []
        initializer = fluid.initializer.Constant(1.0)

        class Noting(fluid.initializer.Initializer):
            def __call__(self, variable, block=None):
                made.append(variable.name)
                return initializer(variable, block)

        note = fluid.ParamAttr(initializer=Noting())
        offset, mask = variable(np.zeros((3, 2, 6, 7))), variable(np.ones((3, 1, 6, 7)))
        L.deformable_conv(images, offset, mask, 5, 1, param_attr=note, bias_attr=note)
    assert made == ["deformable_conv_0.w_0", "deformable_conv_0.b_0"]


def test_gradients_stay_finite_far_outside(variable, images):
    offset, mask = variable(np.full((3, 2, 6, 7), 1e30)), variable(np.ones((3, 1, 6, 7)))
    out = L.deformable_conv(images, offset, mask, 5, 1, bias_attr=False)
    L.reduce_sum(out).backward()
    assert not out.numpy().any()
    assert not offset.gradient().any()
    assert not images.gradient().any()
