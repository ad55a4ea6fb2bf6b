"""A look finds the facts about layers and their outputs, in whatever way a model is written."""

from __future__ import annotations

import copy
import math
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from refluid.observe.layers import inspect
from refluid.observe.record import Table
from refluid.paddle import fluid
from refluid.paddle.fluid.dygraph import BatchNorm, Conv2D, Dropout, Linear, Pool2D


def facts(model, *inputs, **named):
    with inspect(model) as look:
        model(*inputs, **named)
    return {layer.name: layer for layer in look.layers}


class Course(fluid.dygraph.Layer):
    """The course's network."""

    def __init__(self):
        super().__init__()
        self.conv1 = Conv2D(1, 20, 5, padding=2, act="relu")
        self.pool1 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.conv2 = Conv2D(20, 20, 5, padding=2, act="relu")
        self.pool2 = Pool2D(pool_size=2, pool_stride=2, pool_type="avg")
        self.fc = Linear(180, 10, act="softmax")

    def forward(self, x):
        x = self.pool2(self.conv2(self.pool1(self.conv1(x))))
        return self.fc(fluid.layers.reshape(x, [x.shape[0], -1]))


@pytest.fixture
def course():
    with fluid.dygraph.guard():
        images = np.random.default_rng(1).random((4, 1, 12, 12), dtype=np.float32)
        yield Course(), fluid.dygraph.to_variable(images)


class Functional(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(16, 3)
        self.activation = activation

    def forward(self, x):
        x = functional.adaptive_avg_pool2d(self.activation(self.conv(x)), 2)
        return self.fc(x.flatten(1))


# --- what the documents print -----------------------------------------------------------------


def test_settings_and_shapes_are_those_the_courses_print(course):
    model, images = course
    found = facts(model, images)
    assert list(found) == ["conv1", "pool1", "conv2", "pool2", "fc"]
    conv1, pool1, pool2, fc = (found[name] for name in ("conv1", "pool1", "pool2", "fc"))
    assert conv1.parameters == {"weight": (20, 1, 5, 5), "bias": (20,)}
    assert conv1.num_parameters == 520
    assert conv1.settings["padding"] == (2, 2)
    assert conv1.settings["stride"] == (1, 1)
    assert (conv1.settings["kernel"], conv1.settings["act"]) == ((5, 5), "relu")
    assert (pool1.settings["pool"], pool1.settings["kernel"]) == ("max", (2, 2))
    assert (pool2.settings["pool"], pool2.settings["stride"]) == ("avg", (2, 2))
    assert fc.settings == {"in_features": 180, "out_features": 10, "act": "softmax"}
    assert [layer.inputs for layer in found.values()] == [
        ((4, 1, 12, 12),),
        ((4, 20, 12, 12),),
        ((4, 20, 6, 6),),
        ((4, 20, 6, 6),),
        ((4, 180),),
    ]
    assert (conv1.type, conv1.outputs, fc.outputs) == ("Conv2D", ((4, 20, 12, 12),), ((4, 10),))


def test_channel_is_that_of_the_first_image(course):
    model, images = course
    with inspect(model) as look:
        model(images)
    outputs = model.conv1(images)
    for index in (0, 3, 19):
        channel = look.channel("conv1", index)
        assert channel.values.numpy().tobytes() == outputs[0][index].numpy().tobytes()
    chosen = {look.channel("conv1").index for _ in range(100)}
    assert len(chosen) > 1
    assert chosen <= set(range(20))
    assert "channel 3 of conv1:\n[[" in str(look.channel("conv1", 3))
    assert look.output("fc").numpy().tobytes() == model(images)[0].numpy().tobytes()


def test_contents_have_kernels_channels_and_the_last_output(course):
    model, images = course
    with inspect(model) as look:
        model(images)
    lines = [line for line in look.contents().splitlines() if line.endswith(":")]
    assert [line.split()[0] for line in lines] == ["first", "channel", "first", "channel", "output"]
    assert lines[0] == "first kernel of conv1:"
    assert lines[-1] == "output of fc:"
    first = str(np.round(model.conv1.weight[0][0].numpy()[0, 0], 3))
    assert first in look.contents().splitlines()[1]


def test_looking_at_channels_draws_from_no_generator(course):
    model, images = course
    with inspect(model) as look:
        model(images)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].tobytes()
    look.contents()
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.random.get_state()[1].tobytes() == numpy_state


@pytest.mark.parametrize(
    ("layer", "index", "named"),
    [("conv9", 0, "`layer`"), ("conv1", 20, "`index`"), ("conv1", -1, "`index`")],
)
def test_channel_that_is_not_there_is_refused(course, layer, index, named):
    model, images = course
    with inspect(model) as look:
        model(images)
    with pytest.raises(ValueError, match=named):
        look.channel(layer, index)


def test_settings_of_torch_layers_have_the_same_names():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1, dilation=2, groups=1),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(16, 3),
    )
    found = facts(model, torch.rand(2, 1, 10, 10))
    conv = found["0"].settings
    assert (conv["in_channels"], conv["out_channels"], conv["kernel"]) == (1, 4, (3, 3))
    assert (conv["stride"], conv["padding"], conv["dilation"]) == ((2, 2), (1, 1), (2, 2))
    assert (found["1"].settings["pool"], found["1"].settings["kernel"]) == ("max", 2)
    assert found["2"].settings == {"p": 0.25}
    assert found["4"].settings == {"in_features": 16, "out_features": 3}


def test_text_shows_layers_and_numbers():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU())
    with inspect(model) as look:
        model(torch.rand(2, 1, 4, 4))
    lines = str(look).splitlines()
    assert lines[2].split()[:2] == ["0", "Conv2d"]
    assert "1 -> 2, kernel 3x3, stride 1x1, padding 1x1" in lines[2]
    assert "weight [2, 1, 3, 3] bias [2]" in lines[2]
    assert "20 parameters" in lines
    assert "relu: " in lines[-2]


def test_table_has_a_row_for_each_layer():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU()), nn.Flatten(0))
    with inspect(model) as look:
        model(torch.rand(4, 2))
    table = look.table()
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["0", "1.0", "2"]
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert (row["type"], row["input"], row["output"]) == ("Linear", "[4, 2]", "[4, 3]")
    assert row["non-finite"] == 0
    assert isinstance(row["mean"], float)


# --- numbers ----------------------------------------------------------------------------------


def test_numbers_are_those_of_all_batches_together():
    layer = nn.Identity()
    draw = torch.Generator().manual_seed(3)
    batches = [torch.randn(n, 5, generator=draw) * n - 1 for n in (1, 7, 3)]
    with inspect(layer) as look:
        for batch in batches:
            layer(batch)
    (found,) = look.layers
    every = torch.cat(batches).double()
    assert found.num_calls == 3
    assert found.content.mean == pytest.approx(float(every.mean()), rel=1e-5)
    assert found.content.std == pytest.approx(float(every.std(correction=0)), rel=1e-5)
    assert found.content.minimum == float(every.min())
    assert found.content.maximum == float(every.max())


def test_zeros_and_values_that_are_not_finite_are_counted():
    layer = nn.Identity()
    values = torch.tensor([[0.0, 2.0, 2.0, 4.0, math.nan, math.inf, -math.inf, 2.0]])
    content = facts(layer, values)["(model)"].content
    assert (content.num_values, content.num_zeros, content.num_nonfinite) == (8, 1, 3)
    assert (content.minimum, content.maximum, content.mean) == (0.0, 4.0, 2.0)
    assert content.zeros == 1 / 8


def test_output_without_a_finite_value_has_no_mean():
    content = facts(nn.Identity(), torch.full((2, 2), math.nan))["(model)"].content
    assert content.num_nonfinite == 4
    assert math.isnan(content.mean)
    again = content.joined(facts(nn.Identity(), torch.ones(2, 2))["(model)"].content)
    assert (again.mean, again.minimum, again.num_nonfinite) == (1.0, 1.0, 4)


@pytest.mark.parametrize(
    "values",
    [
        torch.tensor([[0, 1, 5]]),
        torch.tensor([[False, True, True]]),
        torch.tensor([[0.0, 1.0, 2.0]], dtype=torch.bfloat16),
        torch.tensor([[0.0, 3j, 4 + 3j]]),
    ],
)
def test_any_element_type_is_measured(values):
    found = facts(nn.Identity(), values)["(model)"].content
    assert found.num_zeros == 1
    assert found.maximum == float(values.abs().max() if values.dtype != torch.bool else 1)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 4), ()])
def test_empty_and_single_values_are_fine(shape):
    with inspect(nn.ReLU()) as look:
        look._model(torch.ones(shape))
    (layer,) = look.layers
    assert layer.outputs == (shape,)
    assert str(look)
    assert not look.dead()
    assert layer.content.num_values == math.prod(shape)


# --- models of all kinds ----------------------------------------------------------------------


class Odd(nn.Module):
    """Gives something else than a tensor."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, *inputs):
        return self.output


@pytest.mark.parametrize(
    ("output", "shapes"),
    [
        (None, ()),
        ("text", ()),
        (torch.zeros(2, 3).to_sparse(), ((2, 3),)),
        (torch.zeros(2, device="meta"), ((2,),)),
        ({"a": [torch.zeros(2), 1], "b": (torch.zeros(3),)}, ((2,), (3,))),
    ],
)
def test_any_output_is_taken(output, shapes):
    with inspect(Odd(output)) as look:
        look._model()
    (layer,) = look.layers
    assert layer.outputs == shapes
    assert (layer.num_calls, bool(str(look))) == (1, True)


def test_output_that_contains_itself_is_taken():
    loop = []
    loop.append(loop)
    assert facts(Odd(loop))["(model)"].outputs == ()


def test_recurrent_layer_is_measured_by_its_first_output():
    found = facts(nn.LSTM(3, 5), torch.rand(7, 2, 3))["(model)"]
    assert found.outputs == ((7, 2, 5), (1, 2, 5), (1, 2, 5))
    assert found.content.num_values == 70


def test_named_inputs_are_seen():
    found = facts(nn.Bilinear(2, 3, 1), torch.rand(4, 2), input2=torch.rand(4, 3))["(model)"]
    assert found.inputs == ((4, 2), (4, 3))


def test_shared_layer_is_one_layer_called_often():
    shared = nn.Linear(2, 2)
    found = facts(nn.Sequential(shared, nn.ReLU(), shared), torch.rand(3, 2))
    assert list(found) == ["0", "1"]
    assert found["0"].num_calls == 2


def test_layer_that_raised_is_shown_with_its_input():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1), nn.Linear(1, 1))
    look = inspect(model)
    with pytest.raises(RuntimeError), look:
        model(torch.rand(5, 2))
    assert [(layer.name, layer.num_calls, layer.inputs) for layer in look.layers] == [
        ("0", 1, ((5, 2),)),
        ("1", 0, ((5, 3),)),
    ]
    assert "(raised)" in str(look)
    assert hooks(model) == 0
    assert torch.overrides._len_torch_function_stack() == 0
    with look:
        model[0](torch.rand(5, 2))
    assert look.layers[0].num_calls == 2


def test_call_that_was_interrupted_leaves_nothing():
    class Interrupted(nn.Module):
        def forward(self, x):
            raise KeyboardInterrupt

    model = nn.Sequential(nn.Linear(1, 1), Interrupted())
    with pytest.raises(KeyboardInterrupt), inspect(model):
        model(torch.rand(1, 1))
    assert hooks(model) == 0
    assert torch.overrides._len_torch_function_stack() == 0


def test_looks_within_looks_both_see():
    model = Functional(functional.relu)
    with inspect(model) as outer:
        model(torch.rand(1, 1, 8, 8))
        with inspect(model) as inner:
            model(torch.rand(2, 1, 8, 8))
    for look, calls in ((outer, 2), (inner, 1)):
        assert [layer.num_calls for layer in look.layers] == [calls, calls]
        assert look.layers[0].activation.function == "relu"
    assert hooks(model) == 0


def test_look_entered_twice_is_refused():
    look = inspect(nn.ReLU())
    with look, pytest.raises(RuntimeError, match="another one"), look:
        pass


def test_layer_written_by_a_parametrization_is_one_layer():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(2, 3, bias=False)))
    found = facts(model, torch.rand(4, 2))
    assert [(layer.name, layer.outputs) for layer in found.values()] == [("0", ((4, 3),))]


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_scripted_layer_is_passed_over():
    model = nn.Sequential(torch.jit.script(nn.Sequential(nn.Linear(2, 3), nn.ReLU())), nn.Tanh())
    assert list(facts(model, torch.rand(4, 2))) == ["1"]


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_traced_program_holds_nothing_of_the_look():
    model = Functional(functional.relu)
    x = torch.rand(2, 1, 8, 8)

    def program():
        # each class gets another name each time
        traced = torch.jit.trace(model, x, check_trace=False)
        return re.sub(r"___torch_mangle_\d+\.", "", str(traced.inlined_graph))

    alone = program()
    with inspect(model) as look:
        assert program() == alone
    assert not look.layers


@pytest.mark.parametrize(("is_whole", "seen"), [(True, ["(model)"]), (False, ["0", "1", "2"])])
def test_compiled_model_is_not_compiled_again(is_whole, seen):
    compiled = []

    def backend(graph, inputs):
        compiled.append(graph)
        return graph.forward

    torch._dynamo.reset()
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    if is_whole:
        model = torch.compile(model, backend=backend)
    else:
        model[0] = torch.compile(model[0], backend=backend)
    x = torch.rand(4, 2)
    model(x)
    assert list(facts(model, x)) == seen
    model(x)
    assert len(compiled) == 1


def test_vectorized_model_runs_as_before():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    x = torch.rand(5, 4, 2)
    with inspect(model) as look:
        result = torch.vmap(model)(x)
    assert torch.equal(result, torch.vmap(model)(x))
    assert look.layers[0].content is None


def test_wrong_model_is_refused():
    with pytest.raises(TypeError, match="`model`"):
        inspect(torch.zeros(1))


def test_nothing_run_says_so():
    with inspect(nn.ReLU()) as look:
        pass
    assert str(look).startswith("No layer ran")
    with pytest.raises(ValueError, match="no layer ran"):
        look.channel("conv1")


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


# --- nothing changes --------------------------------------------------------------------------


def step_bits(training_model, x, looking):
    """Loss, gradients and generator after a training step with dropout, as bytes."""
    torch.manual_seed(5)
    if looking:
        with inspect(training_model):
            out = training_model(x)
    else:
        out = training_model(x)
    loss = torch.Tensor.detach(out).sum()
    torch.autograd.backward(out, torch.linspace(0, 1, out.numel()).reshape(tuple(out.shape)))
    parameters = [p for p in training_model.parameters() if p.requires_grad]
    grads = [torch.Tensor.detach(p.grad).numpy().tobytes() for p in parameters]
    return loss.numpy().tobytes(), grads, torch.get_rng_state().numpy().tobytes()


def test_looking_changes_no_bit_of_a_torch_step():
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        Functional.__new__(Functional),
    )
    model[4] = nn.Sequential(nn.MaxPool2d(3, 1), nn.Flatten(), nn.Linear(64, 3))
    other = copy.deepcopy(model)
    x = torch.rand(6, 1, 8, 8)
    assert step_bits(model, x, True) == step_bits(other, x, False)


def test_looking_changes_no_bit_of_a_fluid_step():
    with fluid.dygraph.guard():

        class Net(fluid.dygraph.Layer):
            def __init__(self):
                super().__init__()
                self.conv = Conv2D(1, 4, 3, act="relu")
                self.pool = Pool2D(3, "max", 1)  # windows that overlap
                self.norm = BatchNorm(4, act="relu")
                self.drop = Dropout(0.5)
                self.fc = Linear(64, 3)

            def forward(self, x):
                x = self.drop(self.norm(self.pool(self.conv(x))))
                return self.fc(fluid.layers.reshape(x, [-1, 64]))

        def made():
            torch.manual_seed(2)
            return Net()

        x = fluid.dygraph.to_variable(np.random.default_rng(4).random((6, 1, 8, 8), np.float32))
        assert step_bits(made(), x, True) == step_bits(made(), x, False)


def test_graph_is_the_same_with_and_without():
    model = Functional(torch.relu_)

    def names(node):
        return [] if node is None else [node.name(), *[names(n) for n, _ in node.next_functions]]

    x = torch.rand(2, 1, 8, 8)
    alone = names(model(x).grad_fn)
    with inspect(model):
        assert names(model(x).grad_fn) == alone
