"""`fluid.io` gathers readers and loaders, the same objects as elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import reader
from refluid.paddle.batch import batch
from refluid.paddle.fluid import dataloader, io, layers
from refluid.paddle.fluid import reader as loaders
from refluid.paddle.fluid.dataloader import dataloader_iter
from refluid.paddle.fluid.dygraph import Linear, guard, save_dygraph, to_variable
from refluid.paddle.fluid.optimizer import AdamOptimizer


def test_names_are_those_of_the_other_modules():
    for module in (reader, loaders, dataloader):
        for name in module.__all__:
            assert getattr(io, name) is getattr(module, name)
    assert io.default_collate_fn is dataloader_iter.default_collate_fn
    assert io.batch is batch
    assert io.reader is loaders


def test_functions_of_the_static_graph_are_absent():
    for name in ("save", "load", "save_params", "save_inference_model"):
        assert not hasattr(io, name)


def test_parameters_are_told_from_variables():
    with guard():
        assert io.is_parameter(Linear(2, 2).weight)
        assert not io.is_parameter(to_variable(np.ones(1)))
    assert not io.is_parameter(3)


def test_state_of_a_program_is_read_without_one(tmp_path):
    with guard():
        linear = Linear(2, 2)
        adam = AdamOptimizer(0.1, parameter_list=linear.parameters())
        layers.mean(linear(to_variable(np.ones((1, 2), "float32")))).backward()
        adam.minimize(linear.weight)
        save_dygraph(linear.state_dict(), str(tmp_path / "a.b"))
        alone = io.load_program_state(tmp_path / "a.b")
        save_dygraph(adam.state_dict(), str(tmp_path / "a.b"))
        weight = linear.weight.numpy()
    assert list(alone) == ["weight", "bias", "StructuredToParameterName@@"]
    for name in ("a.b", "a.b.pdparams", "a.b.pdopt"):
        state = io.load_program_state(str(tmp_path / name), var_list=[])
        assert state["weight"].tolist() == weight.tolist()
        assert "linear_0.w_0_moment1_0" in state
    with pytest.raises(RuntimeError, match=r"there is no file \S+none\.pdparams"):
        io.load_program_state(str(tmp_path / "none"))
    with pytest.raises(TypeError):
        io.load_program_state(3)
