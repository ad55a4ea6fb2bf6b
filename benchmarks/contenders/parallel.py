"""The course's network, trained by one or several processes; prints how long a step takes.

python -m refluid parallel.py STEPS BATCH, or the same under a launcher; BATCH is that of all
processes together.
"""

import sys
import time

import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph.nn import Conv2D, Linear, Pool2D

from refluid.distributed import joined

NUM_WARM, NUM_SAMPLES = 10, 4000
num_steps, batch_size = int(sys.argv[1]), int(sys.argv[2])
env = fluid.dygraph.parallel.Env()
share = batch_size // env.nranks


class MNIST(fluid.dygraph.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = Conv2D(1, 20, 5, padding=2, act="relu")
        self.pool1 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.conv2 = Conv2D(20, 20, 5, padding=2, act="relu")
        self.pool2 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.fc = Linear(980, 10, act="softmax")

    def forward(self, inputs, label):
        x = self.pool2(self.conv2(self.pool1(self.conv1(inputs))))
        x = self.fc(fluid.layers.reshape(x, [x.shape[0], 980]))
        return x, fluid.layers.accuracy(input=x, label=label)


def batches(images, labels):
    first = env.local_rank * share
    while True:
        for k in range(first, NUM_SAMPLES - batch_size + 1, batch_size):
            yield images[k : k + share].copy(), labels[k : k + share].copy()


with fluid.dygraph.guard(fluid.CPUPlace()):
    fluid.default_main_program().random_seed = 1
    strategy = fluid.dygraph.parallel.prepare_context()
    model = fluid.dygraph.parallel.DataParallel(MNIST(), strategy)
    optimizer = fluid.optimizer.AdamOptimizer(0.001, parameter_list=model.parameters())
    numbers = np.random.RandomState(0)
    images = numbers.rand(NUM_SAMPLES, 1, 28, 28).astype("float32") * 2 - 1
    labels = numbers.randint(0, 10, (NUM_SAMPLES, 1)).astype("int64")
    for step, batch in enumerate(batches(images, labels)):
        if step == NUM_WARM:
            if env.nranks > 1:
                joined().barrier()
            began = time.perf_counter()
        if step == NUM_WARM + num_steps:
            break
        image, label = map(fluid.dygraph.to_variable, batch)
        predict, acc = model(image, label)
        loss = model.scale_loss(fluid.layers.mean(fluid.layers.cross_entropy(predict, label)))
        loss.backward()
        model.apply_collective_grads()
        optimizer.minimize(loss)
        model.clear_gradients()
    seconds = (time.perf_counter() - began) / num_steps
    if env.local_rank == 0:
        print("step", seconds)
