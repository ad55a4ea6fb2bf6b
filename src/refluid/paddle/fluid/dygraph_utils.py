"""A bias and an activation behind a Layer's own operator. May import: core_avx, framework."""

from __future__ import annotations

from refluid.paddle.fluid.core_avx.table import ops
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.framework import dygraph_only

__all__: list[str] = []


@dygraph_only
def _append_activation_in_dygraph(
    input: VarBase,
    act: str | None = None,
    use_cudnn: bool | None = None,
    use_mkldnn: bool | None = None,
) -> VarBase:
    """Apply an activation by its name; None changes nothing. Same as Paddle 1.8."""
    return input if act is None else getattr(ops, act)(input)


@dygraph_only
def _append_bias_in_dygraph(input: VarBase, bias: VarBase | None = None, axis: int = 1) -> VarBase:
    """Add a bias whose dimensions stand at `axis`; None changes nothing. Same as Paddle 1.8."""
    return input if bias is None else ops.elementwise_add(input, bias, "axis", axis)
