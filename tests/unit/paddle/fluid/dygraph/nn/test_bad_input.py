"""Every layer answers bad arguments and bad inputs with an error that names them."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.dygraph import nn
from refluid.paddle.fluid.dygraph.base import to_variable


def floats(*shape):
    return np.random.RandomState(1).uniform(0.1, 0.9, shape).astype("float32")


IMAGE, VOLUME, ROWS = floats(2, 4, 5, 6), floats(1, 2, 3, 4, 5), floats(3, 4)
LABEL, EDGES = np.array([[1], [0], [2]]), np.array([[[1, 2], [1, 3]]], "int32")
# class: (arguments, inputs)
GOOD = {
    "Conv2D": ((4, 2, 3), (IMAGE,)),
    "Conv2DTranspose": ((4, 2, 3), (IMAGE,)),
    "Conv3D": ((2, 2, 2), (VOLUME,)),
    "Conv3DTranspose": ((2, 2, 2), (VOLUME,)),
    "Pool2D": ((2,), (IMAGE,)),
    "Linear": ((4, 2), (ROWS,)),
    "BilinearTensorProduct": ((4, 2, 3), (ROWS, floats(3, 2))),
    "BatchNorm": ((4,), (IMAGE,)),
    "LayerNorm": ((4,), (ROWS,)),
    "GroupNorm": ((4, 2), (IMAGE,)),
    "InstanceNorm": ((4,), (IMAGE,)),
    "SpectralNorm": (([3, 4],), (ROWS,)),
    "Embedding": (([5, 2],), (LABEL,)),
    "Dropout": ((), (ROWS,)),
    "PRelu": (("channel", 4), (IMAGE,)),
    "GRUUnit": ((6,), (floats(3, 6), floats(3, 2))),
    "NCE": ((5, 4), (ROWS, LABEL)),
    "TreeConv": ((3, 2), (floats(1, 4, 3), EDGES)),
    "MSELoss": ((), (ROWS, ROWS)),
    "L1Loss": ((), (ROWS, ROWS)),
    "BCELoss": ((), (ROWS, ROWS)),
    "NLLLoss": ((), (ROWS, LABEL[:, 0])),
}
ACT = [
    "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "Linear", "BilinearTensorProduct",
    "BatchNorm", "LayerNorm", "GroupNorm", "TreeConv",
]  # fmt: skip
WEIGHT = [
    "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "Linear", "BilinearTensorProduct",
    "BatchNorm", "InstanceNorm", "Embedding", "PRelu", "GRUUnit", "NCE", "TreeConv",
]  # fmt: skip
# without parameters nothing says which of the floating-point types the input must be
ANY_FLOAT = ["Pool2D", "GroupNorm", "Dropout", "NLLLoss"]


def test_every_layer_is_here():
    assert sorted(GOOD) == sorted(nn.__all__)


@pytest.mark.parametrize("name", GOOD)
def test_the_good_ones_work(name):
    args, inputs = GOOD[name]
    getattr(nn, name)(*args)(*map(to_variable, inputs))


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("bad", [np.ones((3, 4), "float32"), [1.0], None, 3])
def test_an_input_that_is_no_variable_is_refused(name, bad):
    args, inputs = GOOD[name]
    layer = getattr(nn, name)(*args)
    for k in range(len(inputs)):
        variables = [to_variable(a) for a in inputs]
        variables[k] = bad
        with pytest.raises(TypeError, match="` must be a Variable, but received"):
            layer(*variables)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("dtype", ["bool", "float64"])
def test_an_input_of_another_element_type_is_refused(name, dtype):
    args, inputs = GOOD[name]
    layer = getattr(nn, name)(*args)
    for k, array in enumerate(inputs):
        if dtype == "float64" and name in ANY_FLOAT and array.dtype == "float32":
            continue
        variables = [to_variable(a) for a in inputs]
        variables[k] = to_variable(array.astype(dtype))
        with pytest.raises(EnforceNotMet, match=r"must (be of|have one element type)"):
            layer(*variables)


@pytest.mark.parametrize("name", sorted(set(GOOD) - {"Dropout", "Embedding", "MSELoss", "L1Loss"}))
def test_an_input_of_another_shape_is_refused(name):
    args, inputs = GOOD[name]
    layer = getattr(nn, name)(*args)
    shape = list(inputs[0].shape)
    wrong = to_variable(floats(*shape[:1], shape[1] + 3, *shape[2:]))
    if name == "Pool2D":
        wrong = to_variable(floats(*shape[:3]))
    elif name == "GroupNorm":
        wrong = to_variable(floats(2, 1, 3))
    elif name == "NLLLoss":
        wrong = to_variable(floats(shape[0] + 1, *shape[1:]))
    elif name == "TreeConv":
        wrong = to_variable(floats(1, 4, 2))
    with pytest.raises((EnforceNotMet, ValueError), match=r"received .*\["):
        layer(wrong, *map(to_variable, inputs[1:]))


@pytest.mark.parametrize("name", ACT)
def test_an_unknown_act_is_refused(name):
    args, _ = GOOD[name]
    with pytest.raises(ValueError, match="`act` must be one of"):
        getattr(nn, name)(*args, act="rellu")
    with pytest.raises(TypeError, match="`act` must be the name of an activation"):
        getattr(nn, name)(*args, act=np.tanh)


@pytest.mark.parametrize("name", WEIGHT)
def test_a_weight_cannot_be_left_out(name):
    args, _ = GOOD[name]
    with pytest.raises(AssertionError, match="`param_attr` must not be False"):
        getattr(nn, name)(*args, param_attr=False)


@pytest.mark.parametrize("name", sorted(set(WEIGHT) - {"PRelu"}))
def test_parameters_are_floating_point(name):
    args, _ = GOOD[name]
    with pytest.raises(TypeError, match="`dtype` must be float32, float64 or float16"):
        getattr(nn, name)(*args, dtype="int64")


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose"])
@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"num_channels": 0}, ValueError, "`num_channels` must be above 0"),
        ({"num_channels": "4"}, TypeError, "`num_channels` must be an int"),
        ({"num_filters": 2.0}, TypeError, "`num_filters` must be an int"),
        ({"filter_size": [3]}, ValueError, r"`filter_size` must be an int or a list of \d ints"),
        ({"filter_size": 0}, ValueError, "`filter_size` must be above 0"),
        ({"stride": 0}, ValueError, "`stride` must be above 0"),
        ({"padding": "SAME"}, ValueError, "`padding` must be an int or a list"),
        ({"dilation": 1.5}, ValueError, "`dilation` must be an int or a list"),
        ({"groups": 0}, ValueError, "`groups` must be above 0"),
        ({"use_cudnn": None}, ValueError, "`use_cudnn` must be True or False"),
    ],
)
def test_convolutions_name_what_is_wrong(name, bad, error, message):
    good = {"num_channels": 4, "num_filters": 4, "filter_size": 3}
    with pytest.raises(error, match=message):
        getattr(nn, name)(**{**good, **bad})


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Conv2D(4, 3, 3, groups=3), ValueError, "`num_channels` must be a multiple"),
        (lambda: nn.Conv2DTranspose(4, 3, 3, "12"), ValueError, "`output_size` must be an int"),
        (lambda: nn.Pool2D(), ValueError, "`pool_size` must be given"),
        (lambda: nn.Pool2D(2, "min"), ValueError, "`pool_type` must be one of 'max', 'avg'"),
        (lambda: nn.Pool2D(2, pool_stride=0), ValueError, "`pool_stride` must be above 0"),
        (lambda: nn.Pool2D(2, use_cudnn=1), ValueError, "`use_cudnn`"),
        (lambda: nn.Linear(0, 2), ValueError, "`input_dim` must be above 0"),
        (lambda: nn.BatchNorm(4, bias_attr=False), AssertionError, "`bias_attr` must not be"),
        (lambda: nn.LayerNorm("4"), TypeError, "`normalized_shape` must be an int or a list"),
        (lambda: nn.LayerNorm(4, bias_attr=False), AssertionError, "`bias_attr` must not be"),
        (lambda: nn.GroupNorm(4, 2, data_layout="NHWC"), ValueError, "`data_layout`"),
        (lambda: nn.Embedding(5), TypeError, r"`size` must be a list \[N, D\]"),
        (lambda: nn.Embedding([5]), ValueError, "`size` must have two entries"),
        (lambda: nn.Dropout(1.5), AssertionError, "`p` must be from 0 to 1"),
        (lambda: nn.Dropout("a"), AssertionError, "`p` must be a number"),
        (lambda: nn.Dropout(seed=1.5), AssertionError, "`seed` must be an int or None"),
        (
            lambda: nn.Dropout(dropout_implementation="x"),
            AssertionError,
            "`dropout_implementation` must be one of",
        ),
        (lambda: nn.PRelu("each"), ValueError, "`mode` must be one of"),
        (lambda: nn.PRelu("channel"), AssertionError, "`channel` must be an int"),
        (lambda: nn.PRelu("element"), AssertionError, "`input_shape` must be a list"),
        (lambda: nn.GRUUnit(6, activation="elu"), ValueError, "`activation` must be one of"),
        (lambda: nn.GRUUnit(2), ValueError, "`size // 3` must be above 0"),
        (lambda: nn.NCE(5, 4, sampler="best"), ValueError, "`sampler` must be one of"),
        (
            lambda: nn.NCE(5, 4, sampler="custom_dist"),
            AssertionError,
            "`custom_dist` must have 5 entries",
        ),
        (lambda: nn.MSELoss("avg"), ValueError, "`reduction` must be one of"),
        (lambda: nn.L1Loss("avg"), ValueError, "`reduction` must be one of"),
        (lambda: nn.BCELoss(None, "avg"), ValueError, "`reduction` must be one of"),
        (lambda: nn.NLLLoss(None, "avg"), ValueError, "`reduction` must be one of"),
    ],
)
def test_arguments_are_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        make()
