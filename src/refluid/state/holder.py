"""Take the state out of an object that a program tracks, and put it back.

The state of a module includes the gradients: a program that adds them up over several steps, or
whose optimizer meets a zero where a fresh one would meet none, goes on differently without them.
So does what torchmetrics counts, which its metrics leave out of their own `state_dict`.
After every restoring the state is taken out once more and compared as bits, since an object's own
`load_state_dict` may convert, forget or add something without a word.

Layers and decays of refluid's own `paddle.fluid` are known by their `set_dict`, not by import.
May import: torch, numpy, refluid.errors, generators, tree.
"""

from __future__ import annotations

import copy
import random
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.optim.lr_scheduler import LRScheduler

from refluid.errors import CheckpointError, RefluidWarning, StateError
from refluid.state.generators import capture_python, checked_numpy, restore_python
from refluid.state.tree import check_packable, join, pack

__all__ = ["capture", "check", "restore"]


def check(name: str, obj: Any) -> None:
    """See to it that the state of `obj` can be captured.

    Args:
        name: what the object is called in an error.
        obj: the object.

    Raises:
        StateError: it has no state, or one that holds something which cannot be saved.
    """
    if not (isinstance(obj, _PLAIN) or _is_stateful(obj)):
        raise StateError(
            f"`{name}` is a {type(obj).__qualname__}, which has no state that can be saved: track "
            "objects with state_dict() and load_state_dict(), tensors, generators of random "
            "numbers, dicts or lists."
        )
    try:
        value = capture(obj)
    except (NotImplementedError, ValueError) as error:
        raise StateError(f"the state of `{name}` cannot be captured: {error}") from error
    check_packable(value, name)


def capture(obj: Any) -> Any:
    """Return the state of an object that `check` accepts, fit for `pack`.

    Nothing is copied: the value shares the memory of the object, and changes with it.
    """
    if isinstance(obj, torch.Tensor):
        return _with_gradients({"value": obj}, {"value": obj})
    if isinstance(obj, torch.Generator):
        return obj.get_state()
    if isinstance(obj, np.random.Generator):
        return obj.bit_generator.state
    if isinstance(obj, np.random.RandomState):
        return obj.get_state(legacy=False)
    if isinstance(obj, random.Random):
        return capture_python(obj.getstate())
    if not _is_stateful(obj):
        return obj
    state = obj.state_dict()
    if isinstance(obj, torch.nn.Module):
        _with_gradients(state, dict(obj.named_parameters()))
        state.update((key, _counts(part)) for key, part in _counting_parts(obj).items())
    return state


def restore(name: str, obj: Any, value: Any) -> None:
    """Put a state back into the object it was captured from, or one made in the same way.

    The object takes `value` over, and may go on changing its tensors.

    Args:
        name: what the object is called in an error.
        obj: changed in place. Of a dict or list, everything within is replaced.
        value: what `capture` returned.

    Raises:
        CheckpointError: the state does not fit; all differences are named. A module is unchanged
            then, another object may be half restored.
    """
    try:
        _restore(obj, _containers_copied(value))
    except CheckpointError as error:
        raise _misfit(name, str(error)) from None
    except Exception as error:  # an object's own method may raise anything
        raise _misfit(name, f"{type(error).__name__}: {error}") from error
    found = list(_differences(value, capture(obj), ""))
    structural = [f"`{path}` {what}" for path, what in found if what != _OTHER_BITS]
    if structural:
        raise _misfit(name, "; ".join(structural))
    if found:
        warnings.warn(
            f"`{name}` does not give back the state it was given: "
            f"{', '.join(f'`{path}`' for path, _ in found)} {_OTHER_BITS}, so the run may go on "
            "differently than without the interruption.",
            RefluidWarning,
            stacklevel=2,
        )


_PLAIN = (
    torch.Tensor,
    torch.Generator,
    np.random.Generator,
    np.random.RandomState,
    random.Random,
    dict,
    list,
)
_OTHER_BITS = "has other bits"


def _is_stateful(obj: Any) -> bool:
    # fluid's decays have a `set_dict` only
    return callable(getattr(obj, "state_dict", None)) and any(
        callable(getattr(obj, name, None)) for name in ("load_state_dict", "set_dict")
    )


def _misfit(name: str, what: str) -> CheckpointError:
    return CheckpointError(
        f"the state of `{name}` in the checkpoint does not fit: {what.rstrip('.')}. Make `{name}` "
        "as it was made when the checkpoint was saved, or begin another run in another directory."
    )


def _restore(obj: Any, value: Any) -> None:
    if isinstance(obj, torch.nn.Module | torch.Tensor):
        _restore_tensors(obj, value)
    elif isinstance(obj, torch.Generator):
        obj.set_state(value)
    elif isinstance(obj, np.random.Generator):
        obj.bit_generator.state = checked_numpy(value)
    elif isinstance(obj, np.random.RandomState):
        obj.set_state(checked_numpy(value))
    elif isinstance(obj, random.Random):
        obj.setstate(restore_python(value))
    elif isinstance(obj, torch.optim.Optimizer):
        _restore_optimizer(obj, value)
    elif isinstance(obj, LRScheduler):
        _restore_schedule(obj, value)
    elif hasattr(obj, "load_state_dict"):
        obj.load_state_dict(value)
    elif hasattr(obj, "set_dict"):
        obj.set_dict(value)
    elif isinstance(obj, list):
        obj[:] = value
    else:
        obj.clear()
        obj.update(value)


def _containers_copied(value: Any) -> Any:
    # some of torch's schedules take parts out of the dictionary that they are given
    if isinstance(value, dict):
        result = copy.copy(value)
        for key in value:
            result[key] = _containers_copied(value[key])
        return result
    return [_containers_copied(item) for item in value] if isinstance(value, list) else value


# --- modules, layers and tensors: what has gradients --------------------------------------------


def _with_gradients(
    state: dict[str, Any], parameters: Mapping[str, torch.Tensor]
) -> dict[str, Any]:
    for name, parameter in parameters.items():
        if parameter.is_leaf and parameter.grad is not None:
            state[f"{name}.grad"] = _gradient_value(parameter.grad)
    return state


def _restore_tensors(obj: Any, value: dict[str, Any]) -> None:
    is_module = isinstance(obj, torch.nn.Module)
    parameters: dict[str, Any] = dict(obj.named_parameters()) if is_module else {"value": obj}
    keys = {f"{name}.grad": name for name in parameters}
    counting = _counting_parts(obj) if is_module else {}
    missing = [key for key in counting if key not in value]
    if missing:
        raise CheckpointError(f"`{'`, `'.join(missing)}` is not in the checkpoint")
    apart = keys.keys() | counting.keys()
    state = OrderedDict((key, item) for key, item in value.items() if key not in apart)
    now = obj.state_dict() if is_module else {"value": obj}
    found = [f"`{p}` {what}" for p, what in _differences(state, now, "") if what != _OTHER_BITS]
    if found:
        raise CheckpointError("; ".join(found))
    if not is_module:
        _plain(obj).copy_(state["value"])
    elif hasattr(obj, "set_dict"):
        # a fluid Layer, whose shapes are lists, which torch's own loading would not know
        obj.set_dict(state)  # type: ignore[union-attr]
    else:
        vars(state)["_metadata"] = getattr(value, "_metadata", OrderedDict())
        obj.load_state_dict(state)
    for key, name in keys.items():
        if parameters[name].is_leaf:
            parameters[name].grad = _gradient(value.get(key), parameters[name].device)
    for key, part in counting.items():
        _set_counts(part, value[key])


def _gradient_value(gradient: torch.Tensor) -> Any:
    if gradient.layout != torch.sparse_coo:
        return gradient
    plain = torch.Tensor.detach(gradient)
    return {
        "indices": plain._indices(),
        "values": plain._values(),
        "shape": plain.shape,
        "coalesced": plain.is_coalesced(),
    }


def _gradient(value: Any, device: torch.device) -> torch.Tensor | None:
    if not isinstance(value, dict):
        return value if value is None else value.to(device)
    return torch.sparse_coo_tensor(
        value["indices"],
        value["values"],
        value["shape"],
        device=device,
        is_coalesced=value["coalesced"],
        check_invariants=True,
    )


# --- metrics of torchmetrics, known by what they have, not by import ----------------------------


def _counting_parts(module: torch.nn.Module) -> dict[str, Any]:
    return {
        f"{name}.counts" if name else "counts": part
        for name, part in module.named_modules()
        if isinstance(getattr(part, "metric_state", None), dict) and hasattr(part, "update_count")
    }


def _counts(metric: Any) -> dict[str, Any]:
    return {"state": metric.metric_state, "num_updates": metric.update_count}


def _set_counts(metric: Any, value: dict[str, Any]) -> None:
    for name, counted in value["state"].items():
        setattr(metric, name, counted)
    # there is no other way to set it, and means are weighted by it
    metric._update_count = value["num_updates"]
    metric._computed = None


# --- everything else with a state_dict ----------------------------------------------------------


def _restore_optimizer(optimizer: torch.optim.Optimizer, value: dict[str, Any]) -> None:
    for number, group in enumerate(value["param_groups"]):
        missing = [key for key in optimizer.defaults if key not in group]
        if missing:
            raise CheckpointError(
                f"parameter group {number} has no {', '.join(map(repr, missing))}, so it is of "
                f"another optimizer than {type(optimizer).__name__}"
            )
    optimizer.load_state_dict(value)
    # torch converts most of the state to the type of the parameter: a float32 number that goes
    # with bfloat16 weights would lose bits, one that goes with float64 would go on in float64
    numbers = [number for group in value["param_groups"] for number in group["params"]]
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for number, parameter in zip(numbers, parameters, strict=True):
        for key, stored in value["state"].get(number, {}).items():
            loaded = optimizer.state[parameter][key]
            if isinstance(loaded, torch.Tensor) and loaded.dtype != stored.dtype:
                optimizer.state[parameter][key] = stored.to(loaded.device)


def _restore_schedule(schedule: LRScheduler, value: dict[str, Any]) -> None:
    # it would take whatever keys it is given
    found = [f"`{p}` {what}" for p, what in _key_differences(value, schedule.state_dict(), "")]
    if found:
        raise CheckpointError("; ".join(found))
    schedule.load_state_dict(value)


# --- comparing ----------------------------------------------------------------------------------


def _differences(then: Any, now: Any, path: str) -> Iterator[tuple[str, str]]:
    """Give the path of all that differs between two states, and how."""
    if isinstance(then, torch.Tensor) and isinstance(now, torch.Tensor):
        yield from ((path, what) for what in _tensor_difference(then, now))
    elif isinstance(then, dict) and isinstance(now, dict):
        yield from _key_differences(then, now, path)
        for key in then:
            if key in now:
                yield from _differences(then[key], now[key], join(path, key))
    elif isinstance(then, list | tuple) and type(then) is type(now) and len(then) == len(now):
        for number, (a, b) in enumerate(zip(then, now, strict=True)):
            yield from _differences(a, b, join(path, number))
    elif not _same(then, now):
        yield path, _OTHER_BITS


def _key_differences(
    then: Mapping[Any, Any], now: Mapping[Any, Any], path: str
) -> Iterator[tuple[str, str]]:
    for key in now:
        if key not in then:
            yield join(path, key), "is not in the checkpoint"
    for key in then:
        if key not in now:
            yield join(path, key), "is only in the checkpoint"


def _tensor_difference(then: torch.Tensor, now: torch.Tensor) -> Iterator[str]:
    then, now = _plain(then), _plain(now)
    if then.shape != now.shape:
        yield f"had shape {list(then.shape)} and has {list(now.shape)}"
    elif then.dtype != now.dtype:
        yield f"had dtype {then.dtype} and has {now.dtype}"
    elif not torch.equal(_bytes(then).to(now.device), _bytes(now)):
        yield _OTHER_BITS


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    return torch.Tensor.as_subclass(torch.Tensor.detach(tensor), torch.Tensor)


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.resolve_conj().resolve_neg().contiguous().reshape(-1).view(torch.uint8)


def _same(then: Any, now: Any) -> bool:
    a, b = pack(then), pack(now)
    return a.structure == b.structure and all(
        torch.equal(_bytes(a.tensors[name]), _bytes(b.tensors[name])) for name in a.tensors
    )
