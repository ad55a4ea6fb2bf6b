from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from refluid.checkpoint import read_state
from refluid.errors import CheckpointError
from refluid.paddle import fluid
from refluid.paddle.fluid.dygraph import BatchNorm, Linear, PolynomialDecay, to_variable

GOLDEN = Path(__file__).parents[4] / "golden" / "checkpoint"
NAME_TABLE = "StructuredToParameterName@@"


class Net(fluid.dygraph.Layer):
    """The network of tests/conformance/checkpoint_program.py."""

    def __init__(self):
        super().__init__()
        self.fc, self.bn = Linear(3, 2), BatchNorm(3)

    def forward(self, x):
        return self.fc(self.bn(x))


def step(net, optimizer, number):
    x = to_variable(np.sin(np.arange(12, dtype="float32") + number).reshape(4, 3))
    x.stop_gradient = False  # Paddle's BatchNorm cannot go back to an input without a gradient
    loss = fluid.layers.mean(fluid.layers.square(net(x) - 1.0))
    loss.backward()
    optimizer.minimize(loss)
    net.clear_gradients()


def adam(net):
    return fluid.optimizer.Adam(PolynomialDecay(0.1, 9, 0.01), parameter_list=net.parameters())


@pytest.fixture
def guard():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


@pytest.fixture
def prefix(tmp_path):
    return str(tmp_path / "folder" / "model")


@pytest.mark.usefixtures("guard")
class TestSave:
    def test_the_first_value_decides_the_suffix(self, prefix):
        net = Net()
        fluid.save_dygraph(net.state_dict(), prefix)
        fluid.save_dygraph({k: v.numpy() for k, v in net.state_dict().items()}, prefix)
        assert sorted(os.listdir(os.path.dirname(prefix))) == ["model.pdopt", "model.pdparams"]

    def test_parameters_are_kept_under_structured_names_with_a_table_of_their_own(self, prefix):
        net = Net()
        fluid.save_dygraph(net.state_dict(), prefix)
        state = read_state(prefix + ".pdparams")
        assert state[NAME_TABLE]["fc.weight"] == "linear_0.w_0"
        for name, variable in net.state_dict().items():
            assert state[name].tobytes() == variable.numpy().tobytes()

    def test_numbers_and_dictionaries_are_kept_as_they_are(self, prefix):
        fluid.save_dygraph({"LR_Scheduler": {"step_num": 5}, "n": 2.5}, prefix)
        expected = {"LR_Scheduler": {"step_num": 5}, "n": 2.5, NAME_TABLE: {}}
        assert read_state(prefix + ".pdopt") == expected

    def test_an_empty_state_is_refused(self, prefix):
        with pytest.raises(AssertionError, match="`state_dict` is empty"):
            fluid.save_dygraph({}, prefix)

    def test_a_path_without_a_file_name_is_refused(self, prefix):
        with pytest.raises(AssertionError, match="`model_path` must end in a file name"):
            fluid.save_dygraph(Net().state_dict(), prefix + "/")

    def test_a_value_that_is_no_state_is_refused_by_its_name(self, prefix):
        with pytest.raises(TypeError, match=r"\['net'\] is a .*Net; a checkpoint holds arrays"):
            fluid.save_dygraph({"net": Net()}, prefix)


@pytest.mark.usefixtures("guard")
class TestLoad:
    @pytest.mark.parametrize("suffix", ["", ".pdparams", ".pdopt"])
    def test_the_prefix_and_either_file_name_load_both_files(self, suffix):
        params, state = fluid.load_dygraph(str(GOLDEN / "adam_decay") + suffix)
        assert list(params) == ["fc.weight", "fc.bias", *(f"bn.{n}" for n in BATCH_NORM)]
        assert state["LR_Scheduler"] == {"step_num": 3}
        assert state["global_step"].tolist() == [3]

    def test_parameters_are_plain_arrays(self):
        params, _ = fluid.load_dygraph(str(GOLDEN / "adam_decay"))
        assert {type(value) for value in params.values()} == {np.ndarray}

    def test_the_name_table_is_removed_from_the_parameters_alone(self):
        params, state = fluid.load_dygraph(str(GOLDEN / "adam_decay"))
        assert NAME_TABLE not in params
        assert NAME_TABLE in state
        params, _ = fluid.load_dygraph(str(GOLDEN / "adam_decay"), keep_name_table=True)
        assert params[NAME_TABLE]["bn._mean"] == "batch_norm_0.w_1"

    def test_no_optimizer_state_is_none(self, prefix):
        fluid.save_dygraph(Net().state_dict(), prefix)
        assert fluid.load_dygraph(prefix)[1] is None

    def test_no_parameters_is_a_runtime_error_even_beside_an_optimizers_state(self, prefix):
        fluid.save_dygraph({"n": 1}, prefix)
        with pytest.raises(RuntimeError, match=r"there is no file .*model\.pdparams"):
            fluid.load_dygraph(prefix)

    @pytest.mark.parametrize("suffix", [".pdparams", ".pdopt"])
    def test_a_damaged_file_of_the_two_is_named(self, prefix, suffix):
        fluid.save_dygraph(Net().state_dict(), prefix)
        fluid.save_dygraph({"n": 1}, prefix)
        damaged = Path(prefix + suffix)
        damaged.write_bytes(damaged.read_bytes()[:-20])
        with pytest.raises(CheckpointError, match=rf"model\{suffix} cannot be loaded"):
            fluid.load_dygraph(prefix)

    def test_training_goes_on_from_paddles_files_with_paddles_numbers(self):
        params, state = fluid.load_dygraph(str(GOLDEN / "adam_decay"))
        net = Net()
        optimizer = adam(net)
        net.set_dict(params)
        optimizer.set_dict(state)
        step(net, optimizer, 3)
        recorded = json.loads((GOLDEN / "adam_decay.next.json").read_text())
        for name, variable in net.state_dict().items():
            expected = np.reshape(recorded[name]["values"], recorded[name]["shape"])
            np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-5, atol=1e-6)

    def test_training_resumes_to_the_last_bit(self, prefix):
        net = Net()
        optimizer = adam(net)
        for number in range(3):
            step(net, optimizer, number)
        fluid.save_dygraph(net.state_dict(), prefix)
        fluid.save_dygraph(optimizer.state_dict(), prefix)
        step(net, optimizer, 3)
        with fluid.dygraph.guard(fluid.CPUPlace()):
            params, state = fluid.load_dygraph(prefix)
            resumed = Net()
            optimizer = adam(resumed)
            resumed.set_dict(params)
            optimizer.set_dict(state)
            step(resumed, optimizer, 3)
            for name, variable in resumed.state_dict().items():
                assert variable.numpy().tobytes() == net.state_dict()[name].numpy().tobytes()


BATCH_NORM = ("weight", "bias", "_mean", "_variance")


def test_outside_of_a_guard_both_raise_assertion_error(prefix):
    with pytest.raises(AssertionError, match="save_dygraph works in the dynamic graph only"):
        fluid.save_dygraph({"n": 1}, prefix)
    with pytest.raises(AssertionError, match="load_dygraph works in the dynamic graph only"):
        fluid.load_dygraph(prefix)
