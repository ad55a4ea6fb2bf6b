"""Cases that run alike under Paddle 1.8.5 and under refluid; each gives named arrays.

    python3.7-with-paddle cases.py recordings.npz       python -m refluid cases.py mine.npz

Inputs come from seeded NumPy generators and parameters are set from them, so that the two
interpreters compute on the same numbers. Python 3.7 and NumPy of 2020 must be able to read this.
"""

import collections
import sys

import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph import to_variable

D, L, O = fluid.dygraph, fluid.layers, fluid.optimizer
CASES = collections.OrderedDict()


def case(run):
    CASES[run.__name__] = run
    return run


def floats(seed, *shape):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype("float32")


def ids(seed, high, *shape):
    return np.random.RandomState(seed).randint(0, high, shape).astype("int64")


def variable(array):
    v = to_variable(array)
    v.stop_gradient = array.dtype.kind != "f"
    return v


def weighted(outs):
    """A sum of all outputs with fixed, uneven weights, so that no gradient cancels."""
    terms = []
    for k, out in enumerate(outs):
        weight = np.random.RandomState(500 + k).uniform(0.5, 2, out.shape).astype("float32")
        terms.append(L.reduce_sum(out * to_variable(weight)))
    return terms[0] if len(terms) == 1 else L.sums(terms)


def layer_case(name, make, *arrays, train=True, steps=1):
    def run():
        layer, result = make(), collections.OrderedDict()
        params = list(layer.named_parameters())
        for k, (key, p) in enumerate(params):
            low = 0.5 if "variance" in key else -0.5
            values = np.random.RandomState(100 + k).uniform(low, low + 1, p.shape)
            p.set_value(values.astype("float32"))
            result["name " + key] = np.array("%s %s %s" % (p.name, list(p.shape), p.trainable))
        layer.train() if train else layer.eval()
        for _ in range(steps):
            inputs = [variable(a) for a in arrays]
            outs = layer(*inputs)
            outs = list(outs) if isinstance(outs, (list, tuple)) else [outs]
        for k, out in enumerate(outs):
            result["out%d" % k] = out.numpy()
        if train:
            weighted(outs).backward()
            for k, v in enumerate(inputs):
                if not v.stop_gradient:
                    result["grad of input %d" % k] = v.gradient()
            for key, p in params:
                if p.trainable:
                    result["grad of " + key] = p.gradient()
                else:
                    result["after " + key] = p.numpy()
        return result

    CASES[name] = run


IMAGE = floats(1, 3, 4, 8, 9)
for tag, kw in [
    ("", {}),
    (" strided", dict(stride=[2, 1], padding=[1, 2], act="relu")),
    (" grouped", dict(groups=2, dilation=2, act="tanh")),
    (" without bias", dict(bias_attr=False, groups=4)),
]:
    layer_case("Conv2D" + tag, lambda kw=kw: D.Conv2D(4, 8, 3, **kw), IMAGE)
layer_case("Conv2DTranspose", lambda: D.Conv2DTranspose(4, 6, 3, stride=2, padding=1), IMAGE)
layer_case("Conv3D", lambda: D.Conv3D(2, 4, 2, groups=2, act="relu"), floats(2, 2, 2, 4, 5, 6))
layer_case(
    "Conv3DTranspose",
    lambda: D.Conv3DTranspose(2, 3, 2, stride=2, bias_attr=fluid.ParamAttr()),
    floats(2, 2, 2, 3, 4, 3),
)
for kind in ("max", "avg"):
    for tag, kw in [
        ("", dict(pool_size=2, pool_stride=2)),
        (" padded", dict(pool_size=3, pool_stride=2, pool_padding=1)),
        (" ceil", dict(pool_size=3, pool_stride=2, pool_padding=1, ceil_mode=True)),
        (" inclusive", dict(pool_size=3, pool_stride=2, pool_padding=1, exclusive=False)),
        (" global", dict(global_pooling=True)),
    ]:
        layer_case(
            "Pool2D %s%s" % (kind, tag), lambda k=kind, kw=kw: D.Pool2D(pool_type=k, **kw), IMAGE
        )
for act in (None, "relu", "softmax", "sigmoid", "leaky_relu", "gelu", "swish", "hard_swish"):
    layer_case("Linear %s" % act, lambda act=act: D.Linear(6, 4, act=act), floats(3, 5, 6))
layer_case("BatchNorm", lambda: D.BatchNorm(4, momentum=0.8), IMAGE, steps=3)
layer_case("BatchNorm in evaluation", lambda: D.BatchNorm(4), IMAGE, train=False)
layer_case("BatchNorm NHWC", lambda: D.BatchNorm(9, data_layout="NHWC", act="relu"), IMAGE)
layer_case("LayerNorm", lambda: D.LayerNorm([8, 9]), IMAGE)
layer_case(
    "GroupNorm",
    lambda: D.GroupNorm(4, 2, param_attr=fluid.ParamAttr(), bias_attr=fluid.ParamAttr()),
    IMAGE,
)
layer_case("InstanceNorm", lambda: D.InstanceNorm(4), IMAGE)
layer_case("SpectralNorm", lambda: D.SpectralNorm([5, 6], power_iters=3), floats(4, 5, 6))
layer_case("Embedding", lambda: D.Embedding([9, 3], padding_idx=2), ids(5, 9, 4, 6))
layer_case("PRelu", lambda: D.PRelu("channel", channel=4), IMAGE)
layer_case("GRUUnit", lambda: D.GRUUnit(12), floats(6, 3, 12), floats(7, 3, 4))
layer_case(
    "BilinearTensorProduct",
    lambda: D.BilinearTensorProduct(4, 5, 3),
    floats(8, 6, 4),
    floats(9, 6, 5),
)
for reduction in ("mean", "sum", "none"):
    layer_case("MSELoss " + reduction, lambda r=reduction: D.MSELoss(r), floats(1, 4), floats(2, 4))
    layer_case("L1Loss " + reduction, lambda r=reduction: D.L1Loss(r), floats(1, 4), floats(2, 4))
    layer_case(
        "NLLLoss " + reduction, lambda r=reduction: D.NLLLoss(reduction=r), floats(1, 4, 5),
        ids(2, 5, 4),
    )  # fmt: skip
layer_case(
    "Sequential", lambda: D.Sequential(("a", D.Linear(6, 4, act="relu")), ("b", D.Linear(4, 2))),
    floats(3, 5, 6),
)  # fmt: skip


# --- optimizers, clips, regularizers ------------------------------------------------------------
class Model(D.Layer):
    def __init__(self, attr=None):
        super(Model, self).__init__()
        self.hidden = D.Linear(5, 4, param_attr=attr, act="tanh")
        self.out = D.Linear(4, 3)

    def forward(self, x):
        return self.out(self.hidden(x))


def train_case(name, make, attr=None, steps=6):
    def run():
        model = Model(attr() if attr else None)
        params = list(model.named_parameters())
        for k, (_, p) in enumerate(params):
            p.set_value(floats(200 + k, *p.shape))
        optimizer, result = make(model.parameters()), collections.OrderedDict()
        for step in range(steps):
            x, y = to_variable(floats(step, 7, 5)), to_variable(floats(50 + step, 7, 3))
            loss = L.mean(L.square_error_cost(model(x), y)) * 3.0
            loss.backward()
            optimizer.minimize(loss)
            model.clear_gradients()
            result["loss %d" % step] = loss.numpy()
        for key, p in params:
            result[key] = p.numpy()
        for key, value in optimizer.state_dict().items():
            result["state " + key] = value.numpy() if hasattr(value, "numpy") else str(value)
        result["rate"] = np.array(float(optimizer.current_step_lr()))
        return result

    CASES[name] = run


OPTIMIZERS = collections.OrderedDict([
    ("SGD", lambda p, **k: O.SGD(0.1, parameter_list=p, **k)),
    ("Momentum", lambda p, **k: O.Momentum(0.1, 0.9, parameter_list=p, **k)),
    ("Nesterov", lambda p, **k: O.Momentum(0.1, 0.9, parameter_list=p, use_nesterov=True, **k)),
    ("Lars", lambda p, **k: O.LarsMomentum(0.1, 0.9, 0.1, 0.01, parameter_list=p, **k)),
    ("Adagrad", lambda p, **k: O.Adagrad(0.1, parameter_list=p, **k)),
    ("DecayedAdagrad", lambda p, **k: O.DecayedAdagrad(0.1, parameter_list=p, **k)),
    ("Adadelta", lambda p, **k: O.Adadelta(0.1, parameter_list=p, **k)),
    ("Adam", lambda p, **k: O.Adam(0.05, epsilon=1e-4, parameter_list=p, **k)),
    ("Adamax", lambda p, **k: O.Adamax(0.05, parameter_list=p, **k)),
    ("RMSProp", lambda p, **k: O.RMSPropOptimizer(0.05, momentum=0.5, parameter_list=p, **k)),
    ("Ftrl", lambda p, **k: O.Ftrl(0.1, l1=0.01, parameter_list=p, **k)),
    ("Lamb", lambda p, **k: O.LambOptimizer(0.05, parameter_list=p, **k)),
])  # fmt: skip
for name, make in OPTIMIZERS.items():
    train_case(name, make)
    train_case(name + " L2", lambda p, m=make: m(p, regularization=fluid.regularizer.L2Decay(0.1)))
for name, clip in [
    ("value", lambda: fluid.clip.GradientClipByValue(0.1)),
    ("norm", lambda: fluid.clip.GradientClipByNorm(0.2)),
    ("global norm", lambda: fluid.clip.GradientClipByGlobalNorm(0.3)),
]:
    train_case(
        "Adam, clipped by %s, L1" % name,
        lambda p, c=clip: OPTIMIZERS["Adam"](
            p, grad_clip=c(), regularization=fluid.regularizer.L1Decay(0.02)
        ),
    )
train_case(
    "Momentum, own rate and regularizer",
    lambda p: OPTIMIZERS["Momentum"](p, regularization=fluid.regularizer.L1Decay(0.05)),
    attr=lambda: fluid.ParamAttr(learning_rate=0.3, regularizer=fluid.regularizer.L2Decay(0.2)),
)
train_case("Adam, frozen", OPTIMIZERS["Adam"], attr=lambda: fluid.ParamAttr(trainable=False))
for name, decay in [
    ("Piecewise", lambda: D.PiecewiseDecay([2, 4], [0.3, 0.2, 0.1], 0)),
    ("Exponential", lambda: D.ExponentialDecay(0.3, 3, 0.5, staircase=True)),
    ("NaturalExp", lambda: D.NaturalExpDecay(0.3, 3, 0.5)),
    ("InverseTime", lambda: D.InverseTimeDecay(0.3, 3, 0.5)),
    ("Polynomial", lambda: D.PolynomialDecay(0.3, 4, 0.01, power=1.5)),
    ("Polynomial, cyclic", lambda: D.PolynomialDecay(0.3, 4, 0.01, cycle=True)),
    ("Cosine", lambda: D.CosineDecay(0.3, 2, 4)),
    ("Noam", lambda: D.NoamDecay(16, 3)),
    ("LinearLrWarmup", lambda: D.LinearLrWarmup(D.PolynomialDecay(0.3, 9, 0.1), 3, 0.1, 0.3)),
]:
    train_case("SGD with %s" % name, lambda p, d=decay: O.SGD(d(), parameter_list=p))


# --- seeds ----------------------------------------------------------------------------------------
@case
def seeded():
    fluid.default_main_program().random_seed = 2020
    make, I = D.Layer().create_parameter, fluid.initializer
    result = collections.OrderedDict()
    result["Linear"] = D.Linear(7, 9).weight.numpy()
    result["Conv2D"] = D.Conv2D(3, 5, 3).weight.numpy()
    for name, init in [
        ("Normal", I.Normal(0.5, 2.0)),
        ("TruncatedNormal", I.TruncatedNormal(0.0, 0.3)),
        ("MSRA", I.MSRA()),
        ("own seed", I.Uniform(-2.0, 3.0, seed=7)),
    ]:
        result[name] = make([5, 6], fluid.ParamAttr(initializer=init)).numpy()
    result["large"] = make([5000], fluid.ParamAttr(initializer=I.Uniform()))[4090:4110].numpy()
    ones = to_variable(np.ones((6, 50), "float32"))
    result["dropout"] = D.Dropout(0.3)(ones).numpy()
    result["dropout, own seed"] = L.dropout(ones, 0.3, seed=5).numpy()
    return result


# --- gradients ------------------------------------------------------------------------------------
@case
def gradients():
    result, x = collections.OrderedDict(), variable(floats(1, 3, 4))
    L.reduce_sum(x * x).backward()
    result["first"] = x.gradient()
    (x * 5.0).backward()
    result["replaced"] = x.gradient()
    y = x * x
    z = y * 3.0 + x
    z.backward()
    result["intermediate"], result["branches"] = y.gradient(), x.gradient()
    y = x * 2.0
    y.stop_gradient = True
    (y * x).backward()
    result["stopped"] = x.gradient()
    (g,) = D.grad(L.reduce_sum(x * x * x), x, create_graph=True)
    L.reduce_sum(g * g).backward()
    result["second"] = x.gradient()
    x.clear_gradient()
    result["cleared"] = x.gradient()
    return result


def main():
    arrays = {}
    for name, run in CASES.items():
        with D.guard(fluid.CPUPlace()):
            for key, value in run().items():
                arrays["%s|%s" % (name, key)] = np.asarray("None" if value is None else value)
    np.savez_compressed(sys.argv[1], **arrays)


if __name__ == "__main__":
    main()
