"""The one door: what it admits, what it refuses, what it gives back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.core_avx import EnforceNotMet, VarBase
from refluid.paddle.fluid.core_avx.operator import (
    FLOAT,
    INT64,
    OPERATORS,
    many,
    operator,
    optional,
)
from refluid.paddle.fluid.dygraph.base import guard, to_variable


@operator("test_weighted", x=FLOAT, weight=optional(FLOAT), ids=optional(INT64))
def weighted(x, weight=None, ids=None, scale=1.0):
    y = x * scale if weight is None else torch.matmul(x, weight) * scale
    return y if ids is None else (y, y[ids])


@operator("test_joined", xs=many(FLOAT))
def joined(xs, axis=0):
    return torch.cat(xs, axis)


@operator("test_flat", view=True, x=FLOAT)
def flat(x):
    return x.reshape(-1)


@operator("test_same", x=FLOAT)
def same(x):
    return x


@operator("test_direct", direct=True, xs=many(FLOAT), bias=optional(FLOAT))
def direct(xs, bias=None):
    seen_classes.append([type(x) for x in xs])
    return torch.add(torch.stack(xs), 0.0 if bias is None else bias)


@operator("test_quick", direct=True, x=FLOAT, weight=optional(FLOAT), ids=optional(INT64))
def quick(x, weight=None, ids=None):
    out = torch.mul(x, 1.0 if weight is None else weight)
    return out if ids is None else torch.index_select(out, 0, ids)


seen_classes: list[list[type]] = []


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


def ones(*shape: int, dtype: str = "float32") -> VarBase:
    return to_variable(np.ones(shape, dtype))


def test_results_are_variables():
    assert type(weighted(ones(2, 2))) is VarBase
    pair = weighted(ones(2, 2), ids=to_variable(np.array([0])))
    assert type(pair) is tuple
    assert [type(v) for v in pair] == [VarBase, VarBase]


def test_plain_tensors_are_admitted():
    assert weighted(torch.ones(2, 2), scale=3.0).numpy().tolist() == [[3, 3], [3, 3]]


def test_the_callers_own_tensor_stays_a_plain_one():
    mine = torch.ones(2)
    assert type(flat(mine)) is VarBase
    assert type(same(mine)) is VarBase
    assert type(to_variable(mine)) is VarBase
    assert type(mine) is torch.Tensor


def test_every_operator_stands_in_the_table():
    assert OPERATORS["test_weighted"] is weighted


@pytest.mark.parametrize("by_name", [False, True])
def test_variables_are_checked_by_position_and_by_name(by_name):
    def call(**given):
        return quick(**given) if by_name else quick(*given.values())

    x, ids = ones(2, 2), ones(1, dtype="int64")
    assert call(x=x).numpy().tolist() == [[1, 1], [1, 1]]
    assert call(x=x, weight=None, ids=ids).numpy().tolist() == [[1, 1]]
    assert call(x=x, weight=torch.full((2,), 3.0)).numpy().tolist() == [[3, 3], [3, 3]]
    for wrong in (None, 3, [1.0]):
        with pytest.raises(TypeError, match="test_quick: `x` must be a Variable, but received"):
            call(x=wrong)
    with pytest.raises(TypeError, match="test_quick: `ids` must be a Variable, but received int"):
        call(x=x, weight=None, ids=3)
    with pytest.raises(EnforceNotMet, match=r"`ids` must be of int64, .* received int32 \[1\]"):
        call(x=x, weight=None, ids=ones(1, dtype="int32"))
    with pytest.raises(EnforceNotMet, match="`x` and `weight` must have one element type"):
        call(x=x, weight=ones(2, dtype="float64"))
    with pytest.raises(EnforceNotMet, match="a sparse gradient"):
        call(x=x.to_sparse())
    x.stop_gradient = False
    cut = x * 2.0
    cut.stop_gradient = True
    assert call(x=cut).stop_gradient
    assert not call(x=cut, weight=x).stop_gradient


@operator("test_overriding", x=FLOAT)
def overriding(x):
    return torch.add(x, Overrides(torch.ones(1)))


class Overrides(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return "overridden"


def test_torch_s_overriding_is_off_within_an_operator_only():
    assert overriding(ones(1)).numpy().tolist() == [2]
    with pytest.raises(EnforceNotMet):
        quick(ones(2), ones(3))
    assert torch.add(torch.ones(1), Overrides(torch.ones(1))) == "overridden"


def test_something_else_is_a_type_error():
    with pytest.raises(TypeError, match=r"test_weighted: `x` must be a Variable, but received int"):
        weighted(3)
    with pytest.raises(TypeError, match=r"`xs\[1\]` must be a Variable, but received list"):
        joined([ones(1), [1.0]])
    with pytest.raises(TypeError, match="`xs` must be a Variable or a list of them"):
        joined(None)


def test_another_element_type_is_refused():
    with pytest.raises(EnforceNotMet, match=r"`x` must be of float16, .* received int64 \[2\]"):
        weighted(ones(2, dtype="int64"))
    with pytest.raises(EnforceNotMet, match="`x` and `weight` must have one element type"):
        weighted(ones(2, 2), ones(2, 2, dtype="float64"))
    with pytest.raises(EnforceNotMet, match=r"`xs\[0\]` and `xs\[1\]` must have one"):
        joined([ones(2), ones(2, dtype="float64")])


def test_what_torch_refuses_names_all_shapes():
    with pytest.raises(EnforceNotMet, match=r"`x` float32 \[2, 3\], `weight` float32 \[2, 3\]"):
        weighted(ones(2, 3), ones(2, 3))


def test_views_of_leaves_are_copied():
    x = ones(2, 2)
    y = flat(x)
    x.set_value(np.zeros((2, 2), "float32"))
    assert y.numpy().tolist() == [1, 1, 1, 1]


def test_the_graph_ends_at_stop_gradient():
    x = ones(2)
    x.stop_gradient = False
    y = x * 2.0
    y.stop_gradient = True
    assert weighted(y).stop_gradient


def test_a_direct_operator_gets_the_variables_themselves():
    out = direct([ones(2), torch.ones(2)], ones(2))
    assert type(out) is VarBase
    assert out.numpy().tolist() == [[2, 2], [2, 2]]
    assert seen_classes.pop() == [VarBase, torch.Tensor]


def test_a_direct_operator_stops_at_stop_gradient_too():
    x = ones(2)
    x.stop_gradient = False
    cut = x * 2.0
    cut.stop_gradient = True
    direct([x, cut]).backward()
    assert x.gradient().tolist() == [1, 1]


def test_a_direct_operator_refuses_a_sparse_gradient():
    sparse = ones(2).to_sparse()
    with pytest.raises(EnforceNotMet, match="a sparse gradient"):
        direct([sparse])
