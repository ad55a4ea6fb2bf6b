"""Tables with sparse gradients and a clip, trained for four steps: the numbers of Paddle 1.8.5.

Without a clip, which merges repeated rows, some of Paddle's CPU kernels go wrong; see
docs/differences.md.
"""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid import optimizer

# sorted and unsorted, repeated and single
IDS = [[0, 2, 2, 5], [1, 1, 3, 0], [2, 4, 5, 5], [0, 0, 0, 1]]
MAKE = {
    "SGD": optimizer.SGD,
    "Adagrad": optimizer.Adagrad,
    "Momentum": lambda rate, **options: optimizer.Momentum(rate, 0.9, **options),
    "RMSProp": optimizer.RMSProp,
    "Adam": optimizer.Adam,
    "lazy Adam": lambda rate, **options: optimizer.Adam(rate, lazy_mode=True, **options),
    "Lamb": optimizer.Lamb,
}
CLIPS = {
    "global": fluid.clip.GradientClipByGlobalNorm(0.5),
    "norm": fluid.clip.GradientClipByNorm(0.5),
}
# fmt: off
TABLES = {
    ("SGD", "global"): [
        [-0.0677, 0.2159], [-0.4805, -0.1971], [-0.334, -0.4066],
        [-0.3091, -0.1545], [-0.0993, 0.0381], [-0.07, 0.1826],
    ],
    ("SGD", "norm"): [
        [-0.0645, 0.2148], [-0.4732, -0.1972], [-0.3258, -0.4062],
        [-0.3058, -0.1546], [-0.0993, 0.038], [-0.0676, 0.1819],
    ],
    ("Adagrad", "global"): [
        [0.0434, -0.0279], [-0.3837, -0.2846], [-0.2412, -0.2621],
        [-0.2137, -0.2544], [-0.0032, -0.0612], [0.0286, -0.0126],
    ],
    ("Adagrad", "norm"): [
        [0.0393, -0.0195], [-0.3832, -0.2818], [-0.2456, -0.2849],
        [-0.2137, -0.2544], [-0.0032, -0.0612], [0.0264, -0.0086],
    ],
    ("Momentum", "global"): [
        [-0.061, 0.2135], [-0.4635, -0.1966], [-0.2986, -0.4045],
        [-0.301, -0.1545], [-0.0967, 0.0373], [-0.0567, 0.179],
    ],
    ("Momentum", "norm"): [
        [-0.0485, 0.2107], [-0.4427, -0.1966], [-0.272, -0.4032],
        [-0.2923, -0.1548], [-0.0977, 0.0372], [-0.05, 0.1773],
    ],
    ("RMSProp", "global"): [
        [0.3048, 0.4126], [-0.0809, 0.2496], [0.0661, 0.1989],
        [0.1318, 0.292], [-0.3019, -0.0196], [0.0722, 0.2581],
    ],
    ("RMSProp", "norm"): [
        [0.6097, 0.3061], [-0.036, 0.2533], [0.0758, -0.1],
        [0.1331, 0.2926], [0.0356, -0.3221], [0.0886, 0.0467],
    ],
    ("Adam", "global"): [
        [0.1578, 0.0277], [-0.3314, -0.273], [-0.124, -0.1423],
        [-0.1533, -0.3149], [0.004, -0.0684], [0.1208, -0.0811],
    ],
    ("Adam", "norm"): [
        [0.1578, 0.0147], [-0.332, -0.2731], [-0.1279, -0.1379],
        [-0.1533, -0.3149], [0.004, -0.0684], [0.1291, -0.0847],
    ],
    ("lazy Adam", "global"): [
        [0.1066, 0.0807], [-0.3789, -0.2242], [-0.2196, -0.2608],
        [-0.2499, -0.2183], [-0.0451, -0.0193], [0.0443, 0.0395],
    ],
    ("lazy Adam", "norm"): [
        [0.1068, 0.0679], [-0.3795, -0.2247], [-0.2222, -0.2567],
        [-0.2499, -0.2183], [-0.0451, -0.0193], [0.0455, 0.0348],
    ],
    ("Lamb", "global"): [
        [0.0455, 0.0955], [-0.4271, -0.2695], [-0.2438, -0.3379],
        [-0.2495, -0.2178], [-0.0608, -0.0035], [0.0331, 0.077],
    ],
    ("Lamb", "norm"): [
        [0.0466, 0.0944], [-0.4299, -0.2705], [-0.2475, -0.331],
        [-0.2499, -0.2177], [-0.0612, -0.0031], [0.0333, 0.0756],
    ],
}
# fmt: on


def values(seed, *shape):
    return (np.random.RandomState(seed).rand(*shape) - 0.5).astype("float32")


@pytest.mark.parametrize(("rule", "clip"), TABLES)
def test_a_table_is_trained_as_in_paddle(rule, clip):
    with fluid.dygraph.guard(fluid.CPUPlace()):
        table, linear = fluid.dygraph.Embedding([6, 2], is_sparse=True), fluid.dygraph.Linear(2, 3)
        for k, weight in enumerate([table.weight, linear.weight, linear.bias]):
            weight.set_value(values(k + 1, *weight.shape))
        parameters = table.parameters() + linear.parameters()
        made = MAKE[rule](0.1, parameter_list=parameters, grad_clip=CLIPS[clip])
        for ids in IDS:
            out = linear(table(fluid.dygraph.to_variable(np.array(ids))))
            loss = L.mean(L.square(out) * 3.0)
            loss.backward()
            made.minimize(loss)
            made.clear_gradients()
        found = table.weight.numpy()
    expected = np.array(TABLES[rule, clip]).reshape(6, 2)
    np.testing.assert_allclose(found, expected, 0, 1e-4)
