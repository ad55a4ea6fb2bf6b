"""Gradients of gradients, of every kind of operator of which Paddle 1.8.5 has them.

    python3.7-with-paddle second_cases.py second_recordings.npz

writes what Paddle gives; test_second_gradients.py compares. Python 3.7 and NumPy of 2020 must be
able to read this.
"""

import re
import sys

import numpy as np

EXPRESSIONS = """
L.sqrt(p); L.square(x); L.cumsum(x, axis=2, reverse=True, exclusive=True); L.elu(x, 0.3)
L.leaky_relu(edges, 0.2); L.relu(x); L.elementwise_add(p, p4, act='relu')
L.elementwise_sub(x, y); L.elementwise_mul(x, y); L.elementwise_div(p, p3, axis=1)
L.scale(x, 2.0, 1.5); L.sums([x, y, x]); L.addcmul(x, y, p, 0.5); L.reduce_sum(x, [0, -1])
L.reduce_mean(x, -1, True); L.mul(x, b, 2); L.reshape(x, [0, -1]); L.split(x, [1, -1], 1)[0]
L.expand(a, [2, 3]); L.flip(x, [0, 2]); L.cast(x, 'float64')
L.slice(x, [1, 2], [0, -3], [2, -1]); L.assign(x); L.square_error_cost(a, c); L.mse_loss(a, c)
L.dice_loss(prob, lab); L.fc([a, c], 2, param_attr=PA((4, 2)), bias_attr=False)
L.conv2d(img, 3, 3, groups=1, param_attr=PA((3, 4, 3, 3)), act='relu')
L.conv2d(img, 4, 3, 2, 'SAME', 1, 2, PA((4, 2, 3, 3)))
L.conv3d(vol, 3, 3, 1, 1, 1, 1, PA((3, 2, 3, 3, 3))); L.instance_norm(img, param_attr=PA((4,)))
"""


def expressions():
    lines = re.split(r";|\n", EXPRESSIONS)
    return [line.strip() for line in lines if line.strip()]


def weights(shape):
    return np.random.RandomState(99).uniform(-1.0, 1.0, shape).astype("float32")


def run(fluid, expression, inputs):
    """Return the gradients of the sum of all squared gradients of a sum of squares, by name."""
    L, grad = fluid.layers, fluid.dygraph.grad
    variables = {}
    for name in sorted(set(re.findall(r"[a-z]\w*", expression)) & set(inputs)):
        variables[name] = fluid.dygraph.to_variable(inputs[name].copy())
        variables[name].stop_gradient = inputs[name].dtype.kind != "f"

    def attribute(shape):
        start = fluid.initializer.NumpyArrayInitializer(weights(shape))
        return fluid.ParamAttr(initializer=start)

    out = eval(expression, dict({"L": L, "PA": attribute}, **variables))
    names = [name for name in variables if not variables[name].stop_gradient]
    sources = [variables[name] for name in names]
    firsts = grad([L.reduce_sum(out * out)], sources, create_graph=True, retain_graph=True)
    penalty = L.sums([L.cast(L.reduce_sum(first * first), "float32") for first in firsts])
    return {name: g.numpy() for name, g in zip(names, grad([penalty], sources))}  # noqa: B905


def main(path):
    import paddle.fluid as fluid

    from cases import INPUTS

    recorded = {}
    for expression in expressions():
        with fluid.dygraph.guard(fluid.CPUPlace()):
            for name, array in run(fluid, expression, INPUTS).items():
                recorded[expression + "|" + name] = array
    np.savez_compressed(path, **recorded)


if __name__ == "__main__":
    main(sys.argv[1])
