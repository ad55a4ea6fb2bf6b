"""A program that trains, saves and loads; it runs under PaddlePaddle 1.8.5 and under refluid.

    python3.7 checkpoint_program.py save FOLDER            train, save, say what was saved
    python -m refluid checkpoint_program.py load FOLDER    load what lies there, go on training

For every optimizer NAME: NAME.pdparams, NAME.pdopt; NAME.saved.json, the values that were in memory
when they were saved; NAME.loaded.json, the values that load_dygraph returned; NAME.next.json, the
parameters after one more step. Numbers in JSON are exact: each is the shortest text of a float64.
"""

import glob
import json
import os
import sys

import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph import BatchNorm, Linear, PolynomialDecay, to_variable

OPTIMIZERS = {
    "sgd_decay": lambda p: fluid.optimizer.SGD(PolynomialDecay(0.1, 9, 0.01), p),
    "momentum": lambda p: fluid.optimizer.Momentum(0.1, 0.9, p),
    "adam": lambda p: fluid.optimizer.Adam(0.01, parameter_list=p),
    "adam_decay": lambda p: fluid.optimizer.Adam(PolynomialDecay(0.1, 9, 0.01), parameter_list=p),
    "rmsprop": lambda p: fluid.optimizer.RMSProp(0.01, parameter_list=p),
    "lamb": lambda p: fluid.optimizer.Lamb(0.01, parameter_list=p),
}


class Net(fluid.dygraph.Layer):
    """Two layers; weights are given, so that every process starts from the same ones."""

    def __init__(self):
        super().__init__()
        self.fc, self.bn = Linear(3, 2), BatchNorm(3)
        self.fc.weight.set_value(np.linspace(-1, 1, 6, dtype="float32").reshape(3, 2))

    def forward(self, x):
        return self.fc(self.bn(x))


def step(net, optimizer, number):
    x = to_variable(np.sin(np.arange(12, dtype="float32") + number).reshape(4, 3))
    x.stop_gradient = False  # Paddle's BatchNorm cannot go back to an input without a gradient
    loss = fluid.layers.mean(fluid.layers.square(net(x) - 1.0))
    loss.backward()
    optimizer.minimize(loss)
    net.clear_gradients()


def describe(value):
    """Return a value as JSON can hold it."""
    if isinstance(value, fluid.core.VarBase):
        value = value.numpy()
    if isinstance(value, np.ndarray):
        flat = value.ravel().tolist()
        return {"dtype": value.dtype.name, "shape": list(value.shape), "values": flat}
    if isinstance(value, dict):
        return {k: describe(v) for k, v in value.items()}
    return value


def write(path, value):
    with open(path, "w") as f:
        json.dump(describe(value), f, indent=1, sort_keys=True)
        f.write("\n")


def save(folder):
    for name, make in OPTIMIZERS.items():
        with fluid.dygraph.guard(fluid.CPUPlace()):
            net = Net()
            optimizer = make(net.parameters())
            for number in range(3):
                step(net, optimizer, number)
            prefix = os.path.join(folder, name)
            fluid.save_dygraph(net.state_dict(), prefix)
            fluid.save_dygraph(optimizer.state_dict(), prefix)
            state = {"params": net.state_dict(), "opt": optimizer.state_dict()}
            write(prefix + ".saved.json", state)
            step(net, optimizer, 3)
            write(prefix + ".next.json", net.state_dict())


def load(folder):
    for path in glob.glob(os.path.join(folder, "*.pdparams")):
        prefix = path[: -len(".pdparams")]
        with fluid.dygraph.guard(fluid.CPUPlace()):
            params, opt = fluid.load_dygraph(prefix, keep_name_table=True)
            write(prefix + ".loaded.json", {"params": params, "opt": opt})
            net = Net()
            optimizer = OPTIMIZERS[os.path.basename(prefix)](net.parameters())
            del params["StructuredToParameterName@@"]
            net.set_dict(params)
            optimizer.set_dict(opt)
            step(net, optimizer, 3)
            write(prefix + ".next.json", net.state_dict())


if __name__ == "__main__":
    {"save": save, "load": load}[sys.argv[1]](sys.argv[2])
