"""`Optimizer`: what all of them share, from `minimize(loss)` to the update of the parameters.

One step: take the gradients that `loss.backward()` left behind, clip them, add the weight decay,
then update all parameters of one element type, device and rate together. A final class says in
`_update` how, and in its constructor which accumulators it needs.

Parameters are written through `param.data`, so that a graph which was built before an update can
still run backward after it, as Paddle allows and torch otherwise refuses.
May import: torch, core_avx, framework, unique_name, clip, regularizer, dygraph, accumulator.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import torch

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.clip import GradientClipBase
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap
from refluid.paddle.fluid.dygraph.learning_rate_scheduler.decay import (
    EpochDecay,
    LearningRateDecay,
)
from refluid.paddle.fluid.framework import (
    ParamBase,
    Program,
    default_main_program,
    dygraph_only,
    in_dygraph_mode,
)
from refluid.paddle.fluid.optimizer.accumulator import AccumulatorStore
from refluid.paddle.fluid.optimizer.rounding import float32, rounded
from refluid.paddle.fluid.optimizer.served import Served, served
from refluid.paddle.fluid.regularizer import WeightDecayRegularizer, append_regularization_ops

__all__ = ["Gradients", "Group", "Optimizer"]

_dtype = torch.Tensor.dtype.__get__  # type: ignore[attr-defined]
Gradients = list[tuple[ParamBase, torch.Tensor]]


@dataclass(slots=True)
class Group:
    """Parameters of one element type, device and rate, which are updated together.

    Attributes:
        rate: the learning rate of all of them.
        params: the parameters.
        values: their values, to be written in place.
        grads: their gradients, dense and laid out in memory as the values; never written.
    """

    rate: float
    params: list[ParamBase] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)
    grads: list[torch.Tensor] = field(default_factory=list)


_RATE_KEYS = {"LR_Scheduler", "global_step"}


class Optimizer:
    """Update parameters from their gradients. The base of all optimizers.

    Same as Paddle 1.8: `minimize(loss)` does not call `loss.backward()`; the program does.

    Differs from Paddle: every optimizer takes sparse gradients, as if they were dense where
    Paddle 1.8 refuses them.

    Args:
        learning_rate: a float, or an object of `fluid.dygraph` such as `PolynomialDecay`.
        parameter_list: the parameters to update, usually `model.parameters()`.
        regularization: weight decay of the parameters that have none in their ParamAttr.
        grad_clip: how gradients are clipped, before the weight decay is added.
        name: put before the names of the accumulators.

    Raises:
        TypeError: `learning_rate` is neither, `parameter_list` holds something else than
            parameters, or `grad_clip` is no clip.
        AttributeError: `parameter_list` is missing; outside of `fluid.dygraph.guard()`, where a
            static program would find the parameters itself, only when the optimizer is used.
    """

    type = "optimizer"

    def __init__(
        self,
        learning_rate: float | LearningRateDecay,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: WeightDecayRegularizer | None = None,
        grad_clip: GradientClipBase | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(learning_rate, (float, LearningRateDecay)):
            raise TypeError(
                "`learning_rate` must be a float or a decay such as "
                f"fluid.dygraph.PolynomialDecay, but received {learning_rate!r}; write "
                "0.1 instead of an int or numpy number."
            )
        if grad_clip is not None and not isinstance(grad_clip, GradientClipBase):
            raise TypeError(
                "`grad_clip` must be a clip such as fluid.clip.GradientClipByGlobalNorm(1.0), "
                f"but received {grad_clip!r}."
            )
        self._parameter_list = _checked(parameter_list)
        self.regularization = regularization
        self._grad_clip = grad_clip
        self._learning_rate = learning_rate
        self._learning_rate_map: dict[Program, VarBase] = {}
        self._name = name
        self._dtype: torch.dtype | None = None
        self._served: Served | None = None
        self._store = AccumulatorStore(name)

    # --- one step ---------------------------------------------------------------------------

    @torch.no_grad()
    def minimize(
        self,
        loss: VarBase,
        startup_program: Program | None = None,
        parameter_list: Sequence[ParamBase] | None = None,
        no_grad_set: set[Any] | None = None,
    ) -> tuple[list[Any], Gradients]:
        """Update the parameters with the gradients they have now.

        Same as Paddle 1.8: call `loss.backward()` before. A parameter without a gradient is left
        alone; one that the last backward pass did not reach is updated with its old gradient.

        Args:
            loss: the variable that was differentiated.
            startup_program: not used.
            parameter_list: not used; the constructor's counts.
            no_grad_set: not used.

        Returns:
            An empty list, and the parameters with their gradients as `backward` left them.

        Raises:
            AssertionError: `loss` is not a Variable.
        """
        assert isinstance(loss, torch.Tensor), (
            f"`loss` must be a Variable, but received {type(loss).__name__}."
        )
        params_grads = self.backward(loss, startup_program, parameter_list, no_grad_set)
        return self.apply_optimize(loss, startup_program, params_grads), params_grads

    def backward(
        self,
        loss: VarBase,
        startup_program: Program | None = None,
        parameter_list: Sequence[ParamBase] | None = None,
        no_grad_set: set[Any] | None = None,
        callbacks: list[Any] | None = None,
    ) -> Gradients:
        """Return the trainable parameters with the gradients they have now.

        Same as Paddle 1.8: in spite of its name it computes nothing; `loss.backward()` does.

        Args:
            loss: the variable that was differentiated.
            startup_program: not used, as all that follow.
            parameter_list: the constructor's counts.
            no_grad_set: as above.
            callbacks: as above.
        """
        self._dtype = _dtype(loss)
        pairs = ((p, p._grad_ivar()) for p in self._parameter_list if p.trainable)
        return [(param, grad) for param, grad in pairs if grad is not None]

    def apply_gradients(self, params_grads: Gradients) -> list[Any]:
        """Clip the gradients, add the weight decay and update; returns an empty list.

        Same as Paddle 1.8.

        Args:
            params_grads: parameters with gradients, as `backward` returns them.
        """
        return self.apply_optimize(None, None, params_grads)

    @torch.no_grad()
    def apply_optimize(
        self, loss: VarBase | None, startup_program: Program | None, params_grads: Gradients
    ) -> list[Any]:
        """Clip the gradients, add the weight decay and update; returns an empty list.

        Same as Paddle 1.8.

        Args:
            loss: not used.
            startup_program: not used.
            params_grads: parameters with gradients, as `backward` returns them.
        """
        if (servers := served(self)) is not None:
            servers.update(params_grads)
            return []
        if self._grad_clip is not None:
            params_grads = self._grad_clip(params_grads)
        params_grads = append_regularization_ops(params_grads, self.regularization)
        self._store.create(param for param, _ in params_grads if param.trainable)
        self._create_global_learning_rate()
        for group in self._group(params_grads):
            self._update(group)
        return []

    def _group(self, params_grads: Gradients) -> list[Group]:
        rate = self._global_learning_rate().item()  # type: ignore[union-attr]
        groups: dict[tuple[torch.dtype, torch.device, float], Group] = {}
        for param, grad in params_grads:
            if grad is None or not param.trainable:
                continue
            own_rate = self._rate(param, grad, rate)
            if grad.is_sparse:
                if self._update_rows(param, grad, own_rate):
                    continue
                grad = grad.to_dense()
            value = param.data
            if grad.stride() != value.stride():
                grad = _laid_out_as(value, grad)
            key = (value.dtype, value.device, own_rate)
            group = groups.get(key)
            if group is None:
                group = groups[key] = Group(own_rate)
            group.params.append(param)
            group.values.append(value)
            group.grads.append(grad)
        return list(groups.values())

    def _rate(self, param: ParamBase, grad: torch.Tensor, rate: float) -> float:
        """Return the rate at which `param` is updated; parameters of one rate are grouped."""
        factor = param.optimize_attr["learning_rate"]
        return rate if factor == 1.0 else rounded(rate * float32(factor), _dtype(param))

    def _update(self, group: Group) -> None:
        """Write new values into `group.values`, which share the parameters' memory."""
        raise NotImplementedError

    def _update_rows(self, param: ParamBase, grad: torch.Tensor, rate: float) -> bool:
        """Update from a sparse gradient and return True; False asks for a dense one."""
        return False

    @dygraph_only
    def clear_gradients(self) -> None:
        """Set the gradients of the trainable parameters to zeros. Same as Paddle 1.8."""
        for param in self._parameter_list:
            if param.trainable:
                param.clear_gradient()

    # --- the learning rate ------------------------------------------------------------------

    @dygraph_only
    def current_step_lr(self) -> float:
        """Return the rate that the last step used; before any step, that of the first.

        Same as Paddle 1.8.

        Returns:
            A float or numpy.float32, whatever Paddle gives.

        Raises:
            TypeError: the rate is a ReduceLROnPlateau, and no step was made yet.
        """
        variable = self._global_learning_rate()
        if variable is None:
            if isinstance(self._learning_rate, float):
                return self._learning_rate
            decay = self._learning_rate
            first = decay() if isinstance(decay, EpochDecay) else decay.step()
            if not isinstance(first, torch.Tensor):
                return first
            variable = first
        rate: float = variable.numpy()[0]
        return rate

    def _global_learning_rate(self, program: Program | None = None) -> VarBase | None:
        return self._learning_rate_map.get(program or default_main_program())

    def _create_global_learning_rate(self) -> None:
        """Advance the decay by a step; make a variable of a constant rate once in each guard."""
        program = default_main_program()
        if isinstance(self._learning_rate, LearningRateDecay):
            self._learning_rate_map[program] = self._learning_rate()
        elif program not in self._learning_rate_map:
            dtype = torch.float64 if self._dtype is torch.float64 else torch.float32
            variable = wrap(torch.tensor([float32(self._learning_rate)], dtype=dtype))
            variable.name = unique_name.generate("learning_rate")
            variable.persistable = True
            self._learning_rate_map[program] = variable

    # --- state ------------------------------------------------------------------------------

    @property
    def _accumulators(self) -> Mapping[str, Mapping[str, VarBase]]:
        return self._store.variables

    def get_opti_var_name_list(self) -> list[str]:
        """Return the names of the accumulators made so far. Same as Paddle 1.8."""
        return self._store.names

    @dygraph_only
    def state_dict(self) -> dict[str, Any]:
        """Return the accumulators, and the position of the learning rate.

        Same as Paddle 1.8. Save it with `fluid.save_dygraph`.

        Returns:
            Accumulators by name, as live variables; with a decay also `LR_Scheduler`, its own
            dictionary, and `global_step`, int32 [1].
        """
        if (servers := served(self)) is not None:
            servers.fetch()
        state: dict[str, Any] = {
            variable.name: variable
            for variables in self._store.variables.values()
            for variable in variables.values()
        }
        if isinstance(self._learning_rate, LearningRateDecay):
            state["LR_Scheduler"] = self._learning_rate.state_dict()
            if not isinstance(self._learning_rate, EpochDecay):
                step = wrap(torch.tensor([self._learning_rate.step_num], dtype=torch.int32))
                step.name = "global_step"
                state["global_step"] = step
        return state

    @dygraph_only
    def set_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state.

        Same as Paddle 1.8: accumulators that do not exist yet take their values when the first
        step makes them.

        Args:
            state_dict: what `state_dict()` returned, or `fluid.load_dygraph` read.

        Raises:
            KeyError: the rate is a decay and there is no `LR_Scheduler`.
            AssertionError: an accumulator or `global_step` is missing or of another shape.
            RuntimeError: a value is neither a Variable nor an array, or the decay's state does
                not fit.
        """
        self._set_rate(state_dict)
        self._store.load(state_dict)
        if (servers := served(self)) is not None:
            # those that no step has made yet
            self._store.create(param for param in self._parameter_list if param.trainable)
            servers.put()

    @dygraph_only
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on exactly as the optimizer would have whose state it is.

        Paddle has no such method. Where `set_dict` refuses a parameter that had no accumulators
        when the state was saved, this lets it begin anew, as without the interruption.

        Args:
            state_dict: what `state_dict()` returned.

        Raises:
            KeyError, AssertionError, RuntimeError: as `set_dict`; also if the state holds something
                that this optimizer has no use for.
        """
        self._set_rate(state_dict)
        unused = set(self._store.restore(state_dict, self._parameter_list)) - _RATE_KEYS
        if unused:
            raise RuntimeError(
                f"the state holds {', '.join(sorted(unused))}, but this optimizer has no such "
                "parameter or keeps nothing of that kind."
            )
        if (servers := served(self)) is not None:
            servers.put()

    def _emptied(self) -> Optimizer:
        """Return a copy without parameters, state and decay, for a parameter server."""
        store = self._store
        memo: dict[int, Any] = {id(self._parameter_list): [], id(store.names): []}
        empty = [self._learning_rate_map, store.pending, *store.variables.values()]
        memo.update((id(mapping), {}) for mapping in empty)
        memo[id(self._served)] = None
        if isinstance(self._learning_rate, LearningRateDecay):
            memo[id(self._learning_rate)] = 0.0
        return copy.deepcopy(self, memo)

    def _set_rate(self, state_dict: Mapping[str, Any]) -> None:
        if isinstance(self._learning_rate, LearningRateDecay):
            self._learning_rate.set_dict(state_dict["LR_Scheduler"])
            if not isinstance(self._learning_rate, EpochDecay):
                self._learning_rate.step_num = _step_number(state_dict)


class _Missing(list[ParamBase]):
    """Stands for the parameters of an optimizer that was given none: using them raises."""

    def __iter__(self) -> NoReturn:
        raise AttributeError(
            "`parameter_list` is missing: tell the optimizer what to update, as in "
            "fluid.optimizer.Adam(0.001, parameter_list=model.parameters())."
        )


def _checked(parameter_list: Any) -> list[ParamBase]:
    """Return the parameters as a list; a list is returned itself, so that it may grow later."""
    if parameter_list is None:
        missing = _Missing()
        return list(missing) if in_dygraph_mode() else missing
    if isinstance(parameter_list, torch.Tensor) or not hasattr(parameter_list, "__iter__"):
        raise TypeError(
            "`parameter_list` must be a list of parameters, but received one "
            f"{type(parameter_list).__name__}; write [it] or model.parameters()."
        )
    params = parameter_list if isinstance(parameter_list, list) else list(parameter_list)
    for k, param in enumerate(params):
        if not isinstance(param, ParamBase):
            raise TypeError(
                f"`parameter_list[{k}]` must be a parameter of a Layer, but is "
                f"{type(param).__name__}; use model.parameters()."
            )
    return params


def _laid_out_as(value: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
    """Return `grad` with the strides of `value`."""
    if grad.is_contiguous() and value.is_contiguous():
        # only the strides of dimensions of size 1 differ, which mean nothing
        return grad.as_strided(value.size(), value.stride())
    return torch.empty_like(value).copy_(grad)


def _step_number(state: Mapping[str, Any]) -> int:
    assert "global_step" in state, (
        "the state dictionary has no 'global_step', which an optimizer with a decay needs."
    )
    step = state["global_step"]
    if not isinstance(step, (torch.Tensor, np.ndarray)):
        raise RuntimeError(
            "the state dictionary's 'global_step' must be a Variable or a numpy.ndarray, "
            f"but is {type(step).__name__}."
        )
    shape = list(step.shape)
    assert shape == [1], f"the state dictionary's 'global_step' must have shape [1], not {shape}."
    return int(step[0])
