"""A program as the course writes it, on `refluid.Run`: its reader shuffles one list in place.

Each epoch's order is that of the epoch before, shuffled on: what an exact resumption has to repeat.
"""

from __future__ import annotations

import random
import sys

import numpy as np
import paddle
import paddle.fluid as fluid
from paddle.fluid.dygraph.nn import Conv2D, Linear, Pool2D

import refluid

EPOCHS, STEPS, BATCHSIZE = 2, 6, 20


def load_data():
    rng = np.random.RandomState(3)
    templates = rng.standard_normal((10, 784))
    labels = rng.randint(0, 10, STEPS * BATCHSIZE)
    imgs = templates[labels] + 0.5 * rng.standard_normal((len(labels), 784))
    index_list = list(range(len(imgs)))

    def data_generator():
        random.shuffle(index_list)
        imgs_list = []
        labels_list = []
        for i in index_list:
            imgs_list.append(np.reshape(imgs[i], [1, 28, 28]).astype("float32"))
            labels_list.append(np.reshape(labels[i], [1]).astype("int64"))
            if len(imgs_list) == BATCHSIZE:
                yield np.array(imgs_list), np.array(labels_list)
                imgs_list = []
                labels_list = []

    return data_generator


def shuffled_reader():
    """The same data through Paddle's own decorators."""

    def reader():
        for images, labels in load_data()():
            yield from zip(images, labels, strict=True)

    return paddle.batch(paddle.reader.shuffle(reader, 50), BATCHSIZE)


class MNIST(fluid.dygraph.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = Conv2D(1, 8, 5, padding=2, act="relu")
        self.pool1 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.conv2 = Conv2D(8, 8, 5, padding=2, act="relu")
        self.pool2 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.fc = Linear(392, 10, act="softmax")

    def forward(self, inputs):
        x = self.pool1(self.conv1(inputs))
        x = self.pool2(self.conv2(x))
        x = fluid.layers.dropout(x, 0.2)
        return self.fc(fluid.layers.reshape(x, [x.shape[0], 392]))


def batch_of(data):
    if isinstance(data, tuple):
        return data
    images, labels = zip(*data, strict=True)
    return np.array(images), np.array(labels)


reader = shuffled_reader() if "decorated" in sys.argv else load_data()
with fluid.dygraph.guard(fluid.CPUPlace()):
    random.seed(1)
    fluid.default_main_program().random_seed = 1
    model = MNIST()
    lr = fluid.dygraph.PolynomialDecay(0.01, EPOCHS * STEPS, 0.001)
    optimizer = fluid.optimizer.AdamOptimizer(lr, parameter_list=model.parameters())
    with refluid.Run("runs/course", save_every_steps=4) as run:
        run.track(model=model, optimizer=optimizer)
        for step in run.steps(reader, epochs=EPOCHS):
            images, labels = batch_of(step.batch)
            predict = model(fluid.dygraph.to_variable(images))
            label = fluid.dygraph.to_variable(labels)
            avg_loss = fluid.layers.mean(fluid.layers.cross_entropy(predict, label))
            avg_loss.backward()
            optimizer.minimize(avg_loss)
            model.clear_gradients()
            run.log(loss=avg_loss.numpy())
