"""Functions that multiply with weights of their own. Each call makes new weights.

B batch, N size of the input, M size of the output.
May import: torch, core_avx, layer_helper, initializer, layers.nn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.ops import activation, linear
from refluid.paddle.fluid.core_avx.ops import embedding as _embedding
from refluid.paddle.fluid.core_avx.ops.activation import check_act
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.initializer import Constant
from refluid.paddle.fluid.layer_helper import LayerHelper
from refluid.paddle.fluid.layers.nn.elementwise import elementwise_add
from refluid.paddle.fluid.layers.nn.layout import reshape

__all__ = ["bilinear_tensor_product", "embedding", "fc", "prelu"]


def check_variable(op_type: str, name: str, value: Any) -> VarBase:
    """Return `value` if it is a Variable.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, VarBase):
        raise TypeError(
            f"{op_type}: `{name}` must be a Variable, but received {describe(value)}; make one "
            "with fluid.dygraph.to_variable(numpy_array)."
        )
    return value


def fc(
    input: VarBase | Sequence[VarBase],
    size: int,
    num_flatten_dims: int = 1,
    param_attr: Any = None,
    bias_attr: Any = None,
    act: str | None = None,
    name: str | None = None,
) -> VarBase:
    """Multiply with a matrix of weights, add a bias, apply an activation.

    Same as Paddle 1.8. Several inputs have a matrix each, and their products are added up.

    Args:
        input: a Variable, or a list of them.
        size: M.
        num_flatten_dims: dimensions that stay; the others together are N. -1: all but the last.
        param_attr: attributes of the weight [N, M], or a list of them, one for each input.
        bias_attr: attributes of the bias [M]; False for none.
        act: name of an activation.
        name: what the parameters' names begin with.

    Returns:
        The dimensions that stay, and M.

    Raises:
        TypeError: `input` is neither a Variable nor a list of them.
        ValueError: `num_flatten_dims` leaves no dimension, or attributes and inputs do not fit.
    """
    given = list(input) if isinstance(input, (list, tuple)) else [input]
    inputs = [
        check_variable("fc", f"input[{k}]" if len(given) > 1 else "input", variable)
        for k, variable in enumerate(given)
    ]
    attrs = list(param_attr) if isinstance(param_attr, (list, tuple)) else [param_attr]
    attrs = attrs * len(inputs) if len(attrs) == 1 else attrs
    if len(attrs) != len(inputs):
        raise ValueError(
            f"fc: `param_attr` must be one attribute or {len(inputs)}, one for each input, but "
            f"received {len(attrs)}."
        )
    check_act(act)
    helper, flat, weights = LayerHelper("fc", name), [], []
    for variable, attr in zip(inputs, attrs, strict=True):
        matrix = _with_columns(variable, num_flatten_dims)
        flat.append(matrix)
        weights.append(helper.create_weight(attr, [matrix.size(-1), size], variable.dtype))
    bias = helper.create_parameter(bias_attr, [size], inputs[0].dtype, is_bias=True)
    if len(flat) == 1:
        return linear.linear(flat[0], weights[0], bias, act)
    total = linear.linear(flat[0], weights[0], bias)
    for matrix, weight in zip(flat[1:-1], weights[1:-1], strict=True):
        total = elementwise_add(total, linear.linear(matrix, weight, None))
    return elementwise_add(total, linear.linear(flat[-1], weights[-1], None), act=act)


def _with_columns(x: VarBase, num_flatten_dims: int) -> VarBase:
    """Return x with all dimensions from `num_flatten_dims` on made one."""
    kept = x.dim() - 1 if num_flatten_dims == -1 else num_flatten_dims
    if not 0 < kept < x.dim():
        raise ValueError(
            f"fc: `num_flatten_dims` must lie in [1, {x.dim() - 1}] for `input` {x.shape}, but "
            f"received {num_flatten_dims}."
        )
    if kept == x.dim() - 1:
        return x
    return reshape(x, [*x.shape[:kept], math.prod(x.shape[kept:])])


def bilinear_tensor_product(
    x: VarBase,
    y: VarBase,
    size: int,
    act: str | None = None,
    name: str | None = None,
    param_attr: Any = None,
    bias_attr: Any = None,
) -> VarBase:
    """Multiply two inputs with a matrix of weights between them, once for each output.

    Same as Paddle 1.8.

    Args:
        x: [B, N].
        y: [B, K].
        size: M.
        act: name of an activation.
        name: what the parameters' names begin with.
        param_attr: attributes of the weight [M, N, K].
        bias_attr: attributes of the bias [1, M]; False for none.

    Returns:
        [B, M].
    """
    check_variable("bilinear_tensor_product", "x", x)
    check_variable("bilinear_tensor_product", "y", y)
    helper = LayerHelper("bilinear_tensor_product", name)
    weight = helper.create_weight(param_attr, [size, x.shape[1], y.shape[1]], x.dtype)
    bias = helper.create_parameter(bias_attr, [1, size], x.dtype, is_bias=True)
    return linear.bilinear_tensor_product(x, y, weight, bias, check_act(act))


def embedding(
    input: VarBase,
    size: Sequence[int],
    is_sparse: bool = False,
    is_distributed: bool = False,
    padding_idx: int | None = None,
    param_attr: Any = None,
    dtype: Any = "float32",
) -> VarBase:
    """Look up a vector for each number.

    Same as Paddle 1.8; `fluid.embedding` keeps the last dimension.

    Args:
        input: int64 [..., 1].
        size: [C, D], how many vectors there are and how long they are.
        is_sparse: the weight's gradient is the rows that were looked up.
        is_distributed: accepted for compatibility.
        padding_idx: number that gives zeros and gets no gradient; below 0 it counts from the end.
        param_attr: attributes of the weight [C, D].
        dtype: element type of the weight.

    Returns:
        [..., D].
    """
    weight, padding = make_table(size, padding_idx, param_attr, dtype)
    return _embedding.lookup_table(weight, input, padding, is_sparse)


def make_table(
    size: Sequence[int], padding_idx: int | None, param_attr: Any, dtype: Any
) -> tuple[VarBase, int]:
    """Make the weight of an embedding; return it and the padded number, -1 for none."""
    weight = LayerHelper("embedding").create_weight(param_attr, size, dtype)
    if padding_idx is None:
        return weight, -1
    return weight, padding_idx if padding_idx >= 0 else size[0] + padding_idx


def prelu(x: VarBase, mode: str, param_attr: Any = None, name: str | None = None) -> VarBase:
    """Multiply what is below 0 by a weight, which starts from 0.25.

    Same as Paddle 1.8.

    Args:
        x: [B, C, ...].
        mode: "all" for one weight, "channel" for one for each channel, "element" for one for each
            element of a sample.
        param_attr: attributes of the weight [1], [1, C, 1, 1] or [1, C, ...].
        name: what the weight's name begins with.

    Raises:
        ValueError: `mode` is none of these.
    """
    shape = check_variable("prelu", "x", x).shape
    if mode not in ("all", "channel", "element"):
        raise ValueError(
            f'prelu: `mode` must be "all", "channel" or "element", but received {mode!r}.'
        )
    if mode == "channel":
        assert len(shape) > 1, f'prelu: `x` must have channels for "channel", not shape {shape}.'
    sizes = {"all": [1], "channel": [1, *shape[1:2], 1, 1], "element": [1, *shape[1:]]}
    weight = LayerHelper("prelu", name).create_weight(
        param_attr, sizes[mode], default_initializer=Constant(0.25)
    )
    return activation.prelu(x, weight, mode)
