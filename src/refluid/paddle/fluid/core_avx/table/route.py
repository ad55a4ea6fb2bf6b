"""How an operator's name leads to refluid's function: `route`, and calls by slot and attribute.

A route is a function whose parameters are called as Paddle calls the operator's inputs and
attributes; whatever it does not take must be missing, or have Paddle's default, or be one of the
settings that only say how Paddle computes. It returns the operator's outputs: one variable, or a
tuple in Paddle's order of those that are not for the backward pass alone, or a dictionary by slot.

    route("leaky_relu", lambda X, alpha: op.leaky_relu(X, alpha))

`op` finds refluid's operators by their names when they are called, so that a route needs no
import of the function behind it. May import: torch, errors, core_avx.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch

from refluid.errors import UnsupportedFluidAPI
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import OPERATORS, describe
from refluid.paddle.fluid.core_avx.table.attribute import EXACT, convert
from refluid.paddle.fluid.core_avx.table.facts import STATIC_ONLY, Facts, facts_of

__all__ = ["Route", "find", "op", "route", "routed", "variables"]

Function = Callable[..., Any]

# settings that say how Paddle computes, or what for, and not what
_MEANINGLESS = frozenset(
    """use_cudnn use_mkldnn use_quantizer mkldnn_data_type mkldnn_force_fp32_output is_test
    workspace_size_MB exhaustive_search fuse_relu fuse_brelu fuse_brelu_alpha fuse_brelu_threshold
    fuse_activation fuse_alpha fuse_beta fuse_residual_connection fuse_relu_before_depthwise_conv
    fuse_with_relu force_fp32_output Scale_x Scale_y Scale_out Scale_in Scale_in_eltwise
    Scale_weights x_data_format y_data_format is_distributed remote_prefetch entry trainer_id
    table_names table_name epmap height_sections min_row_size_to_use_multithread infer_flags
    in_dtype force_cpu numeric_stable_mode
    @ALL_KERNELS_MUST_COMPUTE_RUNTIME_SHAPE@ use_global_beta_pow use_addto
    enable_cache name op_role op_role_var op_namescope op_callstack op_device""".split()
)


class _Operators:
    """refluid's operators as attributes, looked up at each call."""

    def __getattr__(self, name: str) -> Function:
        found = OPERATORS.get(name)
        if found is None:
            raise UnsupportedFluidAPI(f"refluid does not have Paddle's operator `{name}`.")
        return found


op = _Operators()
_functions: dict[str, tuple[Function, Mapping[str, str]]] = {}


def route(op_type: str, function: Function, *, same: Mapping[str, str] | None = None) -> None:
    """Have an operator's name lead to `function`; see the top of this file.

    Args:
        op_type: Paddle's name.
        function: what computes the outputs.
        same: outputs that must be given the very variable of an input, which is overwritten.
    """
    _functions[op_type] = (function, same or {})


def routed() -> list[str]:
    """Return the names of all operators that have a route."""
    return sorted(_functions)


class Route:
    """An operator that can be called by the names of its slots and attributes.

    Args:
        op_type: Paddle's name.
        facts: what Paddle says about it.
        function: refluid's function for it.
        same: as for `route`.
    """

    def __init__(
        self, op_type: str, facts: Facts, function: Function, same: Mapping[str, str]
    ) -> None:
        self.op_type = op_type
        self.facts = facts
        self.same = same
        # a parameter with a default belongs to the route alone
        parameters = [
            name
            for name, parameter in inspect.signature(function).parameters.items()
            if parameter.default is parameter.empty
        ]
        self._function = function
        # `lambda_` stands for the attribute `lambda`, which Python does not take as a name
        renamed = {name.rstrip("_"): name for name in parameters if name.endswith("_")}
        if renamed:
            self._function = lambda **given: function(
                **{renamed.get(name, name): value for name, value in given.items()}
            )
        taken = {name.rstrip("_") for name in parameters}
        self.inputs = {slot.name: slot for slot in facts.inputs}
        self.attributes = facts.attributes
        unknown = taken - self.inputs.keys() - self.attributes.keys()
        assert not unknown, f"{op_type} has neither inputs nor attributes {sorted(unknown)}."
        self._taken = taken
        # settings that must have their defaults
        self._fixed = self.attributes.keys() - taken - _MEANINGLESS
        self._required = [n for n, a in self.attributes.items() if a.required and n in taken]
        self._needed = [s.name for s in facts.inputs if not s.optional and s.name in taken]
        self._base = {name: a.default for name, a in self.attributes.items() if not a.required}
        self._base = {name: self._base.get(name) for name in taken}
        # without these Paddle refuses to run the operator
        self.needed_outputs = [s.name for s in facts.outputs if not (s.internal or s.optional)]

    def call(self, values: dict[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Run the operator.

        Args:
            values: variables, or lists of them, by input.
            attributes: settings by name; those that Paddle does not know are passed over, as in
                Paddle.

        Returns:
            Results by output.

        Raises:
            EnforceNotMet: an input or attribute is missing or of another kind.
            UnsupportedFluidAPI: an input or attribute is given that refluid does not heed.
        """
        arguments = self._base.copy()
        for name, value in values.items():
            if name in self._taken:
                arguments[name] = value
            elif name in self.inputs and value is not None:
                raise UnsupportedFluidAPI(
                    f"refluid's operator `{self.op_type}` does not take the input `{name}`."
                )
        for name in self._needed:
            if arguments[name] is None:
                raise EnforceNotMet(f"{self.op_type}: the input `{name}` is missing.")
        if attributes:
            self._set(arguments, attributes)
        for name in self._required:
            if name not in attributes:
                raise EnforceNotMet(f"{self.op_type}: the attribute `{name}` is required.")
        return self._named(self._function(**arguments))

    def _set(self, arguments: dict[str, Any], attributes: Mapping[str, Any]) -> None:
        for name, value in attributes.items():
            known = self.attributes.get(name)
            if known is None:
                continue
            if type(value) is not EXACT.get(known.kind):
                value = convert(self.op_type, name, known.kind, value)
            if name in self._taken:
                arguments[name] = value
            elif name in self._fixed and value != known.default:
                raise UnsupportedFluidAPI(
                    f"refluid's operator `{self.op_type}` does not heed the attribute `{name}`, "
                    f"but received {value!r}."
                )

    def _named(self, made: Any) -> dict[str, Any]:
        if isinstance(made, dict):
            return made
        if isinstance(made, tuple):
            return dict(zip(self.needed_outputs, made, strict=False))
        return {self.needed_outputs[0]: made}

    def check_targets(self, values: Mapping[str, Any], targets: Mapping[str, Any]) -> None:
        """Refuse variables to write to that are not those that the operator overwrites.

        Raises:
            EnforceNotMet: an output is given another variable than the input it shares.
        """
        for output, name in self.same.items():
            if name in values and targets.get(output) is not values[name]:
                raise EnforceNotMet(
                    f"{self.op_type}: the output `{output}` must be the variable of the input "
                    f"`{name}`, which is overwritten."
                )

    def variable(self, name: str, given: Any) -> Any:
        """Return what was given for an input as a variable, a list of them, or None.

        Raises:
            EnforceNotMet: it is something else.
        """
        entries = variables(self.op_type, f"input `{name}`", given)
        slot = self.inputs.get(name)
        if slot is not None and slot.many:
            return entries or None
        return entries[0] if entries else None


def variables(op_type: str, what: str, given: Any) -> list[torch.Tensor]:
    """Return one variable, several or none as a list.

    Args:
        op_type: the operator, for messages.
        what: which input or output it is, for messages.
        given: a variable, a list or tuple of them, or None for none.

    Raises:
        EnforceNotMet: it is something else.
    """
    if given is None:
        return []
    entries = list(given) if isinstance(given, (list, tuple)) else [given]
    for entry in entries:
        if not isinstance(entry, torch.Tensor):
            raise EnforceNotMet(
                f"{op_type}: the {what} must be a Variable or a list of them, but received "
                f"{describe(given)}."
            )
    return entries


@functools.cache
def find(op_type: str) -> Route:
    """Return the route of an operator.

    Raises:
        EnforceNotMet: Paddle has no such operator.
        UnsupportedFluidAPI: Paddle has it and refluid does not.
    """
    facts = facts_of(op_type)
    if facts is None:
        of_static_graph = op_type in STATIC_ONLY
        if of_static_graph or facts_of(op_type.removesuffix("_grad")) is not None:
            part = "the static graph" if of_static_graph else "the backward pass"
            raise UnsupportedFluidAPI(
                f"Paddle's operator `{op_type}` belongs to {part}, which refluid does not run by "
                "operators."
            )
        raise EnforceNotMet(f"Operator {op_type} has not been registered.")
    if op_type not in _functions:
        raise UnsupportedFluidAPI(f"refluid does not have Paddle's operator `{op_type}`.")
    return Route(op_type, facts, *_functions[op_type])
