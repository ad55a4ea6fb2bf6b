"""`fluid.install_check.run_check()`: whether a model can be trained on this machine.

Paddle tries a static graph on one device and then on several at once. Here a Layer is trained for
one step in the dynamic graph, on each device that there is.
May import: core_avx, framework, initializer, dygraph, layers, optimizer.
"""

from __future__ import annotations

import sys

import numpy as np

from refluid.paddle.fluid import dygraph, layers
from refluid.paddle.fluid.core_avx import Place
from refluid.paddle.fluid.framework import cpu_places, cuda_places, is_compiled_with_cuda
from refluid.paddle.fluid.initializer import Constant
from refluid.paddle.fluid.optimizer import SGD

__all__ = ["run_check"]

_RATE, _WEIGHT = 0.01, 0.1
_INPUTS = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")


def run_check() -> None:
    """Train a small Layer for one step on each device, and print that it works.

    Differs from Paddle: a line about several GPUs appears only where there are several, and a
    device that does not work raises.

    Raises:
        RuntimeError: a device computes something else than it should.
    """
    _say("Running Verify Fluid Program ... ")
    places = cuda_places() if is_compiled_with_cuda() else cpu_places()
    for place in places:
        _compare(place, _train(place))
    _say("Your Paddle Fluid works well on SINGLE GPU or CPU.")
    if len(places) > 1:
        _say("Your Paddle Fluid works well on MUTIPLE GPU or CPU.")
    _say(
        "Your Paddle Fluid is installed successfully! Let's start deep Learning with Paddle Fluid "
        "now"
    )


def _train(place: Place) -> np.ndarray:
    """Train one step on a device, and return the weights after it."""
    with dygraph.guard(place):
        linear = dygraph.Linear(2, 3, param_attr=Constant(_WEIGHT))
        optimizer = SGD(_RATE, parameter_list=linear.parameters())
        loss = layers.reduce_sum(linear(dygraph.to_variable(_INPUTS)))
        loss.backward()
        optimizer.minimize(loss)
        return linear.weight.numpy()


def _compare(place: Place, weights: np.ndarray) -> None:
    """Compare weights after one step with what they must be."""
    expected = _WEIGHT - _RATE * np.repeat(_INPUTS.sum(0)[:, None], 3, axis=1)
    if not np.allclose(weights, expected, rtol=1e-5):
        raise RuntimeError(
            f"{place}: one step of training gave the weights {weights.tolist()}, but they should "
            f"be {expected.tolist()}; the installation of PyTorch is damaged, or the device."
        )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
