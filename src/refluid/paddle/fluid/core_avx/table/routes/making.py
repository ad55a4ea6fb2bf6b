"""Variables made of numbers, given or random. May import: torch, core_avx."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx import random
from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import operator
from refluid.paddle.fluid.core_avx.table.route import op, route
from refluid.paddle.fluid.core_avx.table.routes.layout import ints
from refluid.paddle.fluid.core_avx.tracer import current_place

__all__: list[str] = []


@operator("assign_value")
def _values(values: list[Any], shape: list[int], dtype: Any) -> Tensor:
    made = torch.tensor(values, dtype=to_torch_dtype(dtype), device=current_place().device)
    return made.reshape(shape)


def _assign_value(
    shape: list[int],
    dtype: int,
    bool_values: list[int],
    fp32_values: list[float],
    int32_values: list[int],
    int64_values: list[int],
) -> Any:
    given = {0: bool_values, 2: int32_values, 3: int64_values, 5: fp32_values}
    if dtype not in given:
        raise EnforceNotMet(f"assign_value: `dtype` must be 0, 2, 3 or 5, but received {dtype}.")
    return op.assign_value(given[dtype], shape, dtype)


route("assign", lambda X: op.assign(X, None))
route("assign_value", _assign_value)
route("eye", lambda num_rows, num_columns, dtype: op.eye(
    num_rows, None if num_columns < 0 else num_columns, None, dtype
))  # fmt: skip
route("fill", lambda value, shape, dtype: op.assign_value(value, shape, dtype))
route("fill_any_like", lambda X, value, dtype: op.fill_any_like(
    X, value, dtype=None if dtype < 0 else dtype
))  # fmt: skip
route("fill_zeros_like", lambda X: op.fill_zeros_like(X))
route("fill_zeros_like2", lambda X, dtype: op.fill_any_like(X, 0.0, dtype=dtype))
route("linspace", lambda Start, Stop, Num: op.linspace(Start, Stop, Num, Start.dtype))
route("range", lambda Start, End, Step: op.range(Start, End, Step, Start.dtype))


def _fill_constant(
    ValueTensor: Tensor | None,
    ShapeTensor: Tensor | None,
    ShapeTensorList: list[Tensor] | None,
    dtype: int,
    shape: list[int],
    value: float,
    str_value: str,
) -> Any:
    filling: Any = str_value or value
    if ValueTensor is not None:
        filling = ValueTensor.item()
    elif str_value and str_value.lstrip("+-").isdigit():
        # from the text itself: a float does not hold every int64
        filling = int(str_value)
    return op.fill_constant(ints(ShapeTensor, ShapeTensorList, shape), dtype, filling)


route("fill_constant", _fill_constant)


def _fill_like(
    Input: Tensor,
    shape: list[int],
    dtype: int,
    value: float,
    str_value: str,
    input_dim_idx: int,
    output_dim_idx: int,
) -> Any:
    filling = float(str_value) if str_value else value
    return op.fill_constant_batch_size_like(
        Input, shape, dtype, filling, input_dim_idx, output_dim_idx
    )


route("fill_constant_batch_size_like", _fill_like)

# --- random -------------------------------------------------------------------------------------

route(
    "gaussian_random",
    lambda ShapeTensor, ShapeTensorList, shape, mean, std, seed, dtype: op.gaussian_random(
        ints(ShapeTensor, ShapeTensorList, shape), mean, std, seed, dtype
    ),
)
route(
    "uniform_random",
    lambda ShapeTensor, ShapeTensorList, shape, min, max, seed, dtype: op.uniform_random(
        ints(ShapeTensor, ShapeTensorList, shape), dtype, min, max, seed
    ),
)
route(
    "gaussian_random_batch_size_like",
    lambda Input, shape, input_dim_idx, output_dim_idx, mean, std, seed, dtype: (
        op.gaussian_random_batch_size_like(
            Input, shape, input_dim_idx, output_dim_idx, mean, std, seed, dtype
        )
    ),
)
route(
    "uniform_random_batch_size_like",
    lambda Input, shape, input_dim_idx, output_dim_idx, min, max, seed, dtype: (
        op.uniform_random_batch_size_like(
            Input, shape, dtype, input_dim_idx, output_dim_idx, min, max, seed
        )
    ),
)
route(
    "randint",
    lambda ShapeTensor, ShapeTensorList, shape, low, high, dtype, seed: op.randint(
        low, high, ints(ShapeTensor, ShapeTensorList, shape), dtype=dtype, seed=seed
    ),
)
route("randperm", lambda n, dtype, seed: op.randperm(n, dtype=dtype, seed=seed))
route(
    "random_crop",
    lambda X, Seed, shape, startup_seed: op.random_crop(X, shape, startup_seed or Seed),
)
route("sampling_id", lambda X, min, max, seed: op.sampling_id(X, min, max, seed))


@operator("truncated_gaussian_random")
def _truncated(shape: list[int], mean: float, std: float, seed: int, dtype: Any) -> Tensor:
    made = random.truncated_normal(shape, mean, std, seed, to_torch_dtype(dtype))
    return made.to(current_place().device)


@operator("seed")
def _seed(seed: int) -> Tensor:
    made = torch.tensor([seed], dtype=torch.int32) if seed else torch.randint(1, 2**31 - 1, (1,))
    return made.to(current_place().device, torch.int32)


route(
    "truncated_gaussian_random",
    lambda shape, mean, std, seed, dtype: op.truncated_gaussian_random(
        shape, mean, std, seed, dtype
    ),
)
route("seed", lambda seed: op.seed(seed))
