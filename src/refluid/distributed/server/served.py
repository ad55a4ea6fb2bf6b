"""`serve`: have the servers do the steps of a torch optimizer.

The optimizer stays the object that it is, so that schedules and `refluid.Run` take it as one; its
class becomes one that is derived from its own.
May import: torch, env, errors; its own package's torch_rule, trainer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from refluid import env
from refluid.distributed.server.torch_rule import TorchRule
from refluid.distributed.server.trainer import Trainer
from refluid.errors import DistributedError

__all__ = ["serve"]


def serve(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Train on parameter servers, if the launcher has started some.

    From now on `optimizer.step()` sends the gradients to the servers, which update the mean over
    all trainers (in async mode: each trainer's gradient over the number of trainers), and puts the
    new parameters into the model. Its `state_dict()` fetches the moments from the servers, and
    `load_state_dict()` gives them back, so it can be tracked by `refluid.Run`, and its checkpoints
    are those of a plain program. The model begins with the parameters of rank 0.

    Differs from one process: clipping by `clip_grad_norm_` sees this trainer's gradients only.

    Args:
        model: what is trained; the same in all trainers.
        optimizer: of torch, made of the model's parameters. Its options, such as the learning
            rate, may change at any step, in all trainers alike.

    Raises:
        DistributedError: there are no servers any more, trainers have different models, or the
            optimizer has a schedule already.

    Effects:
        Connects to Ray, and writes the model's parameters. Without servers, as under a plain
        `python`, nothing.
    """
    if env.servers() is None:
        return
    if "step" in vars(optimizer):
        # a schedule has taken hold of the method, and would go on calling the class's own
        raise DistributedError(
            "`optimizer` has a schedule already, which keeps its `step`: call `serve` before the "
            "schedule is made."
        )
    parameters = dict(model.named_parameters())
    own = type(optimizer)
    rule = TorchRule(optimizer, list(parameters.values()), own)
    trainer = Trainer(parameters)
    trainer.open()
    attributes = {
        "step": _step(trainer, rule),
        "state_dict": _state_dict(trainer, rule, own),
        "load_state_dict": _load_state_dict(trainer, rule, own),
    }
    optimizer.__class__ = type(own.__name__, (own,), attributes)


def _step(trainer: Trainer, rule: TorchRule) -> Callable[..., Any]:
    def step(self: torch.optim.Optimizer, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        trainer.update(rule, [parameter.grad for parameter in rule.values()])
        return loss

    # torch wraps `step` of a class where this is missing
    step.hooked = True  # type: ignore[attr-defined]
    return step


def _state_dict(trainer: Trainer, rule: TorchRule, own: type[Any]) -> Callable[..., Any]:
    def state_dict(self: torch.optim.Optimizer) -> dict[str, Any]:
        trainer.fetch_state(rule)
        return own.state_dict(self)

    return state_dict


def _load_state_dict(trainer: Trainer, rule: TorchRule, own: type[Any]) -> Callable[..., Any]:
    def load_state_dict(self: torch.optim.Optimizer, state_dict: dict[str, Any]) -> None:
        own.load_state_dict(self, state_dict)
        trainer.put_state(rule)

    return load_state_dict
