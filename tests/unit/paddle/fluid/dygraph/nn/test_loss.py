"""The losses as layers."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph.base import to_variable
from refluid.paddle.fluid.dygraph.nn import BCELoss, L1Loss, MSELoss, NLLLoss


@pytest.mark.parametrize("layer", [MSELoss, L1Loss, BCELoss, NLLLoss])
@pytest.mark.parametrize(("reduction", "shape"), [("mean", [1]), ("sum", [1]), ("none", None)])
def test_a_full_reduction_has_one_dimension(variable, layer, reduction, shape):
    x = variable(np.full((3, 4), 0.5), "float32")
    label = to_variable(np.array([0, 1, 2])) if layer is NLLLoss else x
    made = layer(reduction=reduction)
    assert made.reduction == reduction
    assert made.parameters() == []
    assert made(x, label).shape == (shape or ([3] if layer is NLLLoss else [3, 4]))


def test_a_weight_must_be_a_variable(variable):
    ones = np.ones(4, "float32")
    x = variable(np.full((3, 4), 0.5), "float32")
    with pytest.raises(ValueError, match="`weight` must be a Variable, but received ndarray"):
        BCELoss(ones)(x, x)
    with pytest.raises(TypeError, match=r"`weight` must be a Variable, but received numpy\."):
        NLLLoss(ones)(x, to_variable(np.array([0, 1, 2])))
    assert BCELoss(to_variable(ones))(x, x).shape == [1]
    assert NLLLoss(to_variable(ones), ignore_index=1).ignore_index == 1
