"""Functions with weights of their own: names, several inputs, new weights at each call."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L


@pytest.fixture
def made(monkeypatch):
    """Return the names of the parameters that a function makes, in order."""

    def names(function):
        found = []
        original = fluid.framework.ParamBase.__new__

        def noting(cls, *args, **kwargs):
            parameter = original(cls, *args, **kwargs)
            found.append(parameter.name)
            return parameter

        with monkeypatch.context() as patch:
            patch.setattr(fluid.framework.ParamBase, "__new__", noting)
            function()
        return found

    return names


# names that PaddlePaddle 1.8.5 gives
NAMED = [
    (lambda x: L.fc(x, 3), ["fc_0.w_0", "fc_0.b_0"]),
    (lambda x: L.fc([x, x], 3), ["fc_0.w_0", "fc_0.w_1", "fc_0.b_0"]),
    (lambda x: L.fc(x, 3, name="head", bias_attr=False), ["head.w_0"]),
    (lambda x: L.conv2d(x, 3, 3, groups=1), ["conv2d_0.w_0", "conv2d_0.b_0"]),
    (
        lambda x: L.batch_norm(x),
        ["batch_norm_0.w_0", "batch_norm_0.b_0", "batch_norm_0.w_1", "batch_norm_0.w_2"],
    ),
    (lambda x: L.prelu(x, "all"), ["prelu_0.w_0"]),
    (lambda x: L.group_norm(x, 2), []),
    (lambda x: L.create_parameter([2], "float32"), ["create_parameter_0.w_0"]),
    (lambda x: L.create_parameter([2], "float32", name="own"), ["own"]),
]


@pytest.mark.parametrize(("function", "names"), NAMED)
def test_parameters_are_named_as_in_paddle(variable, made, function, names):
    x = variable(np.ones((2, 4, 5, 5)))
    assert made(lambda: function(x)) == names


def test_each_call_makes_new_weights(variable, made):
    x = variable(np.ones((2, 4)))
    assert made(lambda: (L.fc(x, 1, bias_attr=False), L.fc(x, 1, bias_attr=False))) == [
        "fc_0.w_0",
        "fc_1.w_0",
    ]


def test_a_name_is_given_once(variable):
    x = variable(np.ones((2, 4)))
    L.fc(x, 1, param_attr=fluid.ParamAttr(name="weight"))
    with pytest.raises(ValueError, match="'weight' exists already"):
        L.fc(x, 1, param_attr=fluid.ParamAttr(name="weight"))


def test_a_padded_number_gives_zeros(variable):
    out = L.embedding(variable([[1], [4]], "int64"), [5, 3], padding_idx=-1).numpy()
    assert (out[1] == 0).all()
    assert (out[0] != 0).any()
