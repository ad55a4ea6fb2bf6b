"""The layers that multiply."""

from __future__ import annotations

import pytest

from refluid.paddle.fluid.dygraph.nn import BilinearTensorProduct


@pytest.mark.parametrize("act", [None, "tanh"])
def test_a_given_name_is_that_of_a_result_without_activation(numbers, variable, act):
    layer = BilinearTensorProduct(3, 4, 5, name="pair", act=act)
    out = layer(variable(numbers(1, 2, 3)), variable(numbers(2, 2, 4)))
    assert (out.name == "bilinear_tensor_product_0.pair") == (act is None)
