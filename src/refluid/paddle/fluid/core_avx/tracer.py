"""The state of the dynamic graph, and its backward pass.

A `Tracer` exists while a `guard()` is open: it knows the place and numbers the variables. Whether
gradients are recorded is torch's own grad mode, so that both worlds always agree about it.

`backward` gives torch's engine Paddle's rules: the gradients of the leaves that it reaches are
replaced, not added to; those of leaves that it does not reach stay; intermediate variables that
are still alive get theirs too; what needs no gradient, or was freed, is passed over in silence.

May import: torch, error, place, and nothing of variables (they import this).
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.place import Place, default_place

__all__ = ["Tracer", "backward", "current_place", "current_tracer", "note_leaf", "use_tracer"]


class Tracer:
    """The open dynamic graph: its place, and the counter behind default variable names."""

    def __init__(self, place: Place | None = None) -> None:
        self.place = place or default_place()
        self.num_variables = 0

    @property
    def _train_mode(self) -> bool:
        return torch.is_grad_enabled()

    def train_mode(self) -> None:
        """Record gradients from here on, as `layer.train()` does."""
        torch.set_grad_enabled(True)

    def eval_mode(self) -> None:
        """Record no gradients from here on, as `layer.eval()` does."""
        torch.set_grad_enabled(False)


_tracer: Tracer | None = None
# numbers variables made outside of every guard
_outside = Tracer.__new__(Tracer)
_outside.num_variables = 0


def current_tracer() -> Tracer | None:
    """Return the tracer of the innermost open guard, or None."""
    return _tracer


def current_place() -> Place:
    """Return the place of the innermost open guard, or the default place."""
    return _tracer.place if _tracer is not None else default_place()


def next_number() -> int:
    """Count one more variable and return its number."""
    counter = _tracer or _outside
    number = counter.num_variables
    counter.num_variables = number + 1
    return number


@contextmanager
def use_tracer(tracer: Tracer | None) -> Iterator[None]:
    """Make `tracer` the current one; recording starts switched on and is put back at the end."""
    global _tracer
    before, recording = _tracer, torch.is_grad_enabled()
    _tracer = tracer
    torch.set_grad_enabled(True)
    try:
        yield
    finally:
        _tracer = before
        torch.set_grad_enabled(recording)


# Leaves that may receive a gradient, by id: variables compare elementwise, so no set can hold them.
_leaves: dict[int, weakref.ref[torch.Tensor]] = {}


def note_leaf(leaf: torch.Tensor) -> None:
    """Have `backward` replace this leaf's gradient instead of adding to it."""
    key = id(leaf)
    _leaves[key] = weakref.ref(leaf, lambda _: _leaves.pop(key, None))


class _Results:
    """Weak references to operator results whose gradient may still be asked for."""

    def __init__(self) -> None:
        self._refs: list[weakref.ref[torch.Tensor]] = []
        self._limit = 1024

    def add(self, result: torch.Tensor) -> None:
        """Note one; drop the dead ones when many have come together without a backward pass."""
        self._refs.append(weakref.ref(result))
        if len(self._refs) > self._limit:
            self._refs[:] = [ref for ref in self._refs if ref() is not None]
            self._limit = max(1024, 2 * len(self._refs))

    def alive(self) -> list[Any]:
        return [t for ref in self._refs if (t := ref()) is not None]

    def keep(self, tensors: list[torch.Tensor]) -> None:
        self._refs[:] = [weakref.ref(t) for t in tensors]


_results = _Results()


# has `backward` keep the gradient of an operator result while it is alive
note_result = _results.add


def backward(root: torch.Tensor, retain_graph: bool = False) -> None:
    """Run the backward pass from `root`, which starts from ones whatever its shape.

    Args:
        root: any variable; nothing happens if it needs no gradient or its graph was freed.
        retain_graph: keep the graph, so that it can be run again.

    Raises:
        EnforceNotMet: a part of the graph was freed by an earlier pass.

    Effects:
        `.grad` of every reached leaf is replaced; `gradient()` of live intermediates is set.
    """
    if root.is_leaf or getattr(root, "_freed", False):
        return
    noted = [leaf for ref in list(_leaves.values()) if (leaf := ref()) is not None]
    leaves = [leaf for leaf in noted if leaf.is_leaf]  # an operator may have overwritten one
    earlier = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    results = _results.alive()
    grads: dict[int, torch.Tensor] = {}
    # hooks rather than retain_grad(), which would copy the gradient of every saved activation
    hooks = [
        t.register_hook(lambda grad, key=k: grads.__setitem__(key, grad))
        for k, t in enumerate(results)
    ]
    # for a given gradient torch imports its symbolic shapes, which takes most of a second
    ones = None if root.numel() == 1 else torch.ones_like(root)
    try:
        torch.autograd.backward(root, ones, retain_graph=retain_graph)
    except RuntimeError as error:
        raise EnforceNotMet(f"backward: {error}") from None
    finally:
        for hook in hooks:
            hook.remove()
        for leaf, grad in zip(leaves, earlier, strict=True):
            if leaf.grad is None:
                leaf.grad = grad
    for k, grad in grads.items():
        results[k]._result_grad = grad
    if not retain_graph:
        for k in grads:
            results[k]._freed = True
        _results.keep([t for k, t in enumerate(results) if k not in grads])
