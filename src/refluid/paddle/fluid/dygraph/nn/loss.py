"""Losses as layers. A loss of reduction "mean" or "sum" has shape [1].

May import: core_avx, layers.
"""

from __future__ import annotations

from refluid.paddle.fluid.core_avx.ops import loss
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.argument import one_of

__all__ = ["BCELoss", "L1Loss", "MSELoss", "NLLLoss"]


class MSELoss(Layer):
    """Square the differences. Same as Paddle 1.8.

    Args:
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: `reduction` is none of these.
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = one_of(reduction, loss.REDUCTIONS, "reduction")

    def forward(self, input: VarBase, label: VarBase) -> VarBase:
        """Compare `input` with `label` of the same shape."""
        return loss.mse_loss(input, label, self.reduction)


class L1Loss(Layer):
    """Take the absolute differences. Same as Paddle 1.8.

    Args:
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: `reduction` is none of these.
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = one_of(reduction, loss.REDUCTIONS, "reduction")

    def forward(self, input: VarBase, label: VarBase) -> VarBase:
        """Compare `input` with `label` of the same shape."""
        return loss.l1_loss(input, label, self.reduction)


class BCELoss(Layer):
    """Take the cross entropy of probabilities of two classes. Same as Paddle 1.8.

    Args:
        weight: a Variable of factors that broadcasts with the losses.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: `reduction` is none of these.
    """

    def __init__(self, weight: VarBase | None = None, reduction: str = "mean") -> None:
        super().__init__()
        self.weight = weight
        self.reduction = one_of(reduction, loss.REDUCTIONS, "reduction")

    def forward(self, input: VarBase, label: VarBase) -> VarBase:
        """Compare probabilities `input` with `label` of the same shape, both in [0, 1].

        Raises:
            ValueError: the weight given before is not a Variable.
        """
        if self.weight is not None and not isinstance(self.weight, VarBase):
            raise ValueError(
                f"BCELoss: `weight` must be a Variable, but received {type(self.weight).__name__}; "
                "make one with fluid.dygraph.to_variable(numpy_array)."
            )
        return loss.bce_loss(input, label, self.weight, self.reduction)


class NLLLoss(Layer):
    """Take minus the logarithm of the right class's probability.

    Same as Paddle 1.8, except that a `weight` which is not a Variable is refused, not passed over.

    Args:
        weight: a Variable of factors, one for each class.
        reduction: "mean" (divided by the sum of the factors that were used), "sum" or "none".
        ignore_index: a label that counts for nothing.

    Raises:
        ValueError: `reduction` is none of these.
    """

    def __init__(
        self, weight: VarBase | None = None, reduction: str = "mean", ignore_index: int = -100
    ) -> None:
        super().__init__()
        self.weight = weight
        self.reduction = one_of(reduction, loss.REDUCTIONS, "reduction")
        self.ignore_index = ignore_index

    def forward(self, input: VarBase, label: VarBase) -> VarBase:
        """Compare logarithms of probabilities with the right classes.

        Args:
            input: [B, C] or [B, C, S...].
            label: int64 [B] or [B, S...].
        """
        return loss.nll_loss(input, label, self.weight, self.reduction, self.ignore_index)
