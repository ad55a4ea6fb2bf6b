"""What refluid has of Paddle 1.8 takes the arguments that Paddle takes.

`catalog.json` holds the signatures of all public names of Paddle 1.8.5, and `methods.json` beside
this file those of the methods of its public classes, both as `inspect` shows them there.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from refluid.hook import catalog, coverage
from refluid.hook.name import engine_name
from refluid.paddle.fluid.core_avx.dtype import VarType

METHODS = json.loads(Path(__file__).with_name("methods.json").read_text(encoding="ascii"))

# What inspect says of a class without a constructor of its own
ANYTHING = "(*args, **kwargs)"

# Names whose signature is another one on purpose, and why.
DIFFERENT = {
    "paddle.fluid.Variable": "Paddle's makes a variable of the static graph; here it is VarBase",
    "paddle.fluid.framework.Variable": "the same",
    "paddle.fluid.framework.Parameter": "the same; here it is ParamBase, without a block",
    "paddle.fluid.dygraph.Tracer": "it takes the place as well, which Paddle sets afterwards",
    "paddle.fluid.dygraph.layers.HookRemoveHelper": "made by refluid alone; it is torch's",
}
DIFFERENT_METHODS = {
    "paddle.distributed.utils.Pod.rank": "hidden by the attribute of that name",
    "paddle.distributed.utils.Trainer.rank": "the same",
    "paddle.fluid.core.VarBase.__len__": "Paddle calls `self` `var`",
    "paddle.fluid.framework.Variable.__getitem__": "the argument of an operator has no name",
    "paddle.fluid.framework.Program.parse_from_string": "programs of the static graph",
    "paddle.fluid.dygraph.Tracer.trace_op": "the engine's own; programs call core.ops",
    "paddle.fluid.dygraph.Layer.__call__": "torch.nn.Module's, where `*inputs` is called `*args`",
}
# Methods that hand all arguments on to the model inside
FORWARDING = "paddle.fluid.dygraph.DataParallel."


def implemented() -> Iterator[tuple[str, str, Any]]:
    """Each name that can be called and works here: the name, Paddle's signature, our object."""
    for module, names in catalog.load().names.items():
        for name, entry in names.items():
            dotted = f"{module}.{name}"
            if entry.signature is not None and coverage.state(dotted) == coverage.WORKS:
                yield (
                    dotted,
                    entry.signature,
                    getattr(importlib.import_module(engine_name(module)), name),
                )


def text(value: Any, skip_self: bool = False) -> str:
    """A signature as the recorded ones are written."""
    parameters = list(inspect.signature(value).parameters.values())
    return f"({', '.join(written(each) for each in parameters[skip_self:])})"


def written(parameter: inspect.Parameter) -> str:
    """One parameter, with its default."""
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
    start = stars.get(parameter.kind, "") + parameter.name
    if parameter.default is parameter.empty:
        return start
    return f"{start}={plain(parameter.default)!r}"


def plain(default: Any) -> Any:
    """A default as JSON holds it."""
    if isinstance(default, VarType):
        return f"<{default}>"
    if default is None or isinstance(default, bool | int | float | str):
        return default
    if isinstance(default, list | tuple):
        return [plain(each) for each in default]
    named = inspect.isfunction(default) or inspect.isclass(default)
    return f"<{default.__name__ if named else default}>"


def is_of_the_extension(signature: str) -> bool:
    """Whether a signature is one of Paddle's C++ extension, which writes them in its own way."""
    return signature.startswith("__init__(self")


def test_functions_and_classes_have_paddles_signatures() -> None:
    compared = different = 0
    wrong = []
    for dotted, signature, value in implemented():
        if is_of_the_extension(signature) or signature == ANYTHING:
            continue
        same = text(value) == signature
        if dotted in DIFFERENT:
            different += not same
            continue
        compared += 1
        if not same:
            wrong.append(f"{dotted}{text(value)}, but in Paddle {signature}")
    assert wrong == []
    assert compared > 580
    # one that has become equal must leave the list
    assert different == len(DIFFERENT)


def test_parameters_can_be_given_by_place_and_by_name() -> None:
    for dotted, signature, value in implemented():
        if is_of_the_extension(signature) or signature == ANYTHING or dotted in DIFFERENT:
            continue
        for parameter in inspect.signature(value).parameters.values():
            kinds = (
                parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD
            )  # fmt: skip
            assert parameter.kind in kinds, f"{dotted}: {parameter}"


@pytest.mark.parametrize(
    ("dotted", "arguments"),
    [
        ("paddle.fluid.core.CPUPlace", []),
        ("paddle.fluid.core.CUDAPinnedPlace", []),
        ("paddle.fluid.core.CUDAPlace", [0]),
        ("paddle.fluid.core.BackwardStrategy", []),
        ("paddle.fluid.core.ParallelStrategy", []),
        ("paddle.fluid.core.Layer", []),
        ("paddle.fluid.core.VarBase", ["value", "place", False, False, "name"]),
    ],
)
def test_classes_of_the_extension_take_its_arguments(dotted: str, arguments: list[Any]) -> None:
    module, _, name = dotted.rpartition(".")
    value = getattr(importlib.import_module(engine_name(module)), name)
    entry = catalog.load().find(dotted)
    assert entry is not None
    assert is_of_the_extension(str(entry.signature))
    inspect.signature(value).bind(*arguments)


def parts(signature: str) -> list[tuple[str, str | None]]:
    """Names and defaults of a recorded signature; commas in brackets or quotes separate none."""
    found = re.findall(r"((?:\[[^]]*\]|'[^']*'|[^,\['])+)(?:, |$)", signature[1:-1])
    split = [each.partition("=") for each in found]
    return [(name, default if equals else None) for name, equals, default in split]


def accepts(ours: str, recorded: str) -> bool:
    """Whether a method takes all that Paddle's takes: ours may know more, and demand less."""
    mine, theirs = parts(ours), parts(recorded)
    if recorded == ANYTHING:
        return True
    if len(mine) < len(theirs):
        return False
    for (name, default), (expected, needed) in zip(mine, theirs, strict=False):
        if name != expected or (needed is not None and default != needed):
            return False
    return all(d is not None or name[0] == "*" for name, d in mine[len(theirs) :])


def test_methods_take_what_paddles_take() -> None:
    compared, wrong, different = 0, [], set()
    for dotted, methods in METHODS.items():
        if coverage.state(dotted) != coverage.WORKS or dotted in ("paddle.fluid.Variable",):
            continue
        module, _, name = dotted.rpartition(".")
        owner = getattr(importlib.import_module(engine_name(module)), name)
        for method, recorded in methods.items():
            key = f"{dotted}.{method}"
            found = inspect.getattr_static(owner, method, None)
            bound = isinstance(found, staticmethod | classmethod | type)
            ours = None if found is None else text(getattr(owner, method), skip_self=not bound)
            compared += 1
            if ours is not None and accepts(ours, recorded):
                continue
            if key in DIFFERENT_METHODS:
                different.add(key)
            elif not (key.startswith(FORWARDING) and ours == ANYTHING):
                wrong.append(f"{key}{ours}, but in Paddle {recorded}")
    assert wrong == []
    assert compared > 200
    assert different == set(DIFFERENT_METHODS)


@pytest.mark.parametrize(
    ("ours", "recorded", "fits"),
    [
        ("(x, y=1)", "(x, y=1)", True),
        ("(x, y=1, z=None)", "(x, y=1)", True),
        ("(x=None)", "(x)", True),
        ("(x, y=2)", "(x, y=1)", False),
        ("(y=1, x=2)", "(x=2, y=1)", False),
        ("(x)", "(x, y=[1, 2])", False),
        ("(x, y=[1, 2])", "(x, y=[1, 2])", True),
        ("(x, z)", "(x)", False),
    ],
)
def test_accepting_is_told_from_refusing(ours: str, recorded: str, fits: bool) -> None:
    assert accepts(ours, recorded) is fits
