"""`Watch`: every so many steps of a run, a look into its layers, gradients and parameters.

Between these steps there is nothing: no hook, no copy. What a watched step gives depends on nothing
but that step and on the memory of the last looks, which can be captured, so that a run that goes on
gives the same numbers.
May import: errors, torch, observe.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from refluid.errors import CheckpointError
from refluid.observe.layers.gradient import Gradients, norm, total
from refluid.observe.layers.layer import LayerFacts, table_of
from refluid.observe.layers.probe import Probe, check_model
from refluid.observe.record import Record

__all__ = ["Watch"]

_LOOKS = 3  # a unit that was 0 in so many of them, one after the other, counts as dead


class Watch:
    """Metrics about a model from every `every`-th step, from step 0 on.

    The metrics: `lr`; `grad_norm` and `grad_norm/<parameter>`, of the last gradients of the step,
    before any clipping; `param_norm` before the step, and `update_ratio`, the norm of what the step
    changed in proportion to it; for each layer `std/<layer>` of its output, `zeros/<layer>`, the
    share of zeros in it (after the activation, if that can give 0), and `dead/<layer>`, the number
    of units that were always 0 in the last three looks. Forward passes without recording, as in a
    validation, are left out. With the first of them comes the table `layers`.

    Args:
        model: a torch.nn.Module or fluid Layer.
        optimizer: of torch or fluid; without one, no `lr`.
        every: how many steps lie between two looks, at least 1.

    Raises:
        TypeError: `model` is neither, or `optimizer` has no learning rate.
        ValueError: `every` is no whole number from 1.
    """

    def __init__(self, model: Any, optimizer: Any = None, every: int = 100) -> None:
        check_model(model)
        has_rate = hasattr(optimizer, "param_groups") or hasattr(optimizer, "current_step_lr")
        if optimizer is not None and not has_rate:
            raise TypeError(
                "`optimizer` must be an optimizer of torch or fluid, but received "
                f"{type(optimizer).__name__}: leave it out if the run has none."
            )
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"`every` must be a whole number from 1, but received {every!r}.")
        self._model: torch.nn.Module = model
        self._optimizer = optimizer
        self._every = every
        self._probe: Probe | None = None
        self._gradients = Gradients()
        self._before: dict[str, torch.Tensor] = {}
        self._rate: float | None = None
        self._has_table = False
        self._silent: dict[str, torch.Tensor] = {}  # looks since each unit was last other than 0

    def begin(self, step: int) -> None:
        """Place the hooks, if this step is to be watched.

        Args:
            step: how many steps of the run came before it.

        Effects:
            Until `end`, hooks on the layers and parameters, and a copy of the parameters.
        """
        self.close()
        if step % self._every:
            return
        parameters = self._trained()
        self._before = {
            name: torch.Tensor.detach(parameter).clone() for name, parameter in parameters.items()
        }
        groups = getattr(self._optimizer, "param_groups", None)
        self._rate = float(groups[0]["lr"]) if groups else None
        self._gradients.attach(parameters)
        self._probe = Probe(self._model, with_samples=False, training_only=True)
        self._probe.attach()

    def end(self, step: int) -> tuple[dict[str, float], dict[str, Record]]:
        """Take the hooks away, and return the metrics and records of the step.

        Args:
            step: that `begin` was called with.

        Returns:
            Metrics and records by name, both empty if the step was not watched.
        """
        probe, before = self._probe, self._before
        self.close()
        if probe is None:
            return {}, {}
        layers = probe.layers()
        metrics = {
            **self._rates(),
            **_gradient_norms(self._gradients.norms()),
            **self._parameter_norms(before),
            **_layer_metrics(layers),
            **self._dead(probe),
        }
        if self._has_table or not layers:
            return metrics, {}
        self._has_table = True
        return metrics, {"layers": table_of(layers)}

    def close(self) -> None:
        """Take the hooks away, where a step has not come to its end; it may be called again."""
        probe, self._probe = self._probe, None
        self._before = {}
        self._gradients.detach()
        if probe is not None:
            probe.detach()

    def state_dict(self) -> dict[str, Any]:
        """Return what later metrics depend on, as plain values and tensors on the CPU."""
        silent = {name: looks.clone() for name, looks in self._silent.items()}
        return {"has_table": self._has_table, "silent": silent}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned.

        Raises:
            CheckpointError: it is no such state.
        """
        has_table, silent = state.get("has_table"), state.get("silent")
        if not (
            isinstance(has_table, bool)
            and isinstance(silent, Mapping)
            and all(isinstance(looks, torch.Tensor) for looks in silent.values())
        ):
            raise CheckpointError(
                "`state` must be what a Watch's state_dict() returned, but has "
                f"{', '.join(map(str, state)) or 'nothing'}."
            )
        self._has_table = has_table
        self._silent = {name: looks.cpu().clone() for name, looks in silent.items()}

    # --- the metrics --------------------------------------------------------------------------

    def _trained(self) -> dict[str, torch.Tensor]:
        """Return the parameters that get gradients, under names that can be shown."""
        return {
            _shown(name): parameter
            for name, parameter in self._model.named_parameters()
            if parameter.requires_grad and not torch.nn.parameter.is_lazy(parameter)
        }

    def _rates(self) -> dict[str, float]:
        if self._rate is not None:
            return {"lr": self._rate}
        rate = getattr(self._optimizer, "current_step_lr", None)
        if rate is None:
            return {}
        try:
            # asked for only now: fluid's decays go on within the step
            return {"lr": float(rate())}
        except TypeError:
            return {}  # a rate that follows the loss does not exist before its first step

    def _parameter_norms(self, before: Mapping[str, torch.Tensor]) -> dict[str, float]:
        if not before:
            return {}
        now = self._trained()
        size = total(float(norm(values)) for values in before.values())
        change = total(
            float(norm(torch.Tensor.detach(now[name]) - values))
            for name, values in before.items()
            if name in now and now[name].size() == values.size()
        )
        return {"param_norm": size, **({"update_ratio": change / size} if size else {})}

    def _dead(self, probe: Probe) -> dict[str, float]:
        metrics = {}
        for path, units in probe.units.items():
            name = _shown(path)
            is_silent = ~units.is_alive.cpu()
            looks = self._silent.get(name)
            if looks is None or looks.shape != is_silent.shape:
                # as if it had been silent before: one look then says what it can
                looks = torch.full(is_silent.shape, _LOOKS - 1)
            self._silent[name] = torch.where(is_silent, (looks + 1).clamp(max=_LOOKS), 0)
            metrics[f"dead/{name}"] = float((self._silent[name] >= _LOOKS).sum())
        return metrics


def _gradient_norms(norms: Mapping[str, float]) -> dict[str, float]:
    if not norms:
        return {}
    each = {f"grad_norm/{name}": norms[name] for name in sorted(norms)}
    return {"grad_norm": total(norms.values()), **each}


def _layer_metrics(layers: Iterable[LayerFacts]) -> dict[str, float]:
    metrics = {}
    for layer in layers:
        name = _shown(layer.name)
        if layer.zeros is not None and not math.isnan(layer.zeros):
            metrics[f"zeros/{name}"] = layer.zeros
        if layer.content is not None and layer.content.num_finite:
            metrics[f"std/{name}"] = layer.content.std
    return metrics


def _shown(name: str) -> str:
    """Return a path with what cannot be printed escaped, as names of metrics are printable."""
    return name if name.isprintable() else repr(name)[1:-1]
