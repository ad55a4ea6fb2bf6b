"""The parts of Paddle's launcher, and processes started by them."""

from __future__ import annotations

import argparse
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from refluid.paddle.distributed import utils
from refluid.paddle.distributed.utils import Cluster, Hdfs, JobServer, Pod, Trainer, TrainerProc

IPS = ["10.0.0.1", "10.0.0.2"]
ENDPOINTS = [[f"{ip}:{port}" for port in (6170, 6171)] for ip in IPS]


def job() -> tuple[Cluster, Pod]:
    return utils.get_cluster(IPS, "10.0.0.2", ENDPOINTS, ["0", "1"])


def test_cluster_numbers_processes_over_all_machines() -> None:
    cluster, pod = job()
    assert pod is cluster.pods[1]
    assert [[t.rank for t in p.trainers] for p in cluster.pods] == [[0, 1], [2, 3]]
    assert cluster.trainers_endpoints() == ENDPOINTS[0] + ENDPOINTS[1]
    assert (cluster.trainers_nranks(), cluster.pods_nranks()) == (4, 2)
    assert [t.gpus for t in pod.trainers] == [["0"], ["1"]]


def test_cluster_prints_as_in_paddle() -> None:
    """Recorded from Paddle 1.8.5."""
    assert str(job()[1]) == (
        "rank:1 id:None addr:10.0.0.2 port:None visible_gpu:[] trainers:"
        "[\"gpu:['0'] endpoint:10.0.0.2:6170 rank:2\", "
        "\"gpu:['1'] endpoint:10.0.0.2:6171 rank:3\"]"
    )
    assert str(Cluster(None)) == "job_server:None pods:[] job_stage_flag:None hdfs:None"
    assert str(Hdfs()) == "hdfs_ugi:None hdfs_name:None hdfs_pathNone"
    assert str(JobServer()) == "None"


def test_equal_jobs_are_equal() -> None:
    (first, _), (second, pod) = job(), job()
    assert first == second
    pod.trainers[0].gpus = ["7"]
    assert first != second
    assert (first == 3, pod == 3, Trainer() == 3) == (False, False, False)
    assert Hdfs() == Hdfs()
    assert JobServer() == JobServer()


def test_cluster_takes_over_and_finds_machines() -> None:
    cluster, pod = job()
    other = Cluster(None)
    other.update_pods(cluster)
    assert other == cluster
    pod.id, pod.port = "b", 80
    assert cluster.get_pod_by_id("b") is pod
    assert cluster.get_pod_by_id("c") is None
    with pytest.raises(AssertionError, match="not a valid endpoint"):
        cluster.pods_endpoints()
    cluster.pods = [pod]
    assert cluster.pods_endpoints() == ["10.0.0.2:80"]
    with pytest.raises(AssertionError, match="can't see any gpus"):
        pod.get_visible_gpus()
    pod.gpus = [0, 1]
    assert pod.get_visible_gpus() == "0,1"


def test_job_that_cannot_be_is_refused() -> None:
    with pytest.raises(AssertionError, match="`trainer_endpoints` must be a list"):
        utils.get_cluster(IPS, IPS[0], tuple(ENDPOINTS), ["0"])
    with pytest.raises(AssertionError, match=r"10\.0\.0\.1 has 2, but there are 3"):
        utils.get_cluster(IPS, IPS[0], ENDPOINTS, ["0", "1", "2"])
    with pytest.raises(ValueError, match=r"'10\.0\.0\.9' is not in list"):
        utils.get_cluster(IPS, "10.0.0.9", ENDPOINTS, ["0"])


def test_hdfs_is_valid_when_all_is_given() -> None:
    hdfs = Hdfs()
    hdfs.hdfs_ugi = hdfs.hdfs_name = "a"
    assert not hdfs.is_valid()
    hdfs.hdfs_path = "b"
    assert hdfs.is_valid()


def test_free_ports_are_different_and_free() -> None:
    ports = utils.find_free_ports(20)
    assert len(ports) == 20
    with socket.socket() as probe:
        probe.bind(("", next(iter(ports))))


def test_host_has_a_name() -> None:
    found = utils.get_host_name_ip()
    assert found is None or found[0] == socket.gethostname()


def test_options_are_added_with_their_default() -> None:
    parser = argparse.ArgumentParser()
    utils.add_arguments("rate", float, 0.1, "The rate.", parser)
    utils.add_arguments("fast", bool, True, "Whether.", parser, metavar="YES")
    assert vars(parser.parse_args([])) == {"rate": 0.1, "fast": True}
    assert vars(parser.parse_args(["--rate=1", "--fast=no"])) == {"rate": 1.0, "fast": 0}
    assert "The rate. Default: 0.1." in parser.format_help()
    with pytest.raises(SystemExit):
        parser.parse_args(["--fast=perhaps"])


def test_logger_writes_level_time_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    logger = utils.get_logger(logging.INFO, "test_of_get_logger")
    logger.info("hello")
    logger.debug("not this")
    assert capsys.readouterr().err.startswith("INFO ")
    assert logger.level == logging.INFO


# --- processes ----------------------------------------------------------------------------------


@pytest.fixture
def started() -> Iterator[list[TrainerProc]]:
    processes: list[TrainerProc] = []
    yield processes
    utils.terminate_local_procs(processes)


def start(script: str, folder: Path, processes: list[TrainerProc]) -> list[TrainerProc]:
    path = folder / "program.py"
    path.write_text(script)
    cluster, pod = utils.get_cluster(["127.0.0.1"], "127.0.0.1", [["a:1", "a:2"]], ["0", "1"])
    processes += utils.start_local_trainers(cluster, pod, str(path), ["--x"], str(folder / "log"))
    return processes


def wait(processes: list[TrainerProc]) -> None:
    for process in processes:
        process.proc.wait(30)


def test_processes_run_the_program_with_their_rank(
    started: list[TrainerProc], tmp_path: Path
) -> None:
    script = "import os, sys\nprint(sys.argv[1], *[os.environ[name] for name in (\n" + (
        "'PADDLE_TRAINER_ID', 'PADDLE_TRAINERS_NUM', 'PADDLE_CURRENT_ENDPOINT',\n"
        "'PADDLE_TRAINER_ENDPOINTS', 'FLAGS_selected_gpus')])\n"
    )
    wait(start(script, tmp_path, started))
    assert utils.watch_local_trainers(started, 2) is False
    logs = [(tmp_path / "log" / f"workerlog.{k}").read_text() for k in (0, 1)]
    assert logs == ["--x 0 2 a:1 a:1,a:2 0\n", "--x 1 2 a:2 a:1,a:2 1\n"]


def test_one_that_fails_ends_the_others(started: list[TrainerProc], tmp_path: Path) -> None:
    script = (
        "import os, time\n"
        "if os.environ['PADDLE_TRAINER_ID'] == '1':\n    raise SystemExit(3)\ntime.sleep(60)\n"
    )
    start(script, tmp_path, started)
    started[1].proc.wait(30)
    begin = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        while utils.watch_local_trainers(started, 2):
            pass
    assert ended.value.code == 1
    assert started[0].proc.poll() is not None
    assert time.monotonic() - begin < 30


def test_running_processes_are_reported(started: list[TrainerProc], tmp_path: Path) -> None:
    start("import time\ntime.sleep(60)\n", tmp_path, started)
    assert utils.watch_local_trainers(started, 2) is True
