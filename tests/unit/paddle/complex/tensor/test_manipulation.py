"""Shapes of complex variables."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import complex as cpx
from refluid.paddle.fluid import dygraph
from refluid.paddle.fluid.core_avx import EnforceNotMet

A = np.arange(24).reshape(2, 3, 4) * (1 + 2j)


def test_reshape_and_transpose_are_those_of_numpy() -> None:
    with dygraph.guard():
        x = dygraph.to_variable(A)
        assert cpx.reshape(x, (0, -1)).numpy().tolist() == A.reshape(2, 12).tolist()
        assert cpx.transpose(x, [2, 0, 1]).numpy().tolist() == A.transpose(2, 0, 1).tolist()
        assert x.shape == [2, 3, 4]


def test_reshape_in_place_changes_the_variable() -> None:
    with dygraph.guard():
        x = dygraph.to_variable(A)
        assert cpx.reshape(x, [6, 4], inplace=True) is x
        assert x.shape == [6, 4]
        assert x.numpy().tolist() == A.reshape(6, 4).tolist()


def test_what_does_not_fit_is_refused() -> None:
    with dygraph.guard():
        x = dygraph.to_variable(A)
        with pytest.raises(EnforceNotMet):
            cpx.reshape(x, [5])
        with pytest.raises(EnforceNotMet):
            cpx.transpose(x, [1])
        for function in (cpx.reshape, cpx.transpose):
            with pytest.raises(ValueError, match="needs a ComplexVariable, but received VarBase"):
                function(x.real, [0, 1, 2])
