"""A cell over all steps of its inputs. B batch, T time.

Paddle 1.8 has `rnn` for its static graph only; here the same computation runs at once.
May import: torch, core_avx, layers.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.variable import VarBase, plain
from refluid.paddle.fluid.layers.nn.layout import stack, unstack
from refluid.paddle.fluid.layers.rnn.cell import RNNCell
from refluid.paddle.fluid.layers.rnn.frozen import keep_finished
from refluid.paddle.fluid.layers.sequence_lod import sequence_mask
from refluid.paddle.fluid.layers.utils import (
    assert_same_structure,
    flatten,
    map_structure,
    pack_sequence_as,
)

__all__ = ["rnn"]


def rnn(
    cell: RNNCell,
    inputs: Any,
    initial_states: Any = None,
    sequence_length: VarBase | None = None,
    time_major: bool = False,
    is_reverse: bool = False,
    **kwargs: Any,
) -> tuple[Any, Any]:
    """Run a cell over all time steps of its inputs.

    The numbers of Paddle 1.8's static graph. Differs from Paddle: works in the dynamic graph.

    Args:
        cell: the cell; called once for each step.
        inputs: float [B, T, ...], or a structure of such; [T, B, ...] with `time_major`.
        initial_states: a structure of states [B, ...]; by default `cell.get_initial_states`.
        sequence_length: int32 or int64 [B]; behind its end a sequence's states stay as they were.
            The outputs there are what the cell makes of these.
        time_major: inputs and outputs begin with the time.
        is_reverse: begin with the last step; the outputs keep the order of the inputs.
        **kwargs: handed to `cell.call`.

    Returns:
        The outputs of all steps, as structured as the cell's, and the states after the last one.

    Raises:
        TypeError: an input is not a Variable.
        EnforceNotMet: there are no steps, or inputs or lengths do not fit together.
    """
    axis = 0 if time_major else 1
    columns = [unstack(each, axis) for each in _check_inputs(inputs, axis)]
    num_steps = len(columns[0])
    running = _running(sequence_length, columns)
    if initial_states is None:
        batch_ref = flatten(inputs)[0]
        initial_states = cell.get_initial_states(batch_ref, batch_dim_idx=1 - axis)
    states, outputs = initial_states, []
    for step in reversed(range(num_steps)) if is_reverse else range(num_steps):
        step_inputs = pack_sequence_as(inputs, [column[step] for column in columns])
        output, new_states = cell.call(step_inputs, map_structure(lambda s: s, states), **kwargs)
        assert_same_structure(states, new_states)
        if running is not None:
            new_states = keep_finished(states, new_states, ~running[:, step])
        states = new_states
        outputs.append(output)
    if is_reverse:
        outputs.reverse()
    return map_structure(lambda *steps: stack(list(steps), axis), *outputs), states


def _check_inputs(inputs: Any, axis: int) -> list[VarBase]:
    """Return the inputs one by one, after making sure that they have the same steps."""
    flat = flatten(inputs)
    for each in flat:
        if not isinstance(each, Tensor):
            raise TypeError(f"rnn: `inputs` must be Variables, but received {describe(each)}.")
    lengths = {each.size(axis) if each.dim() > 1 else 0 for each in flat}
    if len(lengths) != 1 or 0 in lengths:
        raise EnforceNotMet(
            f"rnn: `inputs` must be [B, T, ...], or [T, B, ...] with `time_major`, with the same T "
            f"above 0, but received {', '.join(map(describe, flat)) or 'none'}."
        )
    return flat


def _running(sequence_length: VarBase | None, columns: list[list[VarBase]]) -> Tensor | None:
    """Return bool [B, T], true up to each sequence's end, or None where all are complete."""
    if sequence_length is None:
        return None
    batch = columns[0][0].size(0)
    if not isinstance(sequence_length, Tensor) or list(sequence_length.size()) != [batch]:
        raise EnforceNotMet(
            f"rnn: `sequence_length` must be a Variable of shape [{batch}], one length for each "
            f"sequence, but received {describe(sequence_length)}."
        )
    return plain(sequence_mask(sequence_length, len(columns[0]), "bool"))
