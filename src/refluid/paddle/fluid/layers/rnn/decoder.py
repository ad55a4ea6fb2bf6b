"""Decoders, and the loop that runs one until all its sequences have ended. B batch, T time.

Paddle 1.8 has `dynamic_decode` for its static graph only; here the same computation runs at once.
May import: core_avx, layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.variable import VarBase, plain
from refluid.paddle.fluid.layers.nn.elementwise import logical_not, logical_or
from refluid.paddle.fluid.layers.nn.layout import stack, transpose
from refluid.paddle.fluid.layers.rnn.cell import RNNCell
from refluid.paddle.fluid.layers.rnn.decode_helper import DecodeHelper
from refluid.paddle.fluid.layers.rnn.frozen import keep_finished
from refluid.paddle.fluid.layers.tensor.constant import fill_constant, zeros_like
from refluid.paddle.fluid.layers.tensor.join import cast
from refluid.paddle.fluid.layers.utils import flatten, map_structure, pack_sequence_as

__all__ = ["BasicDecoder", "Decoder", "dynamic_decode"]


class Decoder:
    """Base of decoders, which `dynamic_decode` runs step by step. Same as Paddle 1.8."""

    def initialize(self, inits: Any) -> tuple[Any, Any, VarBase]:
        """Return the first inputs, the first states, and bool: which sequences have ended."""
        raise NotImplementedError(f"{type(self).__name__} must define initialize().")

    def step(
        self, time: VarBase, inputs: Any, states: Any, **kwargs: Any
    ) -> tuple[Any, Any, Any, VarBase]:
        """Return outputs, next states, next inputs, and which sequences have ended.

        Args:
            time: int64 [1], the number of the step.
            inputs: what the step before, or `initialize`, returned.
            states: likewise.
            **kwargs: what `dynamic_decode` was given besides.
        """
        raise NotImplementedError(f"{type(self).__name__} must define step().")

    def finalize(
        self, outputs: Any, final_states: Any, sequence_lengths: VarBase
    ) -> tuple[Any, Any]:
        """Return outputs and states as they shall be; without it they stay as they are.

        Args:
            outputs: the outputs of all steps, [T, ...].
            final_states: the states after the last step.
            sequence_lengths: int64, how many steps each sequence has.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define finalize().")


class BasicDecoder(Decoder):
    """Run a cell; a helper takes what comes next from its outputs.

    Same as Paddle 1.8. Differs from Paddle: a `TrainingHelper` works in the dynamic graph too.

    Args:
        cell: called with inputs and states at each step.
        helper: chooses numbers by the outputs, and makes the next inputs.
        output_fn: applied to the cell's outputs, a Linear to the vocabulary for example.
    """

    class OutputWrapper(NamedTuple):
        """What a step gives: the outputs, and the numbers that the helper chose."""

        cell_outputs: Any
        sample_ids: Any

    def __init__(
        self,
        cell: RNNCell,
        helper: DecodeHelper,
        output_fn: Callable[[Any], Any] | None = None,
    ) -> None:
        self.cell = cell
        self.helper = helper
        self.output_fn = output_fn

    def initialize(self, initial_cell_states: Any) -> tuple[Any, Any, VarBase]:  # type: ignore[override]
        """Return the helper's first inputs, the states, and which sequences are empty."""
        initial_inputs, initial_finished = self.helper.initialize()
        return initial_inputs, initial_cell_states, initial_finished

    def step(
        self, time: VarBase, inputs: Any, states: Any, **kwargs: Any
    ) -> tuple[OutputWrapper, Any, Any, VarBase]:
        """Return an `OutputWrapper`, next states, next inputs, and which sequences have ended."""
        cell_outputs, cell_states = self.cell(inputs, states, **kwargs)
        if self.output_fn is not None:
            cell_outputs = self.output_fn(cell_outputs)
        sample_ids = self.helper.sample(time=time, outputs=cell_outputs, states=cell_states)
        sample_ids.stop_gradient = True
        finished, next_inputs, next_states = self.helper.next_inputs(
            time=time, outputs=cell_outputs, states=cell_states, sample_ids=sample_ids
        )
        return self.OutputWrapper(cell_outputs, sample_ids), next_states, next_inputs, finished


def dynamic_decode(
    decoder: Decoder,
    inits: Any = None,
    max_step_num: int | None = None,
    output_time_major: bool = False,
    impute_finished: bool = False,
    is_test: bool = False,
    return_length: bool = False,
    **kwargs: Any,
) -> tuple[Any, ...]:
    """Run a decoder until all sequences have ended.

    The numbers of Paddle 1.8's static graph, where one step more than `max_step_num` is made.
    Differs from Paddle: works in the dynamic graph.

    Args:
        decoder: the decoder.
        inits: handed to `decoder.initialize`, in most cases the cell's first states.
        max_step_num: the number of the last step, counted from 0; by default there is no limit.
        output_time_major: outputs are [T, B, ...], not [B, T, ...].
        impute_finished: the states of sequences that have ended stay as they are.
        is_test: accepted for compatibility; nothing is recorded under `no_grad`.
        return_length: also return how many steps each sequence has.
        **kwargs: handed to `decoder.step`.

    Returns:
        The outputs of all steps, the last states and, with `return_length`, int64 lengths.

    Raises:
        TypeError: `decoder` has no `initialize` or no `step`.
        EnforceNotMet: all sequences have ended before the first step.
    """
    for method in ("initialize", "step"):
        if not callable(getattr(decoder, method, None)):
            raise TypeError(
                f"dynamic_decode: `decoder` must have a method {method}, as a Decoder has, but "
                f"received {describe(decoder)}."
            )
    inputs, states, finished = decoder.initialize(inits)
    lengths = cast(zeros_like(cast(finished, "int64")), "int64")
    outputs: list[Any] = []
    while not _all(finished) and (max_step_num is None or len(outputs) <= int(max_step_num)):
        time = fill_constant([1], "int64", len(outputs))
        output, next_states, next_inputs, ended = decoder.step(time, inputs, states, **kwargs)
        lengths = lengths + cast(logical_not(finished), "int64")
        if impute_finished:
            next_states = keep_finished(states, next_states, finished)
        finished = logical_or(ended, finished)
        states = pack_sequence_as(states, flatten(next_states))
        inputs = pack_sequence_as(inputs, flatten(next_inputs))
        outputs.append(output)
    if not outputs:
        raise EnforceNotMet(
            "dynamic_decode: `decoder` must have a sequence to decode, but all had ended before "
            "the first step."
        )
    whole: Any = map_structure(lambda *steps: stack(list(steps), 0), *outputs)
    # a decoder without `finalize`, as in Paddle; an error inside of one is shown
    if getattr(type(decoder), "finalize", Decoder.finalize) is not Decoder.finalize:
        whole, states = decoder.finalize(whole, states, lengths)
    if not output_time_major:
        whole = map_structure(_exchange, whole)
    return (whole, states, lengths) if return_length else (whole, states)


def _all(finished: VarBase) -> bool:
    return bool(plain(finished).all())


def _exchange(x: VarBase) -> VarBase:
    """Exchange the first two dimensions."""
    return transpose(x, [1, 0, *range(2, x.dim())])
