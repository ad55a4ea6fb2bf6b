"""Recurrent computations that run alike in Paddle 1.8.5's static graph and in refluid.

    python3.7-with-paddle cases.py recordings.npz

writes what Paddle gives, outputs and gradients; test_recorded.py compares. Python 3.7 and NumPy of
2020 must be able to read this.
"""

import sys

import numpy as np


def floats(seed, *shape):
    return np.random.RandomState(seed).uniform(-1.5, 1.5, shape).astype("float32")


# 3 sequences of 5 steps, inputs of width 2, states of width 4, 6 words
INPUTS = {
    "x": floats(1, 3, 5, 2),
    "x2": floats(2, 3, 5, 4),
    "xt": floats(3, 5, 3, 2),
    "h": floats(4, 3, 4),
    "c": floats(5, 3, 4),
    "w": floats(6, 2, 4),
    "u": floats(7, 4, 4),
    "out": 2 * floats(8, 4, 6),
    "table": floats(9, 6, 2),
    "lengths": np.array([3, 5, 1], "int64"),
    "start": np.array([1, 2, 4], "int64"),
}


def make_cells(fluid, v):
    """Return a cell with one state, and one with a structure of states and of inputs."""
    L = fluid.layers

    class Plain(L.RNNCell):
        def call(self, inputs, states, scale=1.0):
            total = L.elementwise_add(L.matmul(inputs, v["w"]), L.matmul(states, v["u"]))
            new = L.tanh(L.scale(total, scale))
            return new, new

        @property
        def state_shape(self):
            return [4]

    class Nested(L.RNNCell):
        def call(self, inputs, states):
            first, second = inputs
            (h,), inner = states
            total = L.elementwise_add(L.matmul(first, v["w"]), L.matmul(h, v["u"]))
            c = L.elementwise_add(L.elementwise_mul(inner["c"], L.sigmoid(total)), second)
            new = L.tanh(c)
            return {"new": new, "c": c}, [[new], {"c": c}]

    return Plain(), Nested()


def flatten(nest):
    if isinstance(nest, dict):
        nest = [nest[key] for key in sorted(nest)]
    if isinstance(nest, (list, tuple)):
        return [leaf for part in nest for leaf in flatten(part)]
    return [nest]


def cases(fluid, v):
    """Return functions by name; each returns a structure of variables."""
    L = fluid.layers
    plain, nested = make_cells(fluid, v)

    def project(x):
        return L.matmul(x, v["out"])

    def look_up(ids):
        return L.gather(v["table"], ids)

    def look_up_beams(ids):
        return L.gather_nd(v["table"], L.unsqueeze(ids, [2]))

    def greedy(**options):
        helper = L.GreedyEmbeddingHelper(look_up, v["start"], 0)
        decoder = L.BasicDecoder(plain, helper, project)
        return L.dynamic_decode(decoder, v["h"], **options)

    def train(key, **options):
        helper = L.TrainingHelper(v[key], v["lengths"], time_major=key == "xt")
        decoder = L.BasicDecoder(plain, helper, project)
        return L.dynamic_decode(decoder, v["h"], **options)

    def beam(size, **options):
        decoder = L.BeamSearchDecoder(plain, 1, 0, size, look_up_beams, project)
        return L.dynamic_decode(decoder, v["h"], **options)

    pair = [v["x"], v["x2"]]
    # a list of variables alone stops Paddle's own check of its arguments
    states = [[v["h"]], {"c": v["c"]}]
    return {
        "rnn": lambda: L.rnn(plain, v["x"], v["h"]),
        "rnn/default": lambda: L.rnn(plain, v["x"], scale=0.5),
        "rnn/time_major": lambda: L.rnn(plain, v["xt"], time_major=True),
        "rnn/reverse": lambda: L.rnn(plain, v["x"], v["h"], is_reverse=True),
        "rnn/lengths": lambda: L.rnn(plain, v["x"], v["h"], v["lengths"]),
        "rnn/reverse_lengths": lambda: L.rnn(plain, v["x"], v["h"], v["lengths"], False, True),
        "rnn/nested": lambda: L.rnn(nested, pair, states, v["lengths"]),
        "greedy": lambda: greedy(max_step_num=6),
        "greedy/all": lambda: greedy(
            max_step_num=3, output_time_major=True, impute_finished=True, return_length=True
        ),
        "greedy/test": lambda: greedy(max_step_num=0, is_test=True),
        "train": lambda: train("x", return_length=True),
        "train/time_major": lambda: train("xt", impute_finished=True),
        "train/limit": lambda: train("x", max_step_num=1, return_length=True),
        "beam": lambda: beam(3, max_step_num=7, return_length=True),
        "beam/one": lambda: beam(1, max_step_num=4),
        "beam/impute": lambda: beam(2, max_step_num=2, impute_finished=True, return_length=True),
        "beam/time_major": lambda: beam(4, max_step_num=2, output_time_major=True),
        "tile": lambda: L.BeamSearchDecoder.tile_beam_merge_with_batch(v["h"], 3),
    }


NAMES = list(cases(type("F", (), {"layers": type("L", (), {"RNNCell": object})}), dict(INPUTS)))
BATCHED = ["x", "x2", "h", "c", "lengths", "start"]
# Paddle stops in the backward pass of a beam search
NO_GRADIENT = [name for name in NAMES if name.startswith("beam") or name.endswith("test")]
FLOATS = [name for name in INPUTS if INPUTS[name].dtype == "float32"]


def loss_of(L, outputs):
    """Return the sum of the squares of all outputs that are floats and have gradients."""
    total = 0.0
    for each in outputs:
        total = L.reduce_sum(L.square(each)) + total
    return total


def record(fluid, name):
    """Run a case in Paddle's static graph; return outputs and gradients as arrays by name."""
    with fluid.program_guard(fluid.Program(), fluid.Program()):
        v = {}
        for key, array in INPUTS.items():
            shape = [None, *array.shape[1:]] if key in BATCHED else array.shape
            v[key] = fluid.data(key, shape, str(array.dtype))
        for key in FLOATS:
            v[key].stop_gradient = False
        outputs = flatten(cases(fluid, v)[name]())
        fetched = {"out%d" % k: each for k, each in enumerate(outputs)}
        if name not in NO_GRADIENT:
            smooth = [o for o in outputs if o.dtype == v["x"].dtype and not o.stop_gradient]
            grads = fluid.gradients(loss_of(fluid.layers, smooth), [v[key] for key in FLOATS])
            for k, key in enumerate(FLOATS):
                if grads[k] is not None:
                    fetched["grad " + key] = grads[k]
        executor = fluid.Executor(fluid.CPUPlace())
        arrays = executor.run(feed=dict(INPUTS), fetch_list=list(fetched.values()))
    return {key: arrays[k] for k, key in enumerate(fetched)}


if __name__ == "__main__":
    import paddle.fluid

    recorded = {}
    for case in NAMES:
        for key, array in record(paddle.fluid, case).items():
            recorded[case + "|" + key] = array
    np.savez_compressed(sys.argv[1], **recorded)
