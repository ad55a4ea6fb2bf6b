from __future__ import annotations

import importlib

import pytest

from refluid.hook import catalog, coverage


def test_catalog_holds_the_public_names_of_paddle_185() -> None:
    known = catalog.load()
    assert known.paddle == "1.8.5"
    assert len(known.names) == 36
    assert sum(len(names) for names in known.names.values()) == 810
    assert len(known.names["paddle.fluid.layers"]) == 355
    assert len(known.modules) == 258
    assert set(known.names) <= set(known.modules)


def test_entries_have_a_signature_unless_they_cannot_be_called() -> None:
    for module, names in catalog.load().names.items():
        for name, entry in names.items():
            assert entry.dygraph in ("yes", "no", "n/a"), (module, name)
            assert (entry.signature is not None) == (entry.kind in ("function", "class")), name


@pytest.mark.parametrize(
    "dotted",
    [
        "paddle.fluid",
        "paddle.fluid.layers.While",
        "paddle.fluid.layers.control_flow.While",
        "paddle.fluid.transpiler.ps_dispatcher",
        "paddle.fluid.core.LoDTensor",
    ],
)
def test_modules_names_and_deep_paths_are_known(dotted: str) -> None:
    assert dotted in catalog.load()


@pytest.mark.parametrize("dotted", ["paddle.nn", "paddle.fluid.layers.whilst", "torch", ""])
def test_other_names_are_unknown(dotted: str) -> None:
    assert dotted not in catalog.load()


def test_entry_says_whether_paddle_has_it_in_the_dynamic_graph() -> None:
    known = catalog.load()
    loop = known.find("paddle.fluid.layers.While")
    batch = known.find("paddle.batch")
    assert loop is not None
    assert loop == ("class", "no", "(cond, is_test=False, name=None)")
    assert batch is not None
    assert batch.dygraph == "n/a"
    assert known.find("paddle.fluid.core.LoDTensor") is None


def test_reasons_are_of_names_that_refluid_does_not_have() -> None:
    known = catalog.load()
    for dotted, reason in known.reasons.items():
        assert dotted in known, dotted
        assert coverage.state(dotted) != coverage.WORKS, dotted
        # they follow "it works only in Paddle's static graph, since", and stand before a point
        assert reason[0] in "`in", reason
        assert reason[-1] not in ".,:", reason


def test_homes_are_all_modules_with_the_name() -> None:
    homes = catalog.load().homes("Conv2D")
    assert homes == ["paddle.fluid", "paddle.fluid.dygraph", "paddle.fluid.dygraph.nn"]


def test_implemented_is_what_is_loaded_and_of_paddles_kind() -> None:
    importlib.import_module("refluid.paddle")
    # `paddle.batch` is a function, and at the same time a module that the function hides.
    assert catalog.is_implemented("paddle.batch")
    assert catalog.is_implemented("paddle.fluid.dygraph")
    assert not catalog.is_implemented("paddle.fluid.layers.While")
    assert not catalog.is_implemented("paddle.fluid.layers.no_such_name")
