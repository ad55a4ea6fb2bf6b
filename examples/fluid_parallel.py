"""The course's network, trained by several processes that each see their share of the batches.

New are the lines with a mark. It also runs by itself, as one process:
python -m refluid examples/fluid_parallel.py
python -m refluid -m paddle.distributed.launch --nproc_per_node=2 examples/fluid_parallel.py
python -m refluid -m paddle.distributed.launch --selected_gpus=0,1 examples/fluid_parallel.py
"""

import random

import numpy as np
import paddle
import paddle.fluid as fluid
from paddle.fluid.dygraph.nn import Conv2D, Linear, Pool2D

from refluid.data import load_digits

EPOCHS, BATCH_SIZE = 5, 50

digits = load_digits()
env = fluid.dygraph.parallel.Env()  # new: which process this is


def reader_of(data, seed=None):
    def reader():
        order = list(range(len(data)))
        if seed is not None:
            # in the same order in every process, which then takes every env.nranks-th batch
            random.Random(seed).shuffle(order)
        for i in order:
            yield data.images[i], data.labels[i : i + 1]

    return reader


def batches(data, seed=None):
    loader = paddle.batch(reader_of(data, seed), BATCH_SIZE, drop_last=True)
    loader = fluid.contrib.reader.distributed_batch_reader(loader)  # new
    for batch in loader():
        images, labels = zip(*batch, strict=True)
        yield map(fluid.dygraph.to_variable, (np.array(images), np.array(labels)))


class MNIST(fluid.dygraph.Layer):
    def __init__(self, size):
        super().__init__()
        self.conv1 = Conv2D(1, 20, 5, padding=2, act="relu")
        self.pool1 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.conv2 = Conv2D(20, 20, 5, padding=2, act="relu")
        self.pool2 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.fc = Linear(20 * (size // 4) ** 2, 10, act="softmax")

    def forward(self, inputs, label):
        x = self.pool2(self.conv2(self.pool1(self.conv1(inputs))))
        x = self.fc(fluid.layers.reshape(x, [x.shape[0], -1]))
        return x, fluid.layers.accuracy(input=x, label=label)


use_gpu = fluid.is_compiled_with_cuda()
place = fluid.CUDAPlace(env.dev_id) if use_gpu else fluid.CPUPlace()
with fluid.dygraph.guard(place):
    fluid.default_main_program().random_seed = 1
    strategy = fluid.dygraph.parallel.prepare_context()  # new
    model = MNIST(digits.train.images.shape[2])
    model = fluid.dygraph.parallel.DataParallel(model, strategy)  # new
    optimizer = fluid.optimizer.AdamOptimizer(0.001 * env.nranks, parameter_list=model.parameters())

    for epoch in range(EPOCHS):
        model.train()
        for image, label in batches(digits.train, seed=epoch):
            predict, acc = model(image, label)
            avg_loss = fluid.layers.mean(fluid.layers.cross_entropy(predict, label))
            avg_loss = model.scale_loss(avg_loss)  # new
            avg_loss.backward()
            model.apply_collective_grads()  # new
            optimizer.minimize(avg_loss)
            model.clear_gradients()

        model.eval()
        found = [float(model(image, label)[1]) for image, label in batches(digits.test)]
        print(f"rank {env.local_rank}, epoch {epoch}: accuracy {np.mean(found):.4f}")

    if env.local_rank == 0:  # new: all have the same parameters
        fluid.save_dygraph(model.state_dict(), "mnist")
