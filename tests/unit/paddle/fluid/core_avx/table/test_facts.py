"""The facts about Paddle's operators are those of its own descriptions."""

from __future__ import annotations

from refluid.paddle.fluid.core_avx.table.facts import STATIC_ONLY, facts_of, names


def test_there_are_the_392_operators_of_core_ops():
    assert len(names()) == 392
    assert names() == sorted(names())
    assert len(STATIC_ONLY) == 44
    assert not STATIC_ONLY & set(names())


def test_slots_have_the_marks_of_paddle():
    facts = facts_of("layer_norm")
    assert [(s.name, s.optional, s.taken) for s in facts.inputs] == [
        ("X", False, True),
        ("Scale", True, True),
        ("Bias", True, True),
    ]
    assert [(s.name, s.internal) for s in facts.outputs] == [
        ("Y", False),
        ("Mean", True),
        ("Variance", True),
    ]
    (x, axis) = facts_of("concat").inputs
    assert x.many
    assert not x.optional
    assert axis.optional
    assert not axis.taken
    assert [s.name for s in facts_of("adam").outputs if s.taken] == [
        "ParamOut", "Moment1Out", "Moment2Out", "Beta1PowOut", "Beta2PowOut",
    ]  # fmt: skip


def test_attributes_have_kinds_and_defaults():
    attributes = facts_of("leaky_relu").attributes
    assert (attributes["alpha"].kind, attributes["alpha"].default) == ("f", 0.02)
    assert facts_of("cast").attributes["out_dtype"].required
    assert facts_of("reshape2").attributes["shape"].default == []


def test_unknown_operator_has_no_facts():
    assert facts_of("nosuch") is None
    assert facts_of("while") is None
