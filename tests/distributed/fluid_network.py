"""A fluid network as a list of layers, with its data, for test_pipeline.py and its processes."""

from __future__ import annotations

import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph.nn import BatchNorm, Conv2D, Linear, Pool2D


class Flatten(fluid.dygraph.Layer):
    def forward(self, input):
        return fluid.layers.reshape(input, [input.shape[0], -1])


def layers():
    yield "conv1", Conv2D(1, 8, 3, padding=1, act="relu")
    yield "pool1", Pool2D(2, "max", 2)
    yield "conv2", Conv2D(8, 16, 3, padding=1)
    yield "norm", BatchNorm(16, act="relu")
    yield "pool2", Pool2D(2, "max", 2)
    yield "flatten", Flatten()
    yield "fc1", Linear(64, 32, act="relu")
    yield "fc2", Linear(32, 10, act="softmax")


def loss(output, label):
    return fluid.layers.mean(fluid.layers.cross_entropy(output, label))


def train(parameters, step):
    """Train for 20 steps; `step` runs forward and backward. Return the losses."""
    optimizer = fluid.optimizer.AdamOptimizer(0.01, parameter_list=parameters)
    random = np.random.RandomState(0)
    losses = []
    for _ in range(20):
        images = random.randn(16, 1, 8, 8).astype("float32")
        labels = random.randint(0, 10, (16, 1))
        value = step(fluid.dygraph.to_variable(images), fluid.dygraph.to_variable(labels))
        optimizer.minimize(value)
        losses.append(value.item().hex())
    return losses
