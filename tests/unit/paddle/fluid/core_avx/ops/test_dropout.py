"""What is dropped, and how the rest is scaled."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.core_avx.ops.dropout import dropout
from refluid.paddle.fluid.dygraph.base import to_variable

ONES = np.ones((4, 500), "float32")
# PaddlePaddle 1.8.5 on a CPU: layers.dropout(ones([1, 20]), 0.4, seed=1)
KEPT_BY_PADDLE = [0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_drops_what_paddle_drops(seed):
    out = dropout(to_variable(np.ones((1, 20), "float32")), 0.4, seed, True)
    assert out.numpy().tolist() == [KEPT_BY_PADDLE]


def test_without_a_seed_torchs_generator_decides():
    x = to_variable(ONES)
    torch.manual_seed(3)
    first, second = dropout(x, 0.4, None, True).numpy(), dropout(x, 0.4, None, True).numpy()
    torch.manual_seed(3)
    np.testing.assert_array_equal(dropout(x, 0.4, None, True).numpy(), first)
    assert (first != second).any()
    assert 0.5 < first.mean() < 0.7


@pytest.mark.parametrize(
    ("implementation", "training", "values"),
    [
        ("downgrade_in_infer", True, [0, 1]),
        ("downgrade_in_infer", False, [0.75]),
        ("upscale_in_train", True, [0, 4 / 3]),
        ("upscale_in_train", False, [1]),
    ],
)
def test_the_rest_is_scaled_where_the_implementation_says(implementation, training, values):
    x = to_variable(ONES)
    x.stop_gradient = False
    out = dropout(x, 0.25, None, training, implementation)
    out.backward()
    np.testing.assert_allclose(np.unique(out.numpy()), values, 1e-6)
    np.testing.assert_array_equal(x.gradient(), out.numpy())


@pytest.mark.parametrize("implementation", ["downgrade_in_infer", "upscale_in_train"])
@pytest.mark.parametrize("probability", [0, 1])
def test_all_or_nothing_can_be_dropped(implementation, probability):
    out = dropout(to_variable(ONES), probability, None, True, implementation)
    assert np.unique(out.numpy()).tolist() == [1 - probability]


def test_the_input_stays_as_it_is():
    x = to_variable(ONES.copy())
    for training in (True, False):
        for implementation in ("downgrade_in_infer", "upscale_in_train"):
            out = dropout(x, 0.5, None, training, implementation)
            out.set_value(np.zeros_like(ONES))
    assert (x.numpy() == 1).all()
