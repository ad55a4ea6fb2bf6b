"""A model is taken apart, and only the layers that are kept stay in memory."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch import nn

import refluid
from refluid.distributed.pipeline.layers import build, sizes_bytes

refluid.install()
# only after that does it mean refluid's
import paddle.fluid as fluid  # noqa: E402


class Own(nn.Sequential):
    def forward(self, value):
        return super().forward(value) + value


class Extra(nn.Linear):
    def get_extra_state(self):
        return "text"


def test_a_layer_that_is_not_kept_is_gone_before_the_next_is_made():
    made, alive = [], []

    def layers():
        for _ in range(6):
            alive.append([number for number, ref in enumerate(made) if ref() is not None])
            layer = nn.Linear(2, 2)
            made.append(weakref.ref(layer))
            yield layer
            del layer

    kept = build(layers, [2, 4], [1]).kept
    assert alive == [[], [], [], [2], [2, 3], [2, 3]]
    assert list(kept[1]) == ["2", "3"]


def test_random_numbers_are_drawn_as_for_the_whole_model():
    def layers():
        for size in (2, 3, 4):
            yield nn.Linear(size, size + 1)

    torch.manual_seed(1)
    whole = nn.Sequential(*layers()).state_dict()
    torch.manual_seed(1)
    found = build(layers, [1], [1])
    state = {f"{n}.{k}": v for n, m in found.kept[1].items() for k, v in m.state_dict().items()}
    assert list(state) == ["1.weight", "1.bias", "2.weight", "2.bias"]
    assert all(torch.equal(value, whole[name]) for name, value in state.items())
    assert [entry.name for entry in found.entries] == list(whole)


def test_sizes_are_learned_without_memory_and_without_a_draw():
    def layers():
        # 40 TB
        yield nn.Linear(10**7, 10**6)
        yield nn.ReLU()
        yield "last", nn.Linear(2, 2, bias=False)

    before = torch.get_rng_state()
    assert sizes_bytes(layers) == [4 * (10**13 + 10**6), 0, 16]
    assert torch.equal(before, torch.get_rng_state())


def test_a_fluid_model_keeps_names_and_classes():
    with fluid.dygraph.guard():
        model = fluid.dygraph.Sequential(
            ("a", fluid.dygraph.Linear(2, 3)), ("b", fluid.dygraph.BatchNorm(3))
        )
        entries = build(model, [1], [0]).entries
        assert [(entry.name, entry.own_name, entry.stage) for entry in entries] == [
            (name, value.name, int(name[0] == "b")) for name, value in model.state_dict().items()
        ]
        assert {entry.kind for entry in entries} == {type(model["a"].weight)}
        assert sizes_bytes(model) == [4 * 9, 4 * 12]


class Elsewhere(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2, device="cpu"))


@pytest.mark.parametrize("make", [lambda: fluid.dygraph.Linear(2, 3), Elsewhere])
def test_sizes_that_cannot_be_learned_are_not_guessed(make):
    with (
        fluid.dygraph.guard(),
        pytest.raises(ValueError, match="`boundaries` must be given: the sizes of the layers"),
    ):
        sizes_bytes(lambda: [make()])


def test_a_parameter_of_two_stages_is_refused():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    model = nn.Sequential(first, nn.ReLU(), second)
    with pytest.raises(ValueError, match="`0.weight` of stage 0 and `2.weight` of stage 1 are one"):
        build(model, [2], [0])
    # within one stage it is none of our business
    assert len(build(nn.Sequential(*model, nn.Linear(2, 2)), [3], [0]).entries) == 6


@pytest.mark.parametrize(
    ("model", "error", "text"),
    [
        (nn.Linear(2, 2), TypeError, "but Linear has a forward() of its own"),
        (Own(nn.Linear(2, 2)), TypeError, "but Own has a forward() of its own"),
        ("alexnet", TypeError, "`model` must be nn.Sequential, fluid's Sequential, or a function"),
        (lambda: [nn.ReLU(), 3], TypeError, "number 1 is int of the name '1'"),
        (lambda: [("a", nn.ReLU()), ("a", nn.ReLU())], TypeError, "number 1 is ReLU of the name"),
        (nn.Sequential(nn.Linear(2, 2)), ValueError, "numbers of layers below 1"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), ValueError, "stage 1 has no parameters"),
        (
            nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, affine=False)),
            ValueError,
            "stage 1 has no parameters",
        ),
        (nn.Sequential(Extra(2, 2), nn.Linear(2, 2)), ValueError, "`0._extra_state`, which is no"),
    ],
)
def test_what_cannot_be_split_is_refused(model, error, text):
    with pytest.raises(error) as caught:
        build(model, [1], [0])
    assert text in str(caught.value)
