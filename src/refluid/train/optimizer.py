"""The optimizers and learning rate decays of `refluid train`, made by their names.

A constant rate too is a decay object, with one piece: so every optimizer has a state, and
`save_dygraph` something to save.
May import: paddle, train.config.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from refluid.paddle import fluid
from refluid.train.config import Decay, OptimizerName, TrainConfig

__all__ = ["accumulator_names", "make_optimizer"]

# what is left of the first rate at the last step
_LAST_SHARE = 0.01
_MOMENTUM = 0.9

Maker = Callable[..., Any]

_OPTIMIZERS: dict[OptimizerName, Maker] = {
    OptimizerName.SGD: fluid.optimizer.SGD,
    OptimizerName.MOMENTUM: lambda rate, **rest: fluid.optimizer.Momentum(rate, _MOMENTUM, **rest),
    OptimizerName.ADAGRAD: fluid.optimizer.Adagrad,
    OptimizerName.RMSPROP: fluid.optimizer.RMSProp,
    OptimizerName.ADAM: fluid.optimizer.Adam,
    OptimizerName.ADAMAX: fluid.optimizer.Adamax,
}


# what each keeps of every parameter, under Paddle's names
_ACCUMULATORS: dict[OptimizerName, tuple[str, ...]] = {
    OptimizerName.SGD: (),
    OptimizerName.MOMENTUM: ("velocity",),
    OptimizerName.ADAGRAD: ("moment",),
    OptimizerName.RMSPROP: ("momentum", "mean_square", "mean_grad"),
    OptimizerName.ADAM: ("moment1", "moment2", "beta1_pow_acc", "beta2_pow_acc"),
    OptimizerName.ADAMAX: ("moment", "inf_norm", "beta1_pow_acc"),
}


def make_optimizer(
    config: TrainConfig, parameters: Iterable[Any], steps_per_epoch: int
) -> fluid.optimizer.Optimizer:
    """Make the optimizer that `config` describes.

    Args:
        config: its `optimizer`, `first_rate`, `decay`, `epochs` and `l2` are used.
        parameters: what it updates.
        steps_per_epoch: with `config.epochs`, how many steps the decay takes.
    """
    rate = config.first_rate
    steps = config.epochs * steps_per_epoch
    decays: dict[Decay, Callable[[], Any]] = {
        Decay.NONE: lambda: fluid.dygraph.PiecewiseDecay([], [rate], begin=0),
        Decay.POLYNOMIAL: lambda: fluid.dygraph.PolynomialDecay(rate, steps, rate * _LAST_SHARE),
        Decay.EXPONENTIAL: lambda: fluid.dygraph.ExponentialDecay(rate, steps, _LAST_SHARE),
        Decay.COSINE: lambda: fluid.dygraph.CosineDecay(rate, steps_per_epoch, config.epochs),
    }
    regularization = fluid.regularizer.L2Decay(config.l2) if config.l2 else None
    return _OPTIMIZERS[config.optimizer](
        decays[config.decay](), parameter_list=list(parameters), regularization=regularization
    )


def accumulator_names(name: OptimizerName, parameters: Iterable[Any]) -> list[str]:
    """Return what the optimizer `name` keeps of `parameters`, as it is called in a saved state."""
    return [
        f"{parameter.name}_{kind}_0" for parameter in parameters for kind in _ACCUMULATORS[name]
    ]
