"""Random numbers, and dropout by them.

With a `seed` they are those that Paddle draws on a CPU; 0 means new ones.

The main program's `random_seed` has an effect on dropout only, as in Paddle.
May import: torch, core_avx, framework, layers.argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx import random
from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import ANY, operator
from refluid.paddle.fluid.core_avx.ops import dropout as _dropout
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.framework import default_main_program
from refluid.paddle.fluid.layers.argument import size_of, sizes_like, write

__all__ = [
    "dropout",
    "gaussian_random",
    "gaussian_random_batch_size_like",
    "randint",
    "randn",
    "randperm",
    "uniform_random",
    "uniform_random_batch_size_like",
]


def _float_dtype(op_type: str, dtype: Any) -> torch.dtype:
    kind = to_torch_dtype(dtype)
    if kind not in (torch.float32, torch.float64):
        raise TypeError(f"{op_type}: `dtype` must be float32 or float64, but received {dtype!r}.")
    return kind


def _uniform(
    op_type: str, sizes: list[int], low: float, high: float, seed: int, dtype: Any
) -> Tensor:
    if low >= high:
        raise EnforceNotMet(f"{op_type}: `min` must be below `max`, but received {low} and {high}.")
    numbers = random.uniform(sizes, low, high, seed, _float_dtype(op_type, dtype))
    return numbers.to(current_place().device)


def _normal(
    op_type: str, sizes: list[int], mean: float, std: float, seed: int, dtype: Any
) -> Tensor:
    numbers = random.normal(sizes, mean, std, seed, _float_dtype(op_type, dtype))
    return numbers.to(current_place().device)


@operator("uniform_random")
def uniform_random(
    shape: Sequence[int] | Tensor,
    dtype: Any = "float32",
    min: float = -1.0,
    max: float = 1.0,
    seed: int = 0,
) -> Tensor:
    """Draw from [min, max).

    Same as Paddle 1.8, down to its element type: it is float32 whatever `dtype` says.

    Args:
        shape: ints, Variables of shape [1], or one Variable of sizes.
        dtype: float32 or float64, without effect.
        min: the smallest value.
        max: the bound that is not reached.
        seed: 0 for new numbers each time.

    Effects:
        Without a seed torch's generator advances.
    """
    sizes = size_of("uniform_random", "shape", shape)
    _float_dtype("uniform_random", dtype)
    return _uniform("uniform_random", sizes, min, max, seed, "float32")


@operator("gaussian_random")
def gaussian_random(
    shape: Sequence[int] | Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    seed: int = 0,
    dtype: Any = "float32",
) -> Tensor:
    """Draw from the normal distribution; otherwise as `uniform_random`. Same as Paddle 1.8."""
    sizes = size_of("gaussian_random", "shape", shape)
    return _normal("gaussian_random", sizes, mean, std, seed, dtype)


@operator("uniform_random_batch_size_like", direct=True, input=ANY)
def uniform_random_batch_size_like(
    input: Tensor,
    shape: Sequence[int],
    dtype: Any = "float32",
    input_dim_idx: int = 0,
    output_dim_idx: int = 0,
    min: float = -1.0,
    max: float = 1.0,
    seed: int = 0,
) -> Tensor:
    """Draw from [min, max) in a shape whose size at `output_dim_idx` is one of `input`.

    Same as Paddle 1.8.
    """
    op_type = "uniform_random_batch_size_like"
    sizes = sizes_like(op_type, input, shape, input_dim_idx, output_dim_idx)
    return _uniform(op_type, sizes, min, max, seed, dtype)


@operator("gaussian_random_batch_size_like", direct=True, input=ANY)
def gaussian_random_batch_size_like(
    input: Tensor,
    shape: Sequence[int],
    input_dim_idx: int = 0,
    output_dim_idx: int = 0,
    mean: float = 0.0,
    std: float = 1.0,
    seed: int = 0,
    dtype: Any = "float32",
) -> Tensor:
    """Draw normally in a shape whose size at `output_dim_idx` is one of `input`.

    Same as Paddle 1.8.
    """
    op_type = "gaussian_random_batch_size_like"
    sizes = sizes_like(op_type, input, shape, input_dim_idx, output_dim_idx)
    return _normal(op_type, sizes, mean, std, seed, dtype)


@operator("randn")
def randn(
    shape: Sequence[int] | Tensor,
    out: Tensor | None = None,
    dtype: Any = None,
    device: str | None = None,
    stop_gradient: bool = True,
    name: str | None = None,
) -> Tensor:
    """Draw from the standard normal distribution, by default float32. Same as Paddle 1.8."""
    sizes = size_of("randn", "shape", shape)
    return write(_normal("randn", sizes, 0.0, 1.0, 0, dtype or "float32"), out)


@operator("randint")
def randint(
    low: int,
    high: int | None = None,
    shape: Sequence[int] | Tensor | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: str | None = None,
    stop_gradient: bool = False,
    seed: int = 0,
    name: str | None = None,
) -> Tensor:
    """Draw whole numbers from [low, high), or from [0, low) without `high`.

    Same as Paddle 1.8.

    Args:
        low: the smallest number.
        high: the bound that is not reached.
        shape: by default [1].
        out: a variable to overwrite and return.
        dtype: int32 or int64, the default.
        device: accepted for compatibility.
        stop_gradient: accepted for compatibility.
        seed: 0 for new numbers each time.
        name: accepted for compatibility.

    Raises:
        ValueError: nothing lies between the bounds.
    """
    if high is None:
        low, high = 0, low
    if low >= high:
        raise ValueError(f"randint: `low` must be below `high`, but received {low} and {high}.")
    kind = torch.int64 if dtype is None else to_torch_dtype(dtype)
    if kind not in (torch.int32, torch.int64):
        raise TypeError(f"randint: `dtype` must be int32 or int64, but received {dtype!r}.")
    sizes = [1] if shape is None else size_of("randint", "shape", shape)
    numbers = random.integers(sizes, low, high, seed, kind)
    return write(numbers.to(current_place().device), out)


@operator("randperm")
def randperm(
    n: int,
    out: Tensor | None = None,
    dtype: Any = "int64",
    device: str | None = None,
    stop_gradient: bool = True,
    seed: int = 0,
) -> Tensor:
    """Return the numbers from 0 to n - 1 in random order.

    Same as Paddle 1.8.

    Raises:
        ValueError: n is not positive.
    """
    if n < 1:
        raise ValueError(f"randperm: `n` must be positive, but received {n}.")
    generator = torch.Generator().manual_seed(seed) if seed else None
    order = torch.randperm(n, generator=generator, dtype=to_torch_dtype(dtype))
    return write(order.to(current_place().device), out)


def dropout(
    x: VarBase,
    dropout_prob: float,
    is_test: bool = False,
    seed: int | None = None,
    name: str | None = None,
    dropout_implementation: str = "downgrade_in_infer",
) -> VarBase:
    """Set elements to zero at random, while gradients are recorded.

    Same as Paddle 1.8: `is_test` has no effect in the dynamic graph. Under `no_grad`, and after
    `layer.eval()`, the function computes what is expected on average.

    Args:
        x: float of any shape.
        dropout_prob: the share of elements that are dropped, 0 to 1.
        is_test: accepted for compatibility.
        seed: for the same elements each time; by default the main program's `random_seed`, and
            others each time if that is 0.
        name: accepted for compatibility.
        dropout_implementation: "downgrade_in_infer" scales by 1 - dropout_prob when nothing is
            dropped; "upscale_in_train" divides by it when something is.

    Raises:
        EnforceNotMet: `dropout_prob` or `dropout_implementation` is none of these.
    """
    if not (isinstance(dropout_prob, (int, float)) and 0.0 <= dropout_prob <= 1.0):
        raise EnforceNotMet(
            f"dropout: `dropout_prob` must lie in [0, 1], but received {dropout_prob!r}."
        )
    if dropout_implementation not in _dropout.IMPLEMENTATIONS:
        raise EnforceNotMet(
            f"dropout: `dropout_implementation` must be one of "
            f"{', '.join(_dropout.IMPLEMENTATIONS)}, but received {dropout_implementation!r}."
        )
    if not seed and default_main_program().random_seed:
        seed = default_main_program().random_seed
    recording = torch.is_grad_enabled()
    return _dropout.dropout(x, dropout_prob, seed, recording, dropout_implementation)
