"""Steps of optimizers on one parameter, with all that they remember given by hand.

The formulas are those of `fluid.optimizer`, which updates many parameters at once; here a step
makes new values, which are then written wherever the program says, mostly over the old ones.
May import: torch, core_avx.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.errors import UnsupportedFluidAPI
from refluid.paddle.fluid.core_avx import random
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.table.route import route
from refluid.paddle.fluid.core_avx.variable import wrap

__all__: list[str] = []


def _values(op_type: str, like: Tensor, *others: Tensor) -> list[Tensor]:
    """Return the values of tensors of one shape, outside of the graph."""
    for other in others:
        if other.is_sparse:
            raise UnsupportedFluidAPI(f"the operator `{op_type}` takes no sparse gradient.")
        if other.size() != like.size() or other.data.dtype != like.data.dtype:
            raise EnforceNotMet(
                f"{op_type}: expected {describe(like)} as the parameter is, but received "
                f"{describe(other)}."
            )
    # not the method of VarBase, which copies
    return [torch.Tensor.detach(v) for v in (like, *others)]


def _rate(op_type: str, rate: Tensor) -> Tensor:
    if rate.numel() != 1:
        raise EnforceNotMet(
            f"{op_type}: `LearningRate` must have one element, but received {describe(rate)}."
        )
    return torch.Tensor.detach(rate).reshape(())


def _results(**made: Tensor) -> dict[str, Any]:
    return {name: wrap(value) for name, value in made.items()}


def _sgd(Param: Tensor, LearningRate: Tensor, Grad: Tensor) -> dict[str, Any]:
    param, grad = _values("sgd", Param, Grad)
    return _results(ParamOut=param - _rate("sgd", LearningRate) * grad)


def _momentum(
    Param: Tensor,
    Grad: Tensor,
    Velocity: Tensor,
    LearningRate: Tensor,
    mu: float,
    use_nesterov: bool,
) -> dict[str, Any]:
    param, grad, velocity = _values("momentum", Param, Grad, Velocity)
    new = velocity * mu + grad
    step = grad + mu * new if use_nesterov else new
    return _results(ParamOut=param - _rate("momentum", LearningRate) * step, VelocityOut=new)


def _lars_momentum(
    Param: Tensor,
    Grad: Tensor,
    Velocity: Tensor,
    LearningRate: Tensor,
    mu: float,
    lars_coeff: float,
    lars_weight_decay: float,
) -> dict[str, Any]:
    param, grad, velocity = _values("lars_momentum", Param, Grad, Velocity)
    rate, of_param, of_grad = _rate("lars_momentum", LearningRate), param.norm(), grad.norm()
    local = rate * lars_coeff * of_param / (of_grad + lars_weight_decay * of_param)
    local = torch.where((of_param > 0) & (of_grad > 0), local, rate)
    new = velocity * mu + local * (grad + lars_weight_decay * param)
    return _results(ParamOut=param - new, VelocityOut=new)


def _adam(
    Param: Tensor,
    Grad: Tensor,
    LearningRate: Tensor,
    Moment1: Tensor,
    Moment2: Tensor,
    Beta1Pow: Tensor,
    Beta2Pow: Tensor,
    Beta1Tensor: Tensor | None,
    Beta2Tensor: Tensor | None,
    beta1: float,
    beta2: float,
    epsilon: float,
    lazy_mode: bool,
) -> dict[str, Any]:
    # `lazy_mode` concerns sparse gradients, which are refused
    b1 = beta1 if Beta1Tensor is None else float(Beta1Tensor.item())
    b2 = beta2 if Beta2Tensor is None else float(Beta2Tensor.item())
    param, grad, one, two = _values("adam", Param, Grad, Moment1, Moment2)
    power1, power2 = torch.Tensor.detach(Beta1Pow), torch.Tensor.detach(Beta2Pow)
    rate = _rate("adam", LearningRate) * torch.sqrt(1 - power2) / (1 - power1)
    one, two = b1 * one + (1 - b1) * grad, b2 * two + (1 - b2) * grad * grad
    step = one / (torch.sqrt(two) + epsilon)
    return _results(
        ParamOut=param - rate * step,
        Moment1Out=one,
        Moment2Out=two,
        Beta1PowOut=power1 * b1,
        Beta2PowOut=power2 * b2,
    )


def _adamax(
    Param: Tensor,
    Grad: Tensor,
    LearningRate: Tensor,
    Moment: Tensor,
    InfNorm: Tensor,
    Beta1Pow: Tensor,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> dict[str, Any]:
    param, grad, moment, norm = _values("adamax", Param, Grad, Moment, InfNorm)
    moment = beta1 * moment + (1 - beta1) * grad
    norm = torch.maximum(grad.abs(), beta2 * norm + epsilon)
    rate = _rate("adamax", LearningRate) / (1 - torch.Tensor.detach(Beta1Pow))
    return _results(ParamOut=param - rate * (moment / norm), MomentOut=moment, InfNormOut=norm)


def _adagrad(
    Param: Tensor, Grad: Tensor, Moment: Tensor, LearningRate: Tensor, epsilon: float
) -> dict[str, Any]:
    param, grad, moment = _values("adagrad", Param, Grad, Moment)
    moment = moment + grad * grad
    step = _rate("adagrad", LearningRate) * grad / (torch.sqrt(moment) + epsilon)
    return _results(ParamOut=param - step, MomentOut=moment)


def _decayed_adagrad(
    Param: Tensor, Grad: Tensor, Moment: Tensor, LearningRate: Tensor, decay: float, epsilon: float
) -> dict[str, Any]:
    param, grad, moment = _values("decayed_adagrad", Param, Grad, Moment)
    moment = decay * moment + (1 - decay) * grad * grad
    step = _rate("decayed_adagrad", LearningRate) * grad / (torch.sqrt(moment) + epsilon)
    return _results(ParamOut=param - step, MomentOut=moment)


def _adadelta(
    Param: Tensor,
    Grad: Tensor,
    AvgSquaredGrad: Tensor,
    AvgSquaredUpdate: Tensor,
    rho: float,
    epsilon: float,
) -> dict[str, Any]:
    param, grad, squares, updates = _values(
        "adadelta", Param, Grad, AvgSquaredGrad, AvgSquaredUpdate
    )
    squares = rho * squares + (1 - rho) * grad * grad
    step = -torch.sqrt((updates + epsilon) / (squares + epsilon)) * grad
    return _results(
        ParamOut=param + step,
        AvgSquaredGradOut=squares,
        AvgSquaredUpdateOut=rho * updates + (1 - rho) * step * step,
    )


def _rmsprop(
    Param: Tensor,
    MeanSquare: Tensor,
    MeanGrad: Tensor | None,
    LearningRate: Tensor,
    Grad: Tensor,
    Moment: Tensor,
    epsilon: float,
    decay: float,
    momentum: float,
    centered: bool,
) -> dict[str, Any]:
    param, grad, square, moment = _values("rmsprop", Param, Grad, MeanSquare, Moment)
    square = decay * square + (1 - decay) * grad * grad
    results: dict[str, Tensor] = {}
    spread = square
    if centered:
        if MeanGrad is None:
            raise EnforceNotMet("rmsprop: `MeanGrad` must be given with `centered`.")
        mean = decay * _values("rmsprop", Param, MeanGrad)[1] + (1 - decay) * grad
        spread, results["MeanGradOut"] = square - mean * mean, mean
    elif MeanGrad is not None:
        results["MeanGradOut"] = MeanGrad.detach().clone()
    rate = _rate("rmsprop", LearningRate)
    moment = momentum * moment + rate * grad / torch.sqrt(spread + epsilon)
    return _results(ParamOut=param - moment, MomentOut=moment, MeanSquareOut=square, **results)


def _ftrl(
    Param: Tensor,
    SquaredAccumulator: Tensor,
    LinearAccumulator: Tensor,
    Grad: Tensor,
    LearningRate: Tensor,
    l1: float,
    l2: float,
    lr_power: float,
) -> dict[str, Any]:
    param, grad, squares, linear = _values(
        "ftrl", Param, Grad, SquaredAccumulator, LinearAccumulator
    )
    rate, total = _rate("ftrl", LearningRate), squares + grad * grad
    sigma = (total.pow(-lr_power) - squares.pow(-lr_power)) / rate
    linear = linear + grad - sigma * param
    divisor = total.pow(-lr_power) / rate + 2 * l2
    step = (l1 * torch.sign(linear) - linear) / divisor
    made = torch.where(linear.abs() > l1, step, torch.zeros_like(step))
    return _results(ParamOut=made, SquaredAccumOut=total, LinearAccumOut=linear)


def _lamb(
    Param: Tensor,
    Grad: Tensor,
    LearningRate: Tensor,
    Moment1: Tensor,
    Moment2: Tensor,
    Beta1Pow: Tensor,
    Beta2Pow: Tensor,
    weight_decay: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> dict[str, Any]:
    param, grad, one, two = _values("lamb", Param, Grad, Moment1, Moment2)
    one, two = beta1 * one + (1 - beta1) * grad, beta2 * two + (1 - beta2) * grad * grad
    step = one / (torch.sqrt(two) + epsilon) + weight_decay * param
    of_param, of_step = param.norm(), step.norm()
    ratio = torch.where((of_param > 0) & (of_step > 0), of_param / of_step, 1.0)
    rate = _rate("lamb", LearningRate)
    return _results(ParamOut=param - rate * ratio * step, Moment1Out=one, Moment2Out=two)


def _proximal(moved: Tensor, rate: Tensor, l1: float, l2: float) -> Tensor:
    """Shrink values towards 0 by l1 and l2, as after a step of that rate."""
    if l1 > 0:
        moved = torch.sign(moved) * (moved.abs() - rate * l1).clamp_(min=0.0)
    return moved / (1.0 + rate * l2)


def _proximal_gd(
    Param: Tensor, Grad: Tensor, LearningRate: Tensor, l1: float, l2: float
) -> dict[str, Any]:
    param, grad = _values("proximal_gd", Param, Grad)
    rate = _rate("proximal_gd", LearningRate)
    return _results(ParamOut=_proximal(param - rate * grad, rate, l1, l2))


def _proximal_adagrad(
    Param: Tensor, Moment: Tensor, Grad: Tensor, LearningRate: Tensor, l1: float, l2: float
) -> dict[str, Any]:
    param, moment, grad = _values("proximal_adagrad", Param, Moment, Grad)
    rate, moment = _rate("proximal_adagrad", LearningRate), moment + grad * grad
    moved = param - rate * grad / torch.sqrt(moment)
    return _results(ParamOut=_proximal(moved, rate, l1, l2), MomentOut=moment)


def _dpsgd(
    Param: Tensor,
    Grad: Tensor,
    LearningRate: Tensor,
    clip: float,
    batch_size: float,
    sigma: float,
    seed: int,
) -> dict[str, Any]:
    param, grad = _values("dpsgd", Param, Grad)
    # the second number of Paddle's generator, which its kernel happens to take
    noise = random.normal([2], 0.0, 1.0, seed)[1].item() * sigma / batch_size
    step = grad / (grad.norm() / clip).clamp_(min=1.0) + noise
    return _results(ParamOut=param - _rate("dpsgd", LearningRate) * step)


route("adadelta", _adadelta)
route("adagrad", _adagrad)
route("adam", _adam)
route("adamax", _adamax)
route("decayed_adagrad", _decayed_adagrad)
route("dpsgd", _dpsgd)
route("ftrl", _ftrl)
route("lamb", _lamb)
route("lars_momentum", _lars_momentum)
route("momentum", _momentum)
route("proximal_adagrad", _proximal_adagrad)
route("proximal_gd", _proximal_gd)
route("rmsprop", _rmsprop)
route("sgd", _sgd)
