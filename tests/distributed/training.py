"""Train a small network with each of three optimizers, in however many processes there are.

Each process takes its part of every batch of 8. Rank 0 writes the mean of all ranks' losses, step
by step, as hexadecimal numbers: `python -m refluid training.py 100`, or under a launcher. With
parameter servers, where the ranks do not talk to each other, each writes its own.
"""

import sys

import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph import to_variable
from paddle.fluid.dygraph.nn import Linear

import refluid.distributed as distributed

OPTIMIZERS = {
    "sgd": lambda params: fluid.optimizer.SGD(0.1, parameter_list=params),
    "momentum": lambda params: fluid.optimizer.Momentum(0.05, 0.9, parameter_list=params),
    "adam": lambda params: fluid.optimizer.Adam(0.01, parameter_list=params),
}
BATCH_SIZE = 8
num_steps = int(sys.argv[1])
env = fluid.dygraph.parallel.Env()
share = BATCH_SIZE // env.nranks
part = slice(env.local_rank * share, (env.local_rank + 1) * share)


def train(make, strategy):
    fluid.default_main_program().random_seed = 3
    model = fluid.dygraph.Sequential(Linear(8, 16, act="relu"), Linear(16, 4, act="softmax"))
    model = fluid.dygraph.parallel.DataParallel(model, strategy)
    optimizer = make(model.parameters())
    numbers = np.random.RandomState(0)
    losses = []
    for _ in range(num_steps):
        x = numbers.rand(BATCH_SIZE, 8).astype("float32")
        y = (x.sum(1, keepdims=True) * 0.9 % 4).astype("int64")
        predicted = model(to_variable(x[part]))
        loss = fluid.layers.mean(fluid.layers.cross_entropy(predicted, to_variable(y[part])))
        losses.append(loss.numpy().item())
        loss = model.scale_loss(loss)
        loss.backward()
        model.apply_collective_grads()
        optimizer.minimize(loss)
        model.clear_gradients()
    if joined is not None:
        distributed.check_same(model)
        losses = np.mean(joined.gather(losses), axis=0).tolist()
    return losses


with fluid.dygraph.guard(fluid.CPUPlace()):
    strategy = fluid.dygraph.parallel.prepare_context()
    joined = distributed.joined()
    for name, make in OPTIMIZERS.items():
        losses = train(make, strategy)
        if env.local_rank == 0 or joined is None:
            sys.stdout.write(" ".join([name, *map(float.hex, losses)]) + "\n")
