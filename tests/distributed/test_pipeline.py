"""A model split over processes trains as the unsplit one, and says what is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

import pipeline_program as program
import refluid

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAM = Path(program.__file__)
# a machine that is busy with other things starts processes slowly
DEADLINE_S = 100
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * DEADLINE_S)]
UNSPLIT = 1e-5
HAS_PROC = Path("/proc/self/status").exists()


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def start(num_processes, folder, *command, timeout_s=20):
    """Start the processes; return them."""
    common = {
        "OMP_NUM_THREADS": "1",
        "WORLD_SIZE": str(num_processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "REFLUID_DEVICE": "cpu",
        "REFLUID_TIMEOUT": str(timeout_s),
    }
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env={**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(num_processes)
    ]


def finish(processes):
    """Wait for processes, and leave none behind; return status, output and errors of each."""
    try:
        return [(p.wait(DEADLINE_S), *p.communicate(timeout=DEADLINE_S)) for p in processes]
    finally:
        for process in processes:
            process.kill()


def results(output):
    """Return what a process said before it got into trouble."""
    return json.loads(output.splitlines()[0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pipeline")


@pytest.fixture(scope="module")
def two_ended(folder):
    """What two processes came to: they do all of this, and then a layer of the last one fails."""
    return finish(
        start(
            2, folder, PROGRAM, "trains", "unsplit_state_is_loaded",
            "first_batch_leaves_no_trace", "frozen_half", "refusals", "fluid_trains",
            "run_goes_on", *(["memory"] if HAS_PROC else []), "fails",
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def two(two_ended):
    """What two processes found."""
    assert all(output for _, output, _ in two_ended), two_ended
    return [results(output) for _, output, _ in two_ended]


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """What three processes came to: they train, and then the last one is killed within a step."""
    return finish(start(3, tmp_path_factory.mktemp("three"), PROGRAM, "trains", "killed"))


@pytest.fixture(scope="module")
def whole():
    """The unsplit network, trained, and its losses."""
    torch.manual_seed(1)
    model, losses = nn.Sequential(*program.network()), []
    optimizer = program.sgd(model.parameters())
    for images, labels in program.batches():
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


# --- training -------------------------------------------------------------------------------------


def test_two_processes_train_as_the_unsplit_model(two, whole):
    for found in two:
        losses = [float.fromhex(loss) for loss in found["trains"]["losses"]]
        assert len(losses) == 24
        assert losses == pytest.approx(whole[1], rel=0, abs=UNSPLIT)


def test_two_processes_and_one_give_the_same_bits(two):
    alone = program.train(program.split_network(num_stages=2))
    assert two[0]["trains"]["losses"] == alone
    assert two[1]["trains"]["losses"] == alone


def test_prediction_is_the_same_in_every_process(two, whole):
    found = [torch.tensor(one["trains"]["prediction"]) for one in two]
    assert torch.equal(*found)
    expected = whole[0](next(program.batches())[0][:7])
    torch.testing.assert_close(found[0], expected, rtol=0, atol=UNSPLIT)


def test_each_process_has_its_own_part_only(two, whole):
    first, second = (found["trains"]["own"] for found in two)
    assert first
    assert second
    assert first + second == list(whole[0].state_dict())


@pytest.mark.skipif(not HAS_PROC, reason="this system does not tell a process's memory")
def test_each_process_has_memory_for_its_own_part_only(two):
    # half of 4 layers of 36 MiB, and their gradients
    for found in two:
        assert 72 <= found["memory"]["built"] < 72 + 30
        assert 144 <= found["memory"]["trained"] < 144 + 50


def test_three_processes_train_as_one(three):
    alone = program.train(program.split_network(num_stages=3))
    for _, output, _ in three[:2]:
        assert results(output)["trains"]["losses"] == alone


def test_learning_the_shapes_leaves_no_trace(two):
    for found in two:
        found = found["first_batch_leaves_no_trace"]
        assert not found["drawn"]
        assert found["untouched"] == [0.0]
        # two parts of a batch
        assert found["counted"] == [2.0]


def test_a_stage_that_is_not_trained_passes_no_gradients(two):
    assert [found["frozen_half"]["moved"] for found in two] == [False, True]
    losses = two[0]["frozen_half"]["losses"]
    assert losses == two[1]["frozen_half"]["losses"]
    assert len(set(losses)) == len(losses)


def test_fluid_layers_train_as_the_unsplit_model_bit_for_bit(two, folder):
    refluid.install()
    # only after that does its `paddle` mean refluid's
    import fluid_network

    fluid = fluid_network.fluid
    with fluid.dygraph.guard():
        fluid.default_main_program().random_seed = 1
        model = fluid.dygraph.Sequential(*fluid_network.layers())

        def step(images, labels):
            value = fluid_network.loss(model(images), labels)
            value.backward()
            return value

        losses = fluid_network.train(model.parameters(), step)
        assert [found["fluid_trains"]["losses"] for found in two] == [losses] * 2
        saved, _ = fluid.load_dygraph(str(folder / "fluid"), keep_name_table=True)
        table = saved.pop("StructuredToParameterName@@")
        state = model.state_dict()
        assert {name: value.numpy().tobytes() for name, value in state.items()} == {
            name: value.tobytes() for name, value in saved.items()
        }
        assert table == {name: value.name for name, value in state.items()}


# --- state ----------------------------------------------------------------------------------------


def test_state_of_a_split_model_is_loaded_by_the_unsplit_one(two, folder):
    assert two[1]["trains"]["state"] == []
    state = torch.load(folder / "network.pt", weights_only=True)
    model = nn.Sequential(*program.network())
    model.load_state_dict(state)
    assert list(state) == list(model.state_dict())
    prediction = torch.tensor(two[0]["trains"]["prediction"])
    own = model(next(program.batches())[0][:7])
    torch.testing.assert_close(own, prediction, rtol=0, atol=UNSPLIT)


def test_state_of_the_unsplit_model_is_loaded_by_a_split_one(two):
    for found in two:
        found = found["unsplit_state_is_loaded"]
        assert (found["same"], found["back"], found["still"]) == (True, True, True)
    assert [found["fluid_trains"]["back"] for found in two] == [True, True]


def test_a_state_that_does_not_fit_is_refused_by_all(two):
    for found in two:
        text = found["unsplit_state_is_loaded"]["misfit"]
        assert text.startswith("CheckpointError: `state_dict` does not fit the model: ")
        assert "`other` is not of this model; `0.weight` is missing" in text


def test_a_run_of_the_stages_goes_on_bit_for_bit(two):
    for found in two:
        found = found["run_goes_on"]
        assert len(found["whole"]) == 6
        # a signal in the third step is agreed on in the fourth
        assert found["begun"] == found["whole"][:4]
        assert found["rest"] == found["whole"][4:]


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("stages", "ValueError: `num_stages` must be at most 1"),
        ("count", "`num_stages` 3, the number of processes 2"),
        ("divisible", "ValueError: `inputs` must have a number of samples that `num_microbatches`"),
        ("lengths", "ValueError: `inputs` and `target` must have as many samples, but have 16"),
        ("calls", "rank 1 is to predict with a batch of [16, 1, 8, 8] float32, but rank 0 to make"),
        ("targets", "DistributedError: rank 1 has another `target` than rank 0: every process"),
        ("shapes", "rank 1 is to predict with a batch of [5, 1, 8, 8] float32, but rank 0 to"),
        ("models", "rank 1 splits another model than rank 0"),
    ],
)
def test_bad_input_is_refused_in_every_process(two, case, expected):
    for found in two:
        assert expected in found["refusals"][case]


def test_after_refusals_it_still_works(two):
    assert {found["refusals"]["loss"] for found in two} == {two[0]["trains"]["losses"][0]}


def test_a_killed_stage_is_named_by_the_others(three):
    assert [status for status, _, _ in three] == [1, 1, -signal.SIGKILL]
    for rank in (0, 1):
        # what it trained before, and the loss of one step
        assert len(three[rank][1].splitlines()) == 2
        last = three[rank][2].strip().splitlines()[-1]
        assert f"PeerLost: rank {rank} cannot make a step: " in last
        assert "rank 2 is gone" in last


def test_an_error_in_a_stage_is_its_own_and_not_a_lost_peer(two_ended):
    (first, _, told), (second, _, own) = two_ended
    assert (first, second) == (1, 1)
    assert "RuntimeError: this layer cannot go on" in own
    assert "PeerLost" not in own
    assert "rank 1 has failed with RuntimeError" in told.strip().splitlines()[-1]


def test_a_stage_that_hangs_is_named_within_the_timeout(tmp_path):
    waiting, hanging = start(2, tmp_path, PROGRAM, "hangs", timeout_s=2)
    try:
        # no results, and the loss of the step before
        assert waiting.stdout.readline() == "{}\n"
        assert waiting.stdout.readline()
        began = time.monotonic()
        status, _, told = (*finish([waiting])[0],)
        assert status == 1
        assert time.monotonic() - began < 30
        assert "rank 1 has not arrived within 2 s" in told.strip().splitlines()[-1]
    finally:
        hanging.kill()
        hanging.communicate()


# --- examples -------------------------------------------------------------------------------------


def test_the_example_of_a_split_network_learns(tmp_path):
    pytest.importorskip("sklearn", reason="the examples train on scikit-learn's digits")
    found = finish(start(2, tmp_path, EXAMPLES / "split_alexnet.py"))
    assert [status for status, _, _ in found] == [0, 0], found
    first, *epochs, unsplit = found[0][1].splitlines()
    assert first == "process 0 has 86,336 of 154,698 parameters"
    assert found[1][1] == "process 1 has 68,362 of 154,698 parameters\n"
    right = [float(line.split(", ")[1].split("%")[0]) for line in epochs]
    assert len(right) == 3
    assert right[-1] > 50
    assert unsplit == f"unsplit: {right[-1]}% of the test images right"


def test_the_example_of_two_heads_learns(tmp_path):
    pytest.importorskip("sklearn", reason="the examples train on scikit-learn's digits")
    [(status, output, told)] = finish(
        start(1, tmp_path, "-m", "refluid", EXAMPLES / "two_heads.py")
    )
    assert status == 0, told
    first, *_, last = (line.replace(",", "").split() for line in output.splitlines())
    assert float(last[5]) < float(first[5])
    assert float(last[-1]) < float(first[-1]) < 0.25
