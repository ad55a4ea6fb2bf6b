"""Paddle 1.8's options of the launcher mean what they mean there, and nonsense is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from refluid import env
from refluid.distributed import fluid_launch
from refluid.distributed.launch import Launch
from refluid.errors import DistributedError

# (option, default), as Paddle 1.8.5 has them
OF_PADDLE = {
    "cluster_node_ips": "127.0.0.1",
    "node_ip": "127.0.0.1",
    "use_paddlecloud": False,
    "started_port": None,
    "print_config": True,
    "selected_gpus": None,
    "log_level": 20,
    "log_dir": None,
}


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    """Whatever GPUs this machine has, none is asked for."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv(env.DEVICE, "cpu")


def read(*arguments: str) -> Launch:
    return fluid_launch.read(fluid_launch.parser().parse_args([*arguments, __file__]))


def test_the_options_are_paddle_s_with_their_defaults():
    args = fluid_launch.parser().parse_args(["train.py", "--lr", "0.1"])
    assert {name: getattr(args, name) for name in OF_PADDLE} == OF_PADDLE
    assert (args.training_script, args.training_script_args) == ("train.py", ["--lr", "0.1"])


def test_one_process_is_started_for_each_gpu():
    launch = read("--selected_gpus=2,0", "--log_dir=log", "--timeout=3", "--max_restarts=4")
    assert (launch.num_processes, launch.gpus, launch.endpoints) == (2, ["2", "0"], [])
    assert (launch.log_dir, launch.timeout_s, launch.max_restarts) == (Path("log"), 3.0, 4)
    assert read("--nproc_per_node=3").gpus == ["0", "1", "2"]


def test_selected_gpus_are_places_among_the_visible_ones(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,7")
    assert read("--selected_gpus=7,4").gpus == ["2", "0"]
    with pytest.raises(DistributedError, match="GPU 6 is not among CUDA_VISIBLE_DEVICES 4,5,7"):
        read("--selected_gpus=4,6")


def test_processes_of_several_nodes_are_counted_through():
    launch = read(
        "--cluster_node_ips=10.0.0.1,10.0.0.2", "--node_ip=10.0.0.2", "--selected_gpus=0,1"
    )
    assert (launch.num_nodes, launch.node_rank, launch.world_size) == (2, 1, 4)
    assert launch.endpoints == [f"10.0.0.{n}:{port}" for n in (1, 2) for port in (6070, 6071)]
    assert read("--started_port=7000", "--selected_gpus=0").endpoints == ["127.0.0.1:7000"]


def test_paddlecloud_says_which_nodes_there_are(monkeypatch):
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "2")
    with pytest.raises(DistributedError, match="PADDLE_TRAINERS and POD_IP"):
        read("--use_paddlecloud", "--selected_gpus=0")
    monkeypatch.setenv("PADDLE_TRAINERS", "10.0.0.1,10.0.0.2")
    monkeypatch.setenv("POD_IP", "10.0.0.2")
    launch = read("--use_paddlecloud", "--selected_gpus=0")
    assert (launch.node_rank, launch.endpoints) == (1, ["10.0.0.1:6170", "10.0.0.2:6170"])
    monkeypatch.setenv("DISTRIBUTED_TRAINER_ENDPOINTS", "10.0.0.1:1,10.0.0.2:2")
    launch = read("--use_paddlecloud", "--selected_gpus=0")
    assert launch.endpoints == ["10.0.0.1:1", "10.0.0.2:2"]
    with pytest.raises(
        DistributedError, match="has 2 entries, but 2 nodes with 2 processes need 4"
    ):
        read("--use_paddlecloud", "--selected_gpus=0,1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "there is none on this machine that can be used: give `--nproc_per_node=N`"),
        (("--selected_gpus=0,x",), "must be different numbers such as 0,1,2,3, but is '0,x'"),
        (("--selected_gpus=1,1",), "must be different numbers such as 0,1,2,3, but is '1,1'"),
        (("--nproc_per_node=0",), "`--nproc_per_node` must be at least 1, but is 0"),
        (("--nproc_per_node=3", "--selected_gpus=0,1"), "is 3, but `--selected_gpus` names 2"),
        (("--nproc_per_node=2", "--started_port=65535"), "must be from 1 to 65534"),
        (("--nproc_per_node=1", "--node_ip=10.0.0.9"), "none of `--cluster_node_ips` 127.0.0.1"),
        (("--nproc_per_node=1", "--timeout=0"), "`timeout` must be above 0 s, but is 0"),
        (("--nproc_per_node=1", "--max_restarts=-1"), "`max_restarts` must be at least 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(arguments, said):
    with pytest.raises(DistributedError, match=re.escape(said)):
        read(*arguments)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"num_processes": 0}, "`num_processes` must be at least 1"),
        ({"num_nodes": 2, "node_rank": 2, "master": "a:1"}, "`node_rank` must be from 0 to 1"),
        ({"num_nodes": 2}, "`master` is missing"),
        ({"command": []}, "the program is missing"),
        ({"command": ["no/such/program.py"]}, "there is no program 'no/such/program.py'"),
    ],
)
def test_a_launch_that_cannot_be_is_refused(settings, said):
    with pytest.raises(DistributedError, match=said):
        Launch(**{"command": [__file__], "num_processes": 1, **settings})


def test_truth_is_read_from_words():
    read_one = fluid_launch.parser().parse_args
    assert not read_one(["--print_config=False", "x"]).print_config
    assert read_one(["--print_config=True", "x"]).print_config
