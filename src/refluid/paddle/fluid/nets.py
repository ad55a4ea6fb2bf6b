"""Small compositions of layers. B batch, C channels, H height, W width.

May import: core_avx, layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid import layers
from refluid.paddle.fluid.core_avx.variable import VarBase

__all__ = ["glu", "scaled_dot_product_attention", "simple_img_conv_pool"]


def simple_img_conv_pool(
    input: VarBase,
    num_filters: int,
    filter_size: int | Sequence[int],
    pool_size: int | Sequence[int],
    pool_stride: int | Sequence[int],
    pool_padding: int | Sequence[int] = 0,
    pool_type: str = "max",
    global_pooling: bool = False,
    conv_stride: int | Sequence[int] = 1,
    conv_padding: int | Sequence[int] = 0,
    conv_dilation: int | Sequence[int] = 1,
    conv_groups: int = 1,
    param_attr: Any = None,
    bias_attr: Any = None,
    act: str | None = None,
    use_cudnn: bool = True,
) -> VarBase:
    """Convolve images with new filters, then pool them.

    Same as Paddle 1.8; arguments as for `layers.conv2d` and `layers.pool2d`.
    """
    features = layers.conv2d(
        input, num_filters, filter_size, conv_stride, conv_padding, conv_dilation, conv_groups,
        param_attr, bias_attr, use_cudnn, act,
    )  # fmt: skip
    return layers.pool2d(
        features, pool_size, pool_type, pool_stride, pool_padding, global_pooling, use_cudnn
    )


def glu(input: VarBase, dim: int = -1) -> VarBase:
    """Halve a variable along `dim`; return the first half times the sigmoid of the second.

    Same as Paddle 1.8. Source: Dauphin et al. 2017.
    """
    value, gate = layers.split(input, 2, dim)
    return layers.elementwise_mul(value, layers.sigmoid(gate))


def scaled_dot_product_attention(
    queries: VarBase,
    keys: VarBase,
    values: VarBase,
    num_heads: int = 1,
    dropout_rate: float = 0.0,
) -> VarBase:
    """Average the values, weighted by how well their keys fit the queries.

    Same as Paddle 1.8: with several heads queries, keys and values are first multiplied with new
    weights. Source: Vaswani et al. 2017.

    Args:
        queries: [B, N, D].
        keys: [B, M, D].
        values: [B, M, E].
        num_heads: how many parts D and E are divided into.
        dropout_rate: of the weights.

    Returns:
        [B, N, E].

    Raises:
        TypeError: the element types differ.
        ValueError: the shapes do not fit, or `num_heads` does not divide D and E.
    """
    named = {"queries": queries, "keys": keys, "values": values}
    if len({v.dtype for v in named.values()}) != 1:
        raise TypeError(
            "scaled_dot_product_attention: `queries`, `keys` and `values` must have one element "
            f"type, but they are {', '.join(str(v.dtype) for v in named.values())}."
        )
    shapes = ", ".join(str(v.shape) for v in named.values())
    if any(len(v.shape) != 3 for v in named.values()) or not (
        queries.shape[-1] == keys.shape[-1] and keys.shape[-2] == values.shape[-2]
    ):
        raise ValueError(
            "scaled_dot_product_attention: `queries`, `keys` and `values` must be [B, N, D], "
            f"[B, M, D] and [B, M, E], but received {shapes}."
        )
    if num_heads < 1 or keys.shape[-1] % num_heads or values.shape[-1] % num_heads:
        raise ValueError(
            f"scaled_dot_product_attention: `num_heads` must divide D and E of {shapes}, but "
            f"received {num_heads}."
        )
    if num_heads > 1:
        parts = [_heads(layers.fc(v, v.shape[-1], 2), num_heads) for v in named.values()]
    else:
        parts = list(named.values())
    query, key, value = parts
    scores = layers.matmul(
        layers.scale(query, (keys.shape[-1] // num_heads) ** -0.5), key, False, True
    )
    weights = layers.softmax(scores)
    if dropout_rate:
        weights = layers.dropout(weights, dropout_rate)
    return _join(layers.matmul(weights, value)) if num_heads > 1 else layers.matmul(weights, value)


def _heads(x: VarBase, num_heads: int) -> VarBase:
    batch, length, size = x.shape
    parts = layers.reshape(x, [batch, length, num_heads, size // num_heads])
    return layers.transpose(parts, [0, 2, 1, 3])


def _join(x: VarBase) -> VarBase:
    batch, num_heads, length, size = x.shape
    return layers.reshape(layers.transpose(x, [0, 2, 1, 3]), [batch, length, num_heads * size])
