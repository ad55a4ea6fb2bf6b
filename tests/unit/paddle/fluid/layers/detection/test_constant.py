"""What is made once for all calls stays as it is, whatever a program does with the results."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L

CALLS = {
    "prior_box": lambda m: L.prior_box(m, m, [4.0], clip=True),
    "density_prior_box": lambda m: L.density_prior_box(m, m, [2], [4.0], [1.0], clip=True),
    "anchor_generator": lambda m: L.anchor_generator(m, [8.0], [1.0], stride=[4.0, 4.0]),
    "polygon_box_transform": lambda m: [L.polygon_box_transform(m)],
    "add_position_encoding": lambda m: [L.add_position_encoding(m[0], 1.0, 1.0)],
}


@pytest.mark.parametrize("name", CALLS)
def test_a_result_that_is_overwritten_does_not_change_the_next(variable, name):
    image = variable(np.ones((1, 2, 3, 4)))
    first = CALLS[name](image)
    expected = [out.numpy() for out in first]
    for out in first:
        out.set_value(np.full(out.shape, 7.0, "float32"))
    for out, values in zip(CALLS[name](image), expected, strict=True):
        np.testing.assert_array_equal(out.numpy(), values)


@pytest.mark.parametrize("name", CALLS)
def test_the_element_type_is_that_of_the_call(variable, name):
    for dtype in ("float32", "float64", "float32"):
        image = variable(np.ones((1, 2, 3, 4)), dtype)
        assert [out.numpy().dtype for out in CALLS[name](image)] == [dtype] * len(
            CALLS[name](image)
        )


def test_priors_are_those_of_the_size_of_the_call(variable):
    image = variable(np.ones((1, 1, 40, 60)))
    for height, width in ((2, 3), (3, 2), (2, 3)):
        boxes = L.prior_box(variable(np.ones((1, 1, height, width))), image, [4.0])[0].numpy()
        x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
        half = np.array([2 / 60, 2 / 40])
        centre = np.stack([x, y], -1)
        expected = np.concatenate([centre - half, centre + half], -1)
        np.testing.assert_allclose(boxes[:, :, 0], expected, rtol=1e-5, atol=1e-7)
