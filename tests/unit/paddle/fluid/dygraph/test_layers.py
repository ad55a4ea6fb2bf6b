"""A Layer follows Paddle's rules, and is a torch Module all the same."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.dygraph.base import guard, to_variable
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn import BatchNorm, Conv2D, Linear
from refluid.paddle.fluid.initializer import Constant
from refluid.paddle.fluid.param_attr import ParamAttr


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


class Net(Layer):
    def __init__(self, scope: str | None = None) -> None:
        super().__init__(scope)
        self.conv = Conv2D(1, 2, 3)
        self.norm = BatchNorm(2)
        self.own = self.create_parameter([2])

    def forward(self, x):
        return self.norm(self.conv(x))


def image() -> torch.Tensor:
    return to_variable(np.random.default_rng(0).random((2, 1, 5, 5), "float32"))


def test_names_are_made_of_the_class_and_counted():
    net = Net()
    assert net.full_name() == "net_0"
    assert [(key, p.name) for key, p in net.state_dict().items()] == [
        ("own", "net_0.w_0"),
        ("conv.weight", "conv2d_0.w_0"),
        ("conv.bias", "conv2d_0.b_0"),
        ("norm.weight", "batch_norm_0.w_0"),
        ("norm.bias", "batch_norm_0.b_0"),
        ("norm._mean", "batch_norm_0.w_1"),
        ("norm._variance", "batch_norm_0.w_2"),
    ]
    assert Net("mnist").full_name() == "mnist_0"
    with guard():
        assert Net().own.name == "net_0.w_0"


def test_a_name_given_twice_is_refused():
    Linear(1, 1, param_attr=ParamAttr(name="w"))
    with pytest.raises(ValueError, match="'w' exists already in this guard"):
        Linear(1, 1, param_attr="w")


def test_parameters_are_a_list_with_moving_statistics():
    net = Net()
    assert type(net.parameters()) is list
    assert len(net.parameters()) == 7
    assert [p.trainable for p in net.parameters()].count(False) == 2
    assert len(net.parameters(include_sublayers=False)) == 1
    assert [name for name, _ in net.named_sublayers()] == ["conv", "norm"]
    assert net.sublayers() == [net.conv, net.norm]
    assert [name for name, _ in net.named_sublayers(include_self=True)] == ["", "conv", "norm"]


def test_lists_of_layers_are_not_registered():
    net = Layer()
    net.items = [Linear(1, 1)]
    assert net.parameters() == []


def test_state_dictionary_is_live_and_loads():
    net, other = Net(), Net()
    state = net.state_dict()
    net.own.set_value(np.array([4, 5], "float32"))
    assert state["own"].numpy().tolist() == [4, 5]
    other.set_dict({key: p.numpy() for key, p in state.items()})
    assert other.own.numpy().tolist() == [4, 5]
    by_name = {p.name: p.numpy() + 1 for p in net.parameters()}
    net.load_dict(by_name, use_structured_name=False)
    assert net.own.numpy().tolist() == [5, 6]


def test_all_missing_values_are_named():
    net = Net()
    state = {key: p.numpy() for key, p in net.state_dict().items()}
    del state["own"], state["norm._mean"]
    with pytest.raises(RuntimeError, match=r"no value for own, norm\._mean"):
        net.set_dict(state)


def test_surplus_values_warn_and_wrong_shapes_stop():
    fc = Linear(2, 2)
    zeros = {"weight": np.zeros((2, 2), "float32"), "bias": np.zeros(2, "float32")}
    with pytest.warns(UserWarning, match="not used: extra"):
        fc.set_dict({**zeros, "extra": np.zeros(1)})
    with pytest.raises(AssertionError, match=r"\[2, 2\], but `value` has shape \[1, 2\]"):
        fc.set_dict({**zeros, "weight": np.zeros((1, 2), "float32")})


def test_assigning_before_super_init_is_a_value_error():
    class Wrong(Layer):
        def __init__(self) -> None:
            self.fc = Linear(1, 1)

    with pytest.raises(ValueError, match=r"super\(Wrong, self\).__init__\(\) must be called"):
        Wrong()


def test_hooks_see_inputs_and_outputs():
    fc, seen = Linear(2, 2), []
    before = fc.register_forward_pre_hook(lambda layer, inputs: seen.append(type(inputs)))
    fc.register_forward_post_hook(lambda layer, inputs, output: output * 0.0)
    x = to_variable(np.ones((1, 2), "float32"))
    assert fc(x).numpy().tolist() == [[0, 0]]
    before.remove()
    fc(x)
    assert seen == [tuple]


class Lazy(Layer):
    def _build_once(self, x, scale):
        self.w = self.create_parameter([x.shape[1]], default_initializer=Constant(scale))

    def forward(self, x, scale):
        return x * self.w


class Doubled(Lazy):
    def __call__(self, *inputs, **kwargs):
        return super().__call__(*inputs, **kwargs) * 2.0


@pytest.mark.parametrize(("layer", "value"), [(Lazy, 3), (Doubled, 6)])
def test_build_once_sees_the_first_inputs_only(layer, value):
    lazy = copy.deepcopy(layer())
    x = to_variable(np.ones((1, 3), "float32"))
    assert lazy(x, scale=3.0).numpy().tolist() == [[value] * 3]
    first = lazy.w
    lazy(x, scale=5.0)
    assert lazy.w is first


def test_it_works_with_what_is_made_for_torch():
    net = Net()
    assert isinstance(net, torch.nn.Module)
    assert all(isinstance(p, torch.nn.Parameter) for p in net.parameters())
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    before = net.conv.weight.numpy()
    torch.pow(net(image()), 3).sum().backward()  # a plain sum of normalized values is constant
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    assert not np.array_equal(net.conv.weight.numpy(), before)
    native = torch.nn.Sequential(Net(), torch.nn.Flatten(), torch.nn.Linear(18, 1))
    assert native(image()).shape == (2, 1)


def test_plain_modules_are_accepted_inside():
    class Mixed(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.native = torch.nn.Linear(2, 3)
            self.fluid = Linear(3, 1)

        def forward(self, x):
            return self.fluid(self.native(x))

    mixed = Mixed()
    assert list(mixed.state_dict()) == [
        "native.weight",
        "native.bias",
        "fluid.weight",
        "fluid.bias",
    ]
    mixed.set_dict(
        {key: np.ones(list(p.shape), "float32") for key, p in mixed.state_dict().items()}
    )
    y = mixed(to_variable(np.ones((1, 2), "float32")))
    assert y.numpy().tolist() == [[10.0]]
    y.backward()
    assert mixed.native.weight.grad is not None


def test_a_model_copies_deeply():
    net = Net()
    twin = copy.deepcopy(net)
    net.own.set_value(np.zeros(2, "float32"))
    assert twin.own.numpy().any()
    twin(image()).backward()
    assert twin.conv.weight.gradient() is not None
    assert net.conv.weight.gradient() is None


def test_create_variable_and_wrong_parts():
    net = Net()
    assert net.create_variable("step", dtype="int64").name == "net_0.step"
    with pytest.raises(AssertionError, match="`sublayer` must be a Layer, but received int"):
        net.add_sublayer("a", 3)
    with pytest.raises(TypeError, match="`parameter` must be a Parameter or None"):
        net.add_parameter("a", 3)
    with pytest.raises(ValueError, match="no backward"):
        net.backward()


# --- switching between training and evaluation ---------------------------------------------------


class Frozen(BatchNorm):
    """Stays in evaluation, as the first layers of a detector do."""

    def train(self) -> None:
        super().eval()


class Counting(Layer):
    """Programs of 2020 override both without an argument, and set the sublayers' flags too."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.inner = Linear(2, 2)

    def eval(self) -> None:
        super().eval()
        self.calls.append("eval")

    def train(self) -> None:
        super().train()
        self.calls.append("train")


def test_overridden_switches_are_called_once_for_each_layer_around_them():
    class Middle(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.counting = Counting()

    class Outer(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.middle = Middle()

    outer = Outer()
    outer.eval()
    outer.train()
    counting = outer.middle.counting
    assert counting.calls == ["eval", "eval", "train", "train"]  # as Paddle 1.8.5 does
    assert counting.inner.training


def test_a_layer_that_freezes_itself_stays_frozen_below_others():
    class Model(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.norm = Frozen(3)
            self.head = Linear(2, 2)

    model = Model()
    model.train()
    assert (model.training, model.norm.training, model.head.training) == (True, False, True)


def test_switches_return_the_layer_and_switch_recording():
    model = Net()
    assert model.eval() is model
    assert not torch.is_grad_enabled()
    assert not any(layer.training for layer in model.sublayers())
    assert model.train() is model
    assert torch.is_grad_enabled()
    assert model.train(False) is model
    assert not model.norm.training
    model.train()


# --- properties ---------------------------------------------------------------------------------


class Shared(Layer):
    """A property whose setter keeps the parameter, as the CRF of Paddle's models has it."""

    def __init__(self) -> None:
        super().__init__()
        self._transition = self.create_parameter([2])

    @property
    def weight(self):
        return self._transition

    @weight.setter
    def weight(self, value):
        self._transition = value


def test_a_parameter_given_to_a_property_is_registered_under_both_names():
    one, two = Shared(), Shared()
    two.weight = one.weight
    assert two._transition is one.weight
    assert sorted(two.state_dict()) == ["_transition", "weight"]
    assert len(two.parameters()) == 1


def test_what_is_no_parameter_or_layer_is_named_as_paddle_does():
    model = Net()
    for value, kind in ((image(), "VarBase"), ([1.0], "list")):
        text = f"parameter 'own' should be of type Parameter or None, but got '{kind}'"
        with pytest.raises(TypeError, match=f"^assignment to {text}$"):
            model.own = value
    with pytest.raises(TypeError, match="sublayer 'conv' should be of type Layer or None, but got"):
        model.conv = 3
