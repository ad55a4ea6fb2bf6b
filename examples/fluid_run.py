"""The course's program for Paddle 1.8, with the shuffle on, in a run that can be killed anywhere.

Network, optimizer and decay are unchanged fluid. The reader shuffles one list in place, epoch after
epoch: started again, the run goes through the same shuffles and on from where it was.
Run it: python -m refluid examples/fluid_run.py [mnist.json.gz]
"""

import random
import sys

import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph.nn import Conv2D, Linear, Pool2D

import refluid
from refluid.data import load_digits, load_mnist

EPOCHS, BATCH_SIZE = 5, 100

digits = load_mnist(sys.argv[1]).train if len(sys.argv) > 1 else load_digits().train
index_list = list(range(len(digits)))


def train_loader():
    random.shuffle(index_list)
    imgs_list, labels_list = [], []
    for i in index_list:
        imgs_list.append(digits.images[i])
        labels_list.append(digits.labels[i : i + 1])
        if len(imgs_list) == BATCH_SIZE:
            yield np.array(imgs_list), np.array(labels_list)
            imgs_list, labels_list = [], []
    if imgs_list:
        yield np.array(imgs_list), np.array(labels_list)


class MNIST(fluid.dygraph.Layer):
    def __init__(self, features):
        super().__init__()
        self.conv1 = Conv2D(1, 20, 5, padding=2, act="relu")
        self.pool1 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.conv2 = Conv2D(20, 20, 5, padding=2, act="relu")
        self.pool2 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.fc = Linear(features, 10, act="softmax")

    def forward(self, inputs, label):
        x = self.pool2(self.conv2(self.pool1(self.conv1(inputs))))
        x = fluid.layers.dropout(fluid.layers.reshape(x, [x.shape[0], -1]), 0.2)
        x = self.fc(x)
        return x, fluid.layers.accuracy(input=x, label=label)


random.seed(1)
with fluid.dygraph.guard():
    fluid.default_main_program().random_seed = 1
    model = MNIST(20 * (digits.images.shape[2] // 4) ** 2)
    total_steps = -(-len(index_list) // BATCH_SIZE) * EPOCHS
    lr = fluid.dygraph.PolynomialDecay(0.01, total_steps, 0.001)
    optimizer = fluid.optimizer.AdamOptimizer(lr, parameter_list=model.parameters())

    with refluid.Run("runs/fluid") as run:
        run.track(model=model, optimizer=optimizer)
        for step in run.steps(train_loader, epochs=EPOCHS):
            image, label = map(fluid.dygraph.to_variable, step.batch)
            predict, acc = model(image, label)
            avg_loss = fluid.layers.mean(fluid.layers.cross_entropy(predict, label))
            avg_loss.backward()
            optimizer.minimize(avg_loss)
            model.clear_gradients()
            run.log(loss=avg_loss, accuracy=acc)
            if step.last:
                values = (step.epoch, avg_loss.numpy(), acc.numpy())
                print("epoch: {}, loss is: {}, acc is {}".format(*values))
