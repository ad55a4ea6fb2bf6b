"""Products with weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops.linear import bilinear_tensor_product, linear


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_the_last_dimension_is_multiplied(numbers, variable, shape):
    x, weight, bias = numbers(1, *shape), numbers(2, 4, 5), numbers(3, 5)
    out = linear(variable(x), variable(weight), variable(bias), "relu")
    np.testing.assert_allclose(out.numpy(), np.maximum(x @ weight + bias, 0), 1e-5, 1e-6)


@pytest.mark.parametrize("shape", [(1, 3), (100, 784), (33, 17)])
def test_a_matrix_gives_the_bits_of_torchs_own_linear(numbers, variable, shape):
    arrays = numbers(1, *shape), numbers(2, shape[1], 10), numbers(3, 10)
    x, weight, bias = map(variable, arrays)
    out = linear(x, weight, bias)
    (out * out).backward()
    tensors = [torch.from_numpy(a).requires_grad_() for a in arrays]
    expected = functional.linear(tensors[0], tensors[1].t(), tensors[2])
    (expected * expected).sum().backward()
    assert out.numpy().tobytes() == expected.detach().numpy().tobytes()
    for ours, theirs in zip((x, weight, bias), tensors, strict=True):
        assert ours.gradient().tobytes() == theirs.grad.numpy().tobytes()


def test_pairs_are_multiplied_by_one_matrix_for_each_output(numbers, variable):
    x, y, weight, bias = numbers(1, 2, 3), numbers(2, 2, 4), numbers(3, 5, 3, 4), numbers(4, 1, 5)
    out = bilinear_tensor_product(*map(variable, (x, y, weight, bias)), "tanh")
    expected = np.tanh(np.einsum("bn,knm,bm->bk", x, weight, y) + bias)
    np.testing.assert_allclose(out.numpy(), expected, 1e-5, 1e-6)


def test_what_does_not_fit_is_refused_by_name(numbers, variable):
    weight = variable(numbers(1, 5, 3, 4))
    with pytest.raises(EnforceNotMet, match=r"last dimension of `input` must be 5.*\[2, 4\]"):
        linear(variable(numbers(1, 2, 4)), variable(numbers(1, 5, 3)), None)
    with pytest.raises(EnforceNotMet, match=r"`x` must have shape \[batch, 3\]"):
        bilinear_tensor_product(
            variable(numbers(1, 2, 2)), variable(numbers(1, 2, 4)), weight, None
        )
    with pytest.raises(EnforceNotMet, match="`x` and `y` must have as many rows"):
        bilinear_tensor_product(
            variable(numbers(1, 2, 3)), variable(numbers(1, 3, 4)), weight, None
        )
