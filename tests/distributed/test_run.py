"""One `Run` of several processes: they stop together, and go on as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from refluid.observe.journal.reader import JournalReader

PROGRAM = Path(__file__).parent / "run_scenes.py"
TEXT = PROGRAM.read_text(encoding="utf-8")
Told = dict[tuple[str, int], dict[str, Any]]


def told(lines: list[str]) -> Told:
    """Return what the ranks said, by scene and rank."""
    found = [json.loads(line[line.index("{") :]) for line in lines if "{" in line]
    return {(each["scene"], each["rank"]): each for each in found}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scenes")


@pytest.fixture(scope="module")
def scenes(folder: Path, launch_in: Callable[..., Any]) -> Told:
    launched = launch_in(folder, TEXT, ["--nproc_per_node=2", "--timeout=80"], ["."])
    status, out, err = launched.end(timeout=150)
    assert status == 0, "\n".join(err)
    return told(out)


def both(scenes: Told, scene: str) -> list[dict[str, Any]]:
    return [scenes[scene, rank] for rank in range(2)]


def journal_losses(run: Path) -> list[str]:
    with JournalReader(run / "run.sqlite") as reader:
        steps, losses = reader.curve("loss")
    assert steps.tolist() == list(range(len(steps)))
    return [loss.hex() for loss in losses.tolist()]


pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_each_sample_is_used_by_one_rank_once_an_epoch(scenes):
    used = [each["used"] for each in both(scenes, "uninterrupted")]
    half = len(used[0]) // 2
    assert sorted(used[0][:half] + used[1][:half]) == list(range(22))
    assert sorted(used[0][half:] + used[1][half:]) == list(range(22))


def test_signal_in_one_rank_stops_all_and_both_go_on_as_bits(scenes):
    whole, stopped = both(scenes, "uninterrupted"), both(scenes, "stopped")
    assert [each["status"] for each in stopped] == [75, 75]
    assert len(stopped[0]["before"]) == len(stopped[1]["before"]) == 5
    for rank in range(2):
        assert stopped[rank]["before"] + stopped[rank]["after"] == whole[rank]["losses"]
    assert whole[0]["losses"] != whole[1]["losses"]


def test_journal_has_each_step_of_rank_0_once(scenes, folder):
    assert journal_losses(folder / "stopped") == scenes["uninterrupted", 0]["losses"]


def test_loop_that_one_rank_ends_has_as_many_steps_in_all_with_or_without_a_stop(scenes):
    # called in the third step, it ends the fourth; in the last of an epoch, that
    assert [each["num_steps"] for each in both(scenes, "ended")] == [[4, 4, 6], [4, 4, 6]]


def test_parameter_that_one_rank_has_set_is_named_when_it_is_saved(scenes, folder):
    for each in both(scenes, "set in one"):
        assert each["error"].startswith(
            "DistributedError: the parameters of rank 1 are not those of rank 0 any more: "
            "`objects.model.module.2.bias`."
        )
    assert not (folder / "set" / "checkpoints" / "step-00000006").exists()


def test_fluid_program_is_stopped_in_all_ranks_and_goes_on_as_bits(scenes):
    for each in both(scenes, "fluid"):
        assert len(each["whole"]) == 10
        assert each["again"] == each["whole"][3:]


def test_parameter_of_fluid_that_one_rank_has_set_is_named(scenes):
    for each in both(scenes, "fluid set in one"):
        assert each["error"].startswith(
            "DistributedError: the parameters of rank 1 are not those of rank 0 any more: "
            "`objects.model.0.bias`"
        )


def test_all_ranks_end_at_one_step_whenever_each_learns_that_a_save_has_failed(scenes):
    first, second = both(scenes, "fluid ended")
    assert first["last_step"] == second["last_step"]


def test_other_directories_are_refused_before_anything_is_written(scenes, folder):
    for each in both(scenes, "directories"):
        assert each["error"].startswith("RunError: rank 1 has '")
    assert not list(folder.glob("mine-*"))


def test_more_batches_in_one_rank_are_an_error_in_all(scenes):
    for each in both(scenes, "more batches"):
        assert "step 2 is the last of its epoch in some ranks and not in others" in each["error"]


def test_checkpoint_holds_rank_0_whole_and_of_rank_1_what_differs(scenes, folder):
    (newest, *_) = sorted((folder / "whole" / "checkpoints").glob("step-*"), reverse=True)
    sizes = {path.name: path.stat().st_size for path in newest.iterdir()}
    assert sizes.keys() == {
        *("manifest.json", "state.json", "state.safetensors"),
        *("state-1.json", "state-1.safetensors"),
    }
    shared = json.loads((newest / "state-1.json").read_text())["shared"]
    assert "objects.model.module.0.weight" in shared
    assert not any(name.startswith("generators") for name in shared if name != "generators.numpy")


def test_one_process_goes_on_with_a_run_of_two(scenes, folder):
    done = subprocess.run(
        [sys.executable, "-m", "refluid", str(PROGRAM), ".", "left-to-one", "left-as-list"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    alone = told(done.stdout.splitlines())
    used = [each["used"] for each in both(scenes, "left-to-one")]
    assert sorted([*used[0], *used[1], *alone["left-to-one again", 0]["used"]]) == list(range(22))
    assert "world size: 2 before, 1 now; the numbers may differ from here on" in done.stderr
    assert (
        "only `refluid.Batches` can be divided anew. Start 2 processes"
        in alone["left-as-list goes on", 0]["error"]
    )


@pytest.fixture(scope="module")
def three(scenes: Told, folder: Path, launch_in: Callable[..., Any]) -> Told:
    options = ["--nproc_per_node=3", "--timeout=40"]
    launched = launch_in(folder, TEXT, options, [".", "left-to-three", "backwards"])
    status, out, err = launched.end(timeout=150)
    assert status == 0, "\n".join(err)
    return told(out)


def test_three_processes_go_on_with_a_run_of_two(scenes, three):
    used = [each["used"] for each in both(scenes, "left-to-three")]
    used += [three["left-to-three again", rank]["used"] for rank in range(3)]
    assert sorted(number for numbers in used for number in numbers) == list(range(22))
    assert len({three["left-to-three again", rank]["drawn"] for rank in range(3)}) == 3


def test_three_processes_add_gradients_in_one_order_also_in_their_first_step(three):
    for rank in range(3):
        assert three["backwards", rank]["again"] == three["backwards", rank]["whole"]


def test_rank_that_is_killed_is_started_again_with_the_others_and_all_go_on_as_bits(
    scenes, tmp_path, launch
):
    options = ["--nproc_per_node=2", "--timeout=40", "--max_restarts=1"]
    launched = launch(TEXT, options, [".", "killed"])
    status, _, err = launched.end(timeout=100)
    assert status == 0, "\n".join(err)
    assert "refluid: all are started again: 1 of 1." in err
    assert any(line.startswith("[0] refluid: killed goes on after step") for line in err)
    assert journal_losses(tmp_path / "killed") == scenes["uninterrupted", 0]["losses"]
