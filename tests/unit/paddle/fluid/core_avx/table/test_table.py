"""Every operator of the table gives Paddle's numbers, by `append_op` and by `core.ops`.

`recordings.npz` was written by `cases.py` under PaddlePaddle 1.8.5 (CPU, Python 3.7).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import recorded
from refluid.errors import UnsupportedFluidAPI
from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import OPERATORS
from refluid.paddle.fluid.core_avx.table import blank, names, ops, routed, trace
from refluid.paddle.fluid.core_avx.table.facts import facts_of
from refluid.paddle.fluid.core_avx.table.route import find

FOLDER = Path(__file__).parent
cases = recorded.program(FOLDER / "cases.py")
RECORDED = recorded.read(FOLDER / "recordings.npz")

# outputs that Paddle computes beside the result and refluid leaves empty
EMPTY = {("lrn", "MidOut"), ("nll_loss", "Total_weight")}
# Paddle's operator has no backward pass; here gradients flow
DIFFERENTIABLE = {"increment", "fc"}
# how Paddle moves its sums is put into their gradients; here they are constants
CONSTANT = {("data_norm", slot) for slot in ("BatchSize0", "BatchSum0", "BatchSquareSum0")}
# random numbers that are not Paddle's, which have tests of their own, and what needs other input
UNRECORDED = {
    "box_decoder_and_assign", "generate_proposals",
    "get_tensor_from_selected_rows", "locality_aware_nms", "merge_selected_rows",
    "multiclass_nms2", "nce", "randint", "random_crop", "randperm", "retinanet_detection_output",
    "sampling_id", "similarity_focus",
}  # fmt: skip


@pytest.fixture(autouse=True)
def graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


def may_be_absent(op: str, name: str, expected: np.ndarray) -> bool:
    if name.startswith("gradient of "):
        # a gradient of zeros, where refluid knows that none flows
        return not expected.any() or (op, name.removeprefix("gradient of ")) in CONSTANT
    slot = name.rstrip("0123456789")
    internal = {s.name for s in facts_of(op).outputs if s.internal}
    return slot in internal or (op, slot) in EMPTY


@pytest.mark.parametrize("case", cases.CASES)
def test_operator_gives_the_numbers_of_paddle(case):
    op = cases.CASES[case][0]
    mine = cases.run(case, fluid, trace, blank)
    for name, expected in RECORDED[case].items():
        if name not in mine:
            assert may_be_absent(op, name, expected), name
            continue
        assert mine[name].shape == expected.shape, name
        assert mine[name].dtype == expected.dtype, name
        np.testing.assert_allclose(mine[name], expected, recorded.RTOL, recorded.ATOL, err_msg=name)
    extra = set(mine) - set(RECORDED[case])
    assert not extra or op in DIFFERENTIABLE
    assert RECORDED[case], "nothing was recorded"


def by_core_ops(op: str, fed, made, attrs) -> None:
    """Run an operator as a function of `core.ops` and write what it returns as `trace` does."""
    facts = facts_of(op)
    args = []
    for slot in (s for s in facts.inputs if s.taken):
        given = fed.get(slot.name, [None])
        args.append(given if slot.many else given[0])
    returned = [s for s in facts.outputs if not s.optional]
    args += [made[s.name][0] for s in facts.outputs if s.taken]
    args += [len(made[s.name]) for s in returned if s.many]
    results = getattr(ops, op)(*args, *[word for pair in attrs.items() for word in pair])
    if len(returned) == 1:
        results = (results,)
    for slot, result in zip(returned, results, strict=True):
        if slot.name in made:
            made[slot.name][:] = result if slot.many else [result]


def expressible(case: str) -> bool:
    """Whether `core.ops` takes all the inputs of a case."""
    op, inputs, _, outputs = cases.CASES[case]
    facts = facts_of(op)
    if op == "inplace_abn":
        return False  # it overwrites its inputs, which Paddle's function cannot be told
    return set(inputs) <= {s.name for s in facts.inputs if s.taken} and not any(
        s.optional and s.name in outputs for s in facts.outputs
    )


@pytest.mark.parametrize("case", [case for case in cases.CASES if expressible(case)])
def test_function_of_core_ops_returns_what_append_op_writes(case):
    written = cases.run(case, fluid, trace, blank)
    returned = cases.run(case, fluid, by_core_ops, blank)
    assert list(returned) == list(written)
    for name, expected in written.items():
        np.testing.assert_array_equal(returned[name], expected, err_msg=name)


def test_every_operator_under_its_paddle_name_is_in_the_table():
    ours = set(OPERATORS) & set(names())
    # the function of this name gives the whole loss, Paddle's operator its parts
    assert ours - set(routed()) == {"sample_logits"}


def test_every_operator_of_the_table_is_paddles_and_was_recorded():
    assert set(routed()) <= set(names())
    found = {case[0] for case in cases.CASES.values()}
    assert found <= set(routed())
    assert set(routed()) - found <= UNRECORDED
    assert len(names()) == 392


@pytest.mark.parametrize("name", names())
def test_function_exists_or_says_that_refluid_lacks_it(name):
    if name in routed():
        assert getattr(ops, name).__name__ == name
        assert find(name).op_type == name
    else:
        with pytest.raises(UnsupportedFluidAPI, match=name):
            trace(name, {}, {}, {})
        with pytest.raises(AttributeError, match=name):
            getattr(ops, name)


def needs_input(name: str) -> bool:
    return any(not slot.optional for slot in facts_of(name).inputs)


@pytest.mark.parametrize("name", [name for name in routed() if needs_input(name)])
def test_operator_without_its_inputs_is_not_met(name):
    outputs = {slot.name: blank() for slot in facts_of(name).outputs}
    with pytest.raises(EnforceNotMet, match=rf"{name}: the input `\w+` is missing"):
        trace(name, {}, outputs, {})
