"""The layer of noise-contrastive estimation. May import: core_avx, layers, unique_name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.core_avx.ops import nce
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.argument import one_of, positive
from refluid.paddle.fluid.dygraph.nn.parameter import Registered, needed_weight

__all__ = ["NCE"]


class NCE(Layer):
    """Train a classifier of many classes by telling true ones from random ones.

    Differs from Paddle: with a seed the random classes are the same each time, but not Paddle's
    own, and the remark about sparse mode is not printed. As there, there is a bias only if
    `bias_attr` is given, and a `sample_weight` given here has no effect.

    Args:
        num_total_classes: C.
        dim: N, the size of the input.
        sample_weight: accepted for compatibility.
        param_attr: attributes of the weight [C, N].
        bias_attr: attributes of the bias [C, 1]; None for none.
        num_neg_samples: classes drawn for each row; 10 by default.
        sampler: "uniform", "log_uniform" (low numbers are likelier) or "custom_dist".
        custom_dist: the probability of each class, for "custom_dist".
        seed: other than 0 for the same classes each time.
        is_sparse: the weight's gradient holds only the rows that were used.
        dtype: element type.

    Raises:
        ValueError: `sampler` is none of these, or `num_neg_samples` no number.
        AssertionError: `custom_dist` is missing or has not C entries, or `param_attr` is False.
    """

    weight: Any = Registered()
    bias: Any = Registered()

    def __init__(
        self,
        num_total_classes: int,
        dim: int,
        sample_weight: VarBase | None = None,
        param_attr: Any = None,
        bias_attr: Any = None,
        num_neg_samples: int | None = None,
        sampler: str = "uniform",
        custom_dist: Sequence[float] | None = None,
        seed: int = 0,
        is_sparse: bool = False,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self._param_attr, self._bias_attr = param_attr, bias_attr
        self._num_total_classes = positive(num_total_classes, "num_total_classes")
        self._dtype = dtype
        self._num_neg_samples = 10 if num_neg_samples is None else int(num_neg_samples)
        self._sampler = one_of(sampler, ("uniform", "log_uniform", "custom_dist"), "sampler")
        self._custom_dist: list[float] | None = None
        self._seed = seed
        self._is_sparse = is_sparse
        if sampler == "custom_dist":
            number = None if custom_dist is None else len(custom_dist)
            assert number == num_total_classes, (
                f"`custom_dist` must have {num_total_classes} entries, one for each class, but "
                f"received {number}."
            )
            self._custom_dist = [float(p) for p in custom_dist or ()]
            for _ in range(3):
                # Paddle makes three parameters of the distribution, so the weight is `w_3`
                unique_name.generate(f"{self.full_name()}.w")
        self.weight = needed_weight(
            self, [num_total_classes, positive(dim, "dim")], param_attr, dtype
        )
        self.bias = self.create_parameter(
            [num_total_classes, 1], bias_attr or False, dtype, is_bias=True
        )

    def forward(
        self, input: VarBase, label: VarBase, sample_weight: VarBase | None = None
    ) -> VarBase:
        """Compute the cost of each row.

        Args:
            input: [B, N].
            label: int64 [B, number of true classes].
            sample_weight: a factor for each row [B, 1].

        Returns:
            [B, 1], divided by the number of drawn classes plus one.
        """
        return nce.nce(
            input, label, self.weight, self.bias, sample_weight, self._num_neg_samples,
            self._sampler, self._custom_dist, self._seed, self._is_sparse, True,
        )  # fmt: skip
