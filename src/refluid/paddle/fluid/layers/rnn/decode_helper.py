"""What a decoder does between two steps: choose numbers, make the next inputs. B batch, T time.

May import: core_avx, layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.control_flow import equal, less_equal
from refluid.paddle.fluid.layers.nn.activation import softmax
from refluid.paddle.fluid.layers.nn.padding import pad
from refluid.paddle.fluid.layers.nn.sample import sampling_id
from refluid.paddle.fluid.layers.tensor.constant import (
    fill_constant,
    fill_constant_batch_size_like,
)
from refluid.paddle.fluid.layers.tensor.join import cast
from refluid.paddle.fluid.layers.tensor.order import argmax
from refluid.paddle.fluid.layers.utils import flatten, map_structure

__all__ = ["DecodeHelper", "GreedyEmbeddingHelper", "SampleEmbeddingHelper", "TrainingHelper"]


class DecodeHelper:
    """Base of the helpers of `BasicDecoder`. Same as Paddle 1.8, whose methods do nothing."""

    def initialize(self) -> Any:
        """Return the first inputs, and which sequences are empty, bool [B]."""

    def sample(self, time: VarBase, outputs: Any, states: Any) -> Any:
        """Return numbers chosen by the outputs, int64 [B]."""

    def next_inputs(self, time: VarBase, outputs: Any, states: Any, sample_ids: VarBase) -> Any:
        """Return which sequences have ended, the next inputs and the next states."""


class TrainingHelper(DecodeHelper):
    """Take the inputs of each step from complete sequences, whatever was chosen.

    Same as Paddle 1.8. Differs from Paddle: `next_inputs` works in the dynamic graph too.

    Args:
        inputs: float [B, T, ...], or a structure of such; [T, B, ...] with `time_major`.
        sequence_length: int32 or int64 [B], where each sequence ends.
        time_major: inputs begin with the time.

    Raises:
        EnforceNotMet: `inputs` have no batch and time.
    """

    def __init__(self, inputs: Any, sequence_length: VarBase, time_major: bool = False) -> None:
        for each in flatten(inputs):
            if each.dim() < 2:
                raise EnforceNotMet(
                    f"TrainingHelper: `inputs` must be [B, T, ...], but received {describe(each)}."
                )
        self.inputs = inputs
        self.sequence_length = sequence_length
        self.time_major = time_major
        # the step behind the last one has inputs too, which nobody uses
        self.inputs_ = map_structure(self._with_one_more, inputs)

    def initialize(self) -> tuple[Any, VarBase]:
        """Return the inputs of the first step, and which sequences have length 0."""
        zero = fill_constant([1], self.sequence_length.dtype, 0)
        return map_structure(lambda x: self._at(x, 0), self.inputs), equal(
            self.sequence_length, zero
        )

    def sample(self, time: VarBase, outputs: VarBase, states: Any) -> VarBase:
        """Return the number of the largest output of each sequence, int64 [B]."""
        return argmax(outputs, axis=-1)

    def next_inputs(
        self, time: VarBase, outputs: Any, states: Any, sample_ids: VarBase
    ) -> tuple[VarBase, Any, Any]:
        """Return which sequences have ended, the inputs of the next step, and the states."""
        step = int(time) + 1
        ahead = fill_constant([1], self.sequence_length.dtype, step)
        following = map_structure(lambda x: self._at(x, step), self.inputs_)
        return less_equal(self.sequence_length, ahead), following, states

    def _at(self, x: VarBase, step: int) -> VarBase:
        return x[step] if self.time_major else x[:, step]

    def _with_one_more(self, x: VarBase) -> VarBase:
        ends = [0, 1] if self.time_major else [0, 0, 0, 1]
        return pad(x, ends + [0] * (2 * x.dim() - len(ends)))


class GreedyEmbeddingHelper(DecodeHelper):
    """Choose the largest output, and look up its vector as the next input. Same as Paddle 1.8.

    Args:
        embedding_fn: makes inputs of numbers [B], a `fluid.dygraph.Embedding` for example.
        start_tokens: int64 [B], what each sequence begins with.
        end_token: the number that ends a sequence.
    """

    def __init__(
        self, embedding_fn: Callable[[VarBase], Any], start_tokens: VarBase, end_token: int
    ) -> None:
        self.embedding_fn = embedding_fn
        self.start_tokens = start_tokens
        self.end_token = fill_constant([1], "int64", end_token)

    def initialize(self) -> tuple[Any, VarBase]:
        """Return the vectors of the first tokens, and False for each sequence."""
        finished = fill_constant_batch_size_like(self.start_tokens, [-1], "bool", False)
        return self.embedding_fn(self.start_tokens), finished

    def sample(self, time: VarBase, outputs: VarBase, states: Any) -> VarBase:
        """Return the number of the largest output of each sequence, int64 [B]."""
        return argmax(outputs, axis=-1)

    def next_inputs(
        self, time: VarBase, outputs: Any, states: Any, sample_ids: VarBase
    ) -> tuple[VarBase, Any, Any]:
        """Return which sequences have ended, the vectors of what was chosen, and the states."""
        return equal(sample_ids, self.end_token), self.embedding_fn(sample_ids), states


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """Draw a number by the softmax of the outputs, and look up its vector as the next input.

    Same as Paddle 1.8. Differs from Paddle: works in the dynamic graph without a `seed` too.

    Args:
        embedding_fn: makes inputs of numbers [B].
        start_tokens: int64 [B], what each sequence begins with.
        end_token: the number that ends a sequence.
        softmax_temperature: outputs are divided by it; by default 1.
        seed: of the draws; with one, every step draws by the same random numbers, as in Paddle.
    """

    def __init__(
        self,
        embedding_fn: Callable[[VarBase], Any],
        start_tokens: VarBase,
        end_token: int,
        softmax_temperature: float | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(embedding_fn, start_tokens, end_token)
        self.softmax_temperature = (
            None
            if softmax_temperature is None
            else fill_constant([1], "float32", softmax_temperature)
        )
        self.seed = seed

    def sample(self, time: VarBase, outputs: VarBase, states: Any) -> VarBase:
        """Return one number drawn for each sequence, int64 [B]."""
        if self.softmax_temperature is not None:
            outputs = outputs / self.softmax_temperature
        return cast(sampling_id(softmax(outputs), seed=self.seed or 0), self.start_tokens.dtype)
