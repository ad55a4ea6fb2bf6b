"""The dropout layer. May import: core_avx, framework, layers."""

from __future__ import annotations

from refluid.paddle.fluid.core_avx.ops import dropout
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.framework import default_main_program

__all__ = ["Dropout"]


class Dropout(Layer):
    """Set elements to zero at random while training.

    Same as Paddle 1.8: by default values are not scaled up while training but scaled down while
    evaluating. Which of the two follows `train()` and `eval()` only, whatever `is_test` says.
    With a seed, its own or the program's, every call drops the same elements, those of Paddle.

    Args:
        p: the share of elements that are dropped.
        seed: fixes which.
        dropout_implementation: "downgrade_in_infer" or "upscale_in_train".
        is_test: accepted for compatibility.

    Raises:
        AssertionError: an argument is none of these.
    """

    def __init__(
        self,
        p: float = 0.5,
        seed: int | None = None,
        dropout_implementation: str = "downgrade_in_infer",
        is_test: bool = False,
    ) -> None:
        super().__init__()
        assert isinstance(p, (float, int)), f"`p` must be a number, but received {p!r}."
        assert 0 <= p <= 1, f"`p` must be from 0 to 1, but received {p!r}."
        assert seed is None or isinstance(seed, int), (
            f"`seed` must be an int or None, but received {seed!r}."
        )
        assert dropout_implementation in dropout.IMPLEMENTATIONS, (
            f"`dropout_implementation` must be one of {', '.join(dropout.IMPLEMENTATIONS)}, but "
            f"received {dropout_implementation!r}."
        )
        self._dropout_prob = p
        self._seed = seed
        self._dropout_implementation = dropout_implementation
        self._is_test = is_test

    def forward(self, input: VarBase) -> VarBase:
        """Drop elements of `input`, float of any shape."""
        seed = default_main_program().random_seed
        if seed and not self._seed:
            # the first seed of the program that is seen stays, as in Paddle
            self._seed = seed
        return dropout.dropout(
            input, self._dropout_prob, self._seed, self.training, self._dropout_implementation
        )
