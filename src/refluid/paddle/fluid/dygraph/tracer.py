"""`Tracer`: the open dynamic graph, which runs operators by their names. May import: core_avx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refluid.paddle.fluid import core_avx
from refluid.paddle.fluid.core_avx.table import trace

__all__ = ["Tracer"]


class Tracer(core_avx.Tracer):
    """The open dynamic graph; `fluid.framework._dygraph_tracer()` returns it inside a guard.

    Same as Paddle 1.8.
    """

    def trace_op(
        self,
        type: str,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any],
        attrs: Mapping[str, Any],
        stop_gradient: bool = False,
    ) -> None:
        """Run an operator by its name; arguments and errors as for `LayerHelper.append_op`."""
        trace(type, inputs, outputs, attrs, stop_gradient)

    def trace(
        self,
        arg0: str,
        arg1: Mapping[str, Any],
        arg2: Mapping[str, Any],
        arg3: Mapping[str, Any],
        arg4: Any,
        arg5: bool,
    ) -> None:
        """Run an operator by its name.

        Args:
            arg0: the name.
            arg1: inputs.
            arg2: outputs.
            arg3: attributes.
            arg4: accepted for compatibility: variables stay where they are.
            arg5: record gradients.
        """
        trace(arg0, arg1, arg2, arg3, stop_gradient=not arg5)
