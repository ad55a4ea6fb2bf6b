"""A placed layer moves what goes in and out, and is otherwise the layer that it was."""

from __future__ import annotations

import copy
from collections import namedtuple

import numpy as np
import pytest
import torch
from torch import nn

import refluid
from refluid import DeviceError
from refluid.distributed.placement import as_device, moved, place

refluid.install()
# only after that does it mean refluid's
import paddle.fluid as fluid  # noqa: E402

CPU, META = torch.device("cpu"), torch.device("meta")


class Head(nn.Module):
    """Takes a tensor and a named scale, and gives a dictionary."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, value, *, scale):
        return {"out": self.fc(value) * scale, "size": 2}


def train(place_heads):
    torch.manual_seed(1)
    trunk, heads = nn.Linear(3, 4), [Head(), Head()]
    optimizer = torch.optim.SGD([p for m in (trunk, *heads) for p in m.parameters()], lr=0.1)
    if place_heads:
        assert [place(head, "cpu") for head in heads] == heads
    losses = []
    for _ in range(5):
        features = trunk(torch.ones(2, 3))
        outs = [head(features, scale=torch.tensor(2.0))["out"] for head in heads]
        loss = sum(((out - 1) ** 2).mean() for out in outs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item().hex())
    return losses


def test_placed_heads_train_as_before():
    assert train(True) == train(False)


def test_tensors_move_wherever_they_are():
    Pair = namedtuple("Pair", "a b")
    value = (torch.ones(2), [{"k": torch.ones(3)}, "text"], Pair(torch.ones(1), None), 5)
    found = moved(value, META)
    assert found[0].device == found[1][0]["k"].device == found[2].a.device == META
    assert type(found[2]) is Pair
    assert (found[1][1], found[2].b, found[3]) == ("text", None, 5)
    # what is there already is not copied
    assert moved(value[0], CPU) is value[0]


def test_a_layer_is_moved_with_its_inputs():
    layer = place(nn.Linear(3, 2), META)
    assert {p.device for p in layer.parameters()} == {META}
    (inputs, named) = next(iter(layer._forward_pre_hooks.values()))(
        layer, (torch.ones(1, 3),), {"mask": torch.ones(1)}
    )
    assert inputs[0].device == named["mask"].device == META


def test_a_layer_placed_again_is_moved_once():
    layer = place(place(nn.Linear(3, 2), "cpu"), "cpu")
    assert len(layer._forward_pre_hooks) == len(layer._forward_hooks) == 1
    assert layer(torch.ones(1, 3)).shape == (1, 2)


def test_an_error_within_leaves_the_next_call_right():
    layer = place(nn.Linear(3, 2), "cpu")
    with pytest.raises(RuntimeError):
        layer(torch.ones(1, 5))
    assert layer(torch.ones(1, 3)).device == CPU


def test_a_copy_of_a_placed_layer_works():
    layer = copy.deepcopy(place(nn.Linear(3, 2), "cpu"))
    assert layer(torch.ones(1, 3)).shape == (1, 2)


def test_a_fluid_layer_keeps_its_parameters_and_trains():
    with fluid.dygraph.guard():
        fluid.default_main_program().random_seed = 1
        plain, placed = fluid.dygraph.Linear(3, 2), fluid.dygraph.Linear(3, 2)
        placed.set_dict(plain.state_dict())
        before = placed.parameters()
        assert place(placed, fluid.CPUPlace()) is placed
        assert all(a is b for a, b in zip(before, placed.parameters(), strict=True))
        inputs = fluid.dygraph.to_variable(np.ones((4, 3), "float32"))
        gradients = []
        for layer in (plain, placed):
            out = layer(inputs)
            assert type(out).__name__ == "VarBase"
            fluid.layers.mean(out).backward()
            gradients.append(layer.weight.gradient().tobytes())
        assert gradients[0] == gradients[1]


def test_a_moved_variable_stays_one_and_its_graph_ends_where_it_did():
    with fluid.dygraph.guard():
        layer = fluid.dygraph.Linear(3, 2)
        out = layer(fluid.dygraph.to_variable(np.ones((4, 3), "float32")))
        found = moved(out, META)
        assert type(found) is type(out)
        assert found.shape == [4, 2]
        assert not found.stop_gradient
        out.stop_gradient = True
        assert moved(out, META).stop_gradient
        # a parameter that is passed in is moved as a variable
        assert type(moved(layer.weight, META)) is type(out)


@pytest.mark.parametrize("device", [3.5, None, object(), True])
def test_what_is_no_device_is_refused(device):
    with pytest.raises(TypeError, match="`device` must be a place of fluid, or a device of torch"):
        place(nn.Linear(2, 2), device)


def test_what_is_no_layer_is_refused():
    with pytest.raises(TypeError, match="`layer` must be a layer, but received function"):
        place(lambda value: value, "cpu")


def test_unknown_devices_are_refused():
    with pytest.raises(DeviceError, match="`device`: .*nowhere"):
        as_device("nowhere", "device")
    with pytest.raises(DeviceError, match="`devices` is cuda:99, but this machine has"):
        as_device("cuda:99", "devices")


@pytest.mark.gpu
def test_heads_on_a_gpu_train_a_trunk_on_the_cpu():
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    trunk, head = nn.Linear(3, 4), place(Head(), "cuda:0")
    assert {p.device.type for p in head.parameters()} == {"cuda"}
    out = head(trunk(torch.ones(2, 3)), scale=torch.tensor(2.0))["out"]
    assert out.device == CPU
    out.sum().backward()
    assert trunk.weight.grad.device == CPU
    assert trunk.weight.grad.abs().sum() > 0
    assert head.fc.weight.grad.device.type == "cuda"


@pytest.mark.gpu
def test_a_fluid_layer_on_a_gpu_keeps_its_parameters():
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    with fluid.dygraph.guard(fluid.CPUPlace()):
        head = fluid.dygraph.Linear(3, 2)
        optimizer = fluid.optimizer.AdamOptimizer(0.1, parameter_list=head.parameters())
        before = head.parameters()
        place(head, fluid.CUDAPlace(0))
        assert all(a is b for a, b in zip(before, head.parameters(), strict=True))
        inputs = fluid.dygraph.to_variable(np.ones((4, 3), "float32"))
        inputs.stop_gradient = False
        out = head(inputs)
        assert out.place == fluid.CPUPlace()
        loss = fluid.layers.mean(out)
        loss.backward()
        optimizer.minimize(loss)
        assert inputs.gradient() is not None
        assert head.weight.place == fluid.CUDAPlace(0)
