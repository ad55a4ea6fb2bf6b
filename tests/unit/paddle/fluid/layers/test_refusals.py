"""Bad arguments: the class of the error is Paddle's, the message names the argument."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import OPERATORS

OWN = {name: getattr(L, name) for name in L.__all__ if getattr(L, name) in OPERATORS.values()}
# these make variables of numbers
MAKERS = {"arange", "eye", "fill_constant", "gaussian_random", "linspace", "randint", "randn"}
MAKERS |= {"randperm", "range", "uniform_random"}


def test_operators_are_found():
    assert len(OWN) > 150


@pytest.mark.parametrize("name", sorted(set(OWN) - MAKERS))
def test_an_array_in_place_of_a_variable_is_a_type_error(name):
    parameters = list(inspect.signature(OWN[name]).parameters)
    arguments = [np.ones((2, 2), "float32")] * sum(
        p.default is p.empty for p in inspect.signature(OWN[name]).parameters.values()
    )
    with pytest.raises(TypeError, match=f"`{parameters[0]}` must be a Variable"):
        OWN[name](*arguments)


X = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
REFUSED = [
    ("L.relu(i)", EnforceNotMet, "`x` must be of"),
    ("L.mean(i)", EnforceNotMet, "`x` must be of"),
    ("L.elementwise_add(x, i)", EnforceNotMet, "`x` and `y` must have one element type"),
    ("L.elementwise_add(x, V([1, 2, 3]))", EnforceNotMet, r"`y` float32 \[3\]"),
    ("L.elementwise_add(x, V([1]), axis=3)", EnforceNotMet, "`axis` 3 leaves no room"),
    ("L.elementwise_add(x, x, act='nope')", ValueError, "`act` must be one of"),
    ("L.elementwise_add(x, x, act=L.relu)", TypeError, "`act` must be the name"),
    ("L.elementwise_div(i, i * 0)", EnforceNotMet, "`y` must hold no 0"),
    ("L.matmul(x, V(np.ones((3, 2))))", EnforceNotMet, r"`y` float32 \[3, 2\]"),
    ("L.mul(x, V(np.ones((3, 2))))", EnforceNotMet, "has 2 columns, but `y`"),
    ("L.mul(x, x, 2)", EnforceNotMet, "`x_num_col_dims`"),
    ("L.reshape(x, [3, -1])", EnforceNotMet, "reshape"),
    ("L.reshape(x, [-1, -1])", EnforceNotMet, "reshape"),
    ("L.reshape(x, 4)", TypeError, "`shape` must be a list"),
    ("L.reshape(x, [i, 2])", TypeError, "`shape` must hold ints"),
    ("L.reshape(x, [])", EnforceNotMet, "`shape` must not be empty"),
    ("L.reshape(x, [2, 2, 0])", EnforceNotMet, "0 in `shape`"),
    ("L.transpose(x, [0, 0])", EnforceNotMet, "`perm`"),
    ("L.transpose(x, [0])", EnforceNotMet, "`perm`"),
    ("L.squeeze(x, [0])", EnforceNotMet, "must have size 1"),
    ("L.flatten(x, 9)", ValueError, "`axis`"),
    ("L.split(x, 3)", EnforceNotMet, "`num_or_sections` must divide 2"),
    ("L.split(x, [1, 2])", EnforceNotMet, "add up to 2"),
    ("L.split(x, 2.0)", TypeError, "`num_or_sections`"),
    ("L.split(x, 2, dim=4)", EnforceNotMet, "`dim` must lie in"),
    ("L.expand(x, [2])", EnforceNotMet, "`expand_times`"),
    ("L.stack([x, i])", EnforceNotMet, "one element type"),
    ("L.unstack(x, 0, 5)", EnforceNotMet, "`num` must be 2"),
    ("L.concat([x, V(np.ones((3, 3)))])", EnforceNotMet, "differ in dimension 0 only"),
    ("L.sums([x, V([1, 2])])", EnforceNotMet, "must have one shape"),
    ("L.slice(x, [0], [1], [1])", EnforceNotMet, "nothing lies between"),
    ("L.slice(x, [3], [0], [1])", EnforceNotMet, "`axes` must lie in"),
    ("L.gather(x, V([5], 'int64'))", EnforceNotMet, "gather"),
    ("L.gather(x, x)", EnforceNotMet, "`index` must be of"),
    ("L.topk(x, 5)", EnforceNotMet, "`k` must lie in"),
    ("L.topk(x, 0)", EnforceNotMet, "`k` must lie in"),
    ("L.one_hot(i, 3)", EnforceNotMet, r"`input` must be \[..., 1\]"),
    ("L.one_hot(V([[3]], 'int64'), 3)", EnforceNotMet, "`input` must be from 0 to 2"),
    ("L.argmax(x, 5)", EnforceNotMet, "`axis` must lie in"),
    ("L.reduce_sum(x, dim=-3)", EnforceNotMet, "`dim` must lie in"),
    ("L.clip(x, 3.0, 1.0)", EnforceNotMet, "`min` must be below `max`"),
    ("L.clamp(x)", AssertionError, "`min` or `max`"),
    ("L.softmax(x, axis=3)", EnforceNotMet, "`axis` must lie in"),
    ("L.cast(x, 'foo')", TypeError, "`dtype` must be one of"),
    ("L.zeros([-1, 2], 'float32')", EnforceNotMet, "no negative size"),
    ("L.zeros(2, 'float32')", TypeError, "`shape` must be a list"),
    ("L.ones([0], 'float32')", AssertionError, "`shape` must be positive"),
    ("L.range(5, 0, 2, 'int64')", EnforceNotMet, "`step`"),
    ("L.increment(x)", EnforceNotMet, "one element"),
    ("L.assign(np.ones(2))", TypeError, "float64"),
    ("L.assign(3.0)", TypeError, "`input` must be a Variable"),
    ("L.cross_entropy(x, V([[1], [2]], 'int64'))", EnforceNotMet, r"\[0, 1\].*received 2"),
    ("L.cross_entropy(x, V([[1], [-1]], 'int64'))", EnforceNotMet, "received -1"),
    ("L.cross_entropy(x, V([[1], [0]], 'int32'))", EnforceNotMet, "`label` must be of"),
    ("L.cross_entropy(x, V([[1, 0], [0, 1]], 'int64'))", EnforceNotMet, "`label` must be int64"),
    ("L.cross_entropy(x, x, True, 3, 4)", TypeError, "positional arguments"),
    ("L.cross_entropy(x, V([[1.0]]), True)", EnforceNotMet, "with `soft_label`"),
    ("L.softmax_with_cross_entropy(x, V([1, 1], 'int64'))", EnforceNotMet, r"int64 \[2, 1\]"),
    ("L.softmax_with_cross_entropy(x, V([[1], [2]], 'int64'))", EnforceNotMet, "received 2"),
    ("L.square_error_cost(x, i)", EnforceNotMet, "one element type|must be of"),
    ("L.accuracy(x, V([1, 0], 'int64'))", EnforceNotMet, r"`label` \[B, 1\]"),
    ("L.accuracy(x, V([[1], [0]], 'int64'), k=3)", EnforceNotMet, "`k` must lie in"),
    ("L.accuracy(x, V([[1], [-1]], 'int64'))", EnforceNotMet, "must not be negative"),
    ("L.dropout(x, 1.5)", EnforceNotMet, "`dropout_prob`"),
    ("L.dropout(x, 0.5, dropout_implementation='foo')", EnforceNotMet, "`dropout_implementation`"),
    ("L.uniform_random([2], min=3.0, max=1.0)", EnforceNotMet, "`min` must be below"),
    ("L.uniform_random([2], 'int64')", TypeError, "`dtype` must be float32 or float64"),
    ("L.embedding(V([[7]], 'int64'), [5, 3])", EnforceNotMet, "received 7"),
    ("L.fc(np.ones((2, 2), 'float32'), 3)", TypeError, "`input` must be a Variable"),
    ("L.fc(x, 3, 2)", ValueError, "`num_flatten_dims`"),
    ("L.prelu(x, 'some')", ValueError, "`mode` must be"),
    ("L.conv2d(x, 3, 3)", ValueError, "4 dimensions"),
    ("L.conv2d(img, 3, 3, groups=3)", ValueError, "`groups` must divide the 4 channels"),
    ("L.conv2d_transpose(img, 3)", ValueError, "`output_size` or `filter_size`"),
    ("L.pool2d(img, 2, 'sum')", ValueError, "`pool_type`"),
    ("L.pool2d(img)", ValueError, "`pool_size` must be given"),
    ("L.adaptive_pool2d(img, 2, 'avg', True)", ValueError, "`require_index`"),
    ("L.batch_norm(img, bias_attr=False)", AssertionError, "`bias_attr` must not be False"),
    ("L.image_resize(img)", ValueError, "`out_shape` or `scale`"),
    ("L.image_resize(img, [2, 2], resample='CUBIC')", ValueError, "`resample`"),
    ("L.pad(x, [1, 0])", EnforceNotMet, "`paddings` must hold 4 numbers"),
    ("L.pad2d(img, mode='round')", ValueError, "`mode` must be one of"),
    ("L.crop(x, [2, 3], [0, 0])", EnforceNotMet, "must lie within"),
    ("L.shuffle_channel(img, 3)", EnforceNotMet, "`group` must divide"),
    ("L.fsp_matrix(x, x)", EnforceNotMet, r"must be \[B, C, H, W\]"),
    ("L.fsp_matrix(img, V(np.ones((1, 2, 1, 9))))", EnforceNotMet, r"\[1, 2, 1, 9\]"),
    ("L.fsp_matrix(img, V(np.ones((2, 2, 3, 3))))", EnforceNotMet, r"\[2, 2, 3, 3\]"),
    ("L.kldiv_loss(x, x, 'some')", ValueError, "`reduction`"),
    ("L.label_smooth(x, epsilon=2.0)", ValueError, "`epsilon`"),
    ("L.warpctc(x, i)", EnforceNotMet, "warpctc"),
    ("L.array_read([x], x)", AssertionError, "`i` must be a Variable of shape"),
    ("L.cond(x, None, None)", AssertionError, "`pred` must be a Variable of one element"),
    ("L.while_loop(lambda: 1, lambda: 1, [])", ValueError, "`loop_vars` must not be empty"),
    ("L.while_loop(1, lambda: 1, [x])", TypeError, "`cond` must be a function"),
    ("L.create_parameter([2], 'float32', attr='w')", TypeError, "`attr` must be a ParamAttr"),
    ("L.Normal(0, 1)", TypeError, "`loc` must be a float"),
    ("L.Normal(0.0, V([1.0]))", ValueError, "must all be Variables"),
    ("fluid.nets.scaled_dot_product_attention(x, x, x)", ValueError, r"\[B, N, D\]"),
]


@pytest.mark.parametrize(("expression", "error", "message"), REFUSED)
def test_refused_with_a_message_that_names_the_argument(variable, expression, error, message):
    def make(values, dtype="float32"):
        return variable(values, dtype, grad=False)

    space = {"L": L, "fluid": fluid, "np": np, "V": make, "x": make(X), "i": make([1, 2], "int64")}
    space["img"] = make(np.ones((1, 4, 3, 3)))
    with pytest.raises(error, match=message):
        eval(expression, space)
