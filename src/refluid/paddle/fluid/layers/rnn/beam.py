"""Beam search: keep the best few continuations of each sequence. B batch, K beams, V vocabulary.

Paddle 1.8 has it for its static graph only; here the same computation runs at once.
May import: torch, core_avx, layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.variable import VarBase, plain, wrap
from refluid.paddle.fluid.layers.control_flow import equal
from refluid.paddle.fluid.layers.nn.activation import log, softmax
from refluid.paddle.fluid.layers.nn.elementwise import elementwise_add, logical_not, logical_or
from refluid.paddle.fluid.layers.nn.layout import expand, reshape, unsqueeze
from refluid.paddle.fluid.layers.nn.sequence import gather_tree
from refluid.paddle.fluid.layers.rnn.cell import RNNCell
from refluid.paddle.fluid.layers.rnn.decoder import Decoder
from refluid.paddle.fluid.layers.tensor.constant import fill_constant
from refluid.paddle.fluid.layers.tensor.join import cast
from refluid.paddle.fluid.layers.utils import flatten, map_structure

__all__ = ["BeamSearchDecoder"]

# the logarithm of a probability that shall count as none, in Paddle
_NEVER = -1e9


class BeamSearchDecoder(Decoder):
    """Run a cell for K continuations of each sequence, and keep the K most probable ones.

    The numbers of Paddle 1.8's static graph. Differs from Paddle: works in the dynamic graph.
    `dynamic_decode` returns the chosen numbers of all beams, the best beam first.

    Args:
        cell: called with inputs [B * K, ...] and states [B * K, ...] at each step.
        start_token: the number that each sequence begins with.
        end_token: the number that ends a sequence; beams that have ended stay as they are.
        beam_size: K.
        embedding_fn: makes inputs [B, K, ...] of numbers [B, K]; by default these themselves.
        output_fn: makes logits [B, K, V] of the cell's outputs [B, K, ...]; by default these are
            the logits.
    """

    class OutputWrapper(NamedTuple):
        """What a step gives: scores, numbers and the beams that they continue, each [B, K]."""

        scores: Any
        predicted_ids: Any
        parent_ids: Any

    class StateWrapper(NamedTuple):
        """A step's state: the cell's states [B, K, ...], and of each beam [B, K] the rest."""

        cell_states: Any
        log_probs: Any
        finished: Any
        lengths: Any

    def __init__(
        self,
        cell: RNNCell,
        start_token: int,
        end_token: int,
        beam_size: int,
        embedding_fn: Callable[[VarBase], Any] | None = None,
        output_fn: Callable[[Any], VarBase] | None = None,
    ) -> None:
        self.cell = cell
        self.embedding_fn = embedding_fn
        self.output_fn = output_fn
        self.start_token = start_token
        self.end_token = end_token
        self.beam_size = beam_size

    @staticmethod
    def tile_beam_merge_with_batch(x: VarBase, beam_size: int) -> VarBase:
        """Return x [B, ...] with each sample K times in a row, [B * K, ...]. Same as Paddle 1.8."""
        tiled = expand(unsqueeze(x, [1]), [1, beam_size] + [1] * (x.dim() - 1))
        return reshape(tiled, [-1, *x.shape[1:]])

    def initialize(self, initial_cell_states: Any) -> tuple[Any, StateWrapper, VarBase]:  # type: ignore[override]
        """Return the first inputs, the first states, and False for each beam.

        All beams begin alike, so only the first one may be continued in the first step.

        Args:
            initial_cell_states: a structure of the cell's states [B, ...].
        """
        batch = flatten(initial_cell_states)[0].shape[0]
        sizes = [batch, self.beam_size]
        tokens = fill_constant(sizes, "int64", self.start_token)
        log_probs = torch.full(sizes, _NEVER, device=tokens.device)
        log_probs[:, 0] = 0.0
        finished = fill_constant(sizes, "bool", False)
        states = map_structure(self._for_each_beam, initial_cell_states)
        lengths = fill_constant(sizes, "int64", 0)
        return (
            self._embed(tokens),
            self.StateWrapper(states, wrap(log_probs), finished, lengths),
            finished,
        )

    def step(
        self, time: VarBase, inputs: Any, states: StateWrapper, **kwargs: Any
    ) -> tuple[OutputWrapper, StateWrapper, Any, VarBase]:
        """Return an `OutputWrapper`, a `StateWrapper`, next inputs, and which beams have ended."""
        outputs, cell_states = self.cell(
            map_structure(_merge, inputs), map_structure(_merge, states.cell_states), **kwargs
        )
        logits = map_structure(self._split, outputs)
        if self.output_fn is not None:
            logits = self.output_fn(logits)
        output, new_states = self._choose(logits, map_structure(self._split, cell_states), states)
        return output, new_states, self._embed(output.predicted_ids), new_states.finished

    def finalize(
        self, outputs: OutputWrapper, final_states: Any, sequence_lengths: VarBase
    ) -> tuple[VarBase, Any]:
        """Return the numbers along the path of each beam, int64 [T, B, K], and the states."""
        return gather_tree(outputs.predicted_ids, outputs.parent_ids), final_states

    def _choose(
        self, logits: VarBase, cell_states: Any, before: StateWrapper
    ) -> tuple[OutputWrapper, StateWrapper]:
        """Continue with the K best of the K * V possible next numbers of each sequence."""
        vocabulary = logits.shape[-1]
        if logits.dim() != 3 or not 0 <= self.end_token < vocabulary:
            raise EnforceNotMet(
                "BeamSearchDecoder: the cell's outputs must be logits [B, K, V] with V above "
                f"`end_token` {self.end_token}, but are {describe(logits)}."
            )
        step_log_probs = self._end_only(log(softmax(logits)), before.finished)
        log_probs = elementwise_add(step_log_probs, before.log_probs, 0)
        # of equal ones any may be taken, as in Paddle; layers.topk sorts them all
        best = torch.topk(plain(log_probs).flatten(1), self.beam_size)
        scores = wrap(best.values)
        parents, tokens = wrap(best.indices // vocabulary), wrap(best.indices % vocabulary)
        states = self.StateWrapper(
            map_structure(lambda x: _of_parents(x, parents), cell_states),
            scores,
            _of_parents(before.finished, parents),
            _of_parents(before.lengths, parents),
        )
        lengths = states.lengths + cast(logical_not(states.finished), "int64")
        ended = equal(tokens, fill_constant([1], "int64", self.end_token))
        finished = logical_or(states.finished, ended)
        output = self.OutputWrapper(scores, tokens, parents)
        return output, states._replace(finished=finished, lengths=lengths)

    def _end_only(self, log_probs: VarBase, finished: VarBase) -> VarBase:
        """Leave beams that have ended nothing but the end token, which costs them nothing."""
        end = torch.full_like(plain(log_probs)[0, 0], _NEVER)
        end[self.end_token] = 0.0
        return wrap(torch.where(plain(finished).unsqueeze(2), end, plain(log_probs)))

    def _embed(self, tokens: VarBase) -> Any:
        return self.embedding_fn(tokens) if self.embedding_fn else tokens

    def _for_each_beam(self, x: VarBase) -> VarBase:
        """Return [B, ...] as [B, K, ...]."""
        return expand(unsqueeze(x, [1]), [1, self.beam_size] + [1] * (x.dim() - 1))

    def _split(self, x: VarBase) -> VarBase:
        """Return [B * K, ...] as [B, K, ...]."""
        return reshape(x, [-1, self.beam_size, *x.shape[1:]])


def _merge(x: VarBase) -> VarBase:
    """Return [B, K, ...] as [B * K, ...]."""
    return reshape(x, [-1, *x.shape[2:]])


def _of_parents(x: VarBase, parents: VarBase) -> VarBase:
    """Return what x [B, K, ...] holds for the beams in `parents` [B, K]."""
    values, index = plain(x), plain(parents)
    rows = torch.arange(index.size(0), device=index.device).unsqueeze(1)
    return wrap(values[rows, index])
