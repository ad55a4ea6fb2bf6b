"""Modes, programs, versions and parameters."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import framework
from refluid.paddle.fluid.core_avx import CPUPlace
from refluid.paddle.fluid.dygraph import Linear, to_variable
from refluid.paddle.fluid.dygraph.base import disable_dygraph, enable_dygraph, guard
from refluid.paddle.fluid.framework import ParamBase, Program


def test_modes_open_and_close():
    assert not framework.in_dygraph_mode()
    enable_dygraph()
    enable_dygraph()
    assert framework.in_dygraph_mode()
    disable_dygraph()
    disable_dygraph()
    assert not framework.in_dygraph_mode()
    with guard(CPUPlace()):
        assert framework.in_dygraph_mode()
    assert not framework.in_dygraph_mode()


def test_a_guard_takes_a_place():
    with pytest.raises(TypeError, match="`place` must be fluid.CPUPlace"), guard("cpu"):
        pass


def test_each_guard_has_its_own_seed():
    with guard():
        framework.default_main_program().random_seed = 7
        with guard():
            assert framework.default_main_program().random_seed == 0
        assert framework.default_main_program().random_seed == 7
    assert framework.default_main_program().random_seed == 0
    with pytest.raises(ValueError, match="`random_seed` must be an int"):
        framework.default_main_program().random_seed = 1.5


def test_program_guard_puts_programs_back():
    mine, before = Program(), framework.default_main_program()
    with pytest.raises(KeyError), framework.program_guard(mine):
        assert framework.default_main_program() is mine
        raise KeyError
    assert framework.default_main_program() is before
    with pytest.raises(TypeError, match="`main_program` must be a Program"):
        framework.program_guard(3).__enter__()


def test_required_versions_are_compared():
    framework.require_version("1.8.0")
    framework.require_version("1", "1.8.5")
    with pytest.raises(Exception, match=r"version 2\.0 of Paddle is required"):
        framework.require_version("2.0")
    with pytest.raises(Exception, match=r"1\.5 to 1\.7 of Paddle"):
        framework.require_version("1.5", "1.7")
    with pytest.raises(ValueError, match="must look like"):
        framework.require_version("1.8-beta")
    with pytest.raises(TypeError, match="`min_version` must be a str"):
        framework.require_version(1.8)


def test_parameters_have_positive_sizes():
    with pytest.raises(ValueError, match=r"`shape` must be positive ints, but received \[2, 0\]"):
        ParamBase([2, 0], "float32")
    integer = ParamBase([2], "int64")
    assert integer.stop_gradient


def test_places_are_listed():
    assert framework.cpu_places(2) == [CPUPlace(), CPUPlace()]
    assert framework.convert_np_dtype_to_dtype_(np.float32) == 5
    assert framework.dtype_is_floating("float16")
    assert framework.grad_var_name("w") == "w@GRAD"


def test_guards_of_the_static_graph_have_no_effect():
    with guard(), framework.name_scope("a"), framework.name_scope():
        assert Linear(2, 2).weight.name == "linear_0.w_0"
    with framework.device_guard("gpu"):
        assert framework.switch_device("cpu") == "gpu"
    assert framework.switch_device(None) is None
    with pytest.raises(ValueError, match='`device` must be "cpu", "gpu" or None'):
        framework.device_guard("gpu:0").__enter__()


def test_metaclasses_know_variables_and_parameters():
    class AnyVariable(metaclass=framework.VariableMetaClass):
        pass

    class AnyParameter(metaclass=framework.ParameterMetaClass):
        pass

    with guard():
        variable, parameter = to_variable(np.ones(1)), ParamBase([1], "float32")
    assert isinstance(variable, AnyVariable)
    assert isinstance(parameter, AnyVariable)
    assert isinstance(parameter, AnyParameter)
    assert not isinstance(variable, AnyParameter)
    assert not isinstance(3, AnyVariable)


def test_monkey_patches_change_nothing():
    before = dict(vars(framework.Variable))
    assert fluid.monkey_patch_variable() is None
    assert fluid.monkey_patch_varbase() is None
    assert dict(vars(framework.Variable)) == before
