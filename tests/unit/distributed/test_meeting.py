"""Processes that cannot train together find it out when they meet, each by itself."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest

from refluid import env
from refluid.distributed.group import join
from refluid.distributed.meeting import meet
from refluid.distributed.port import reserve
from refluid.errors import DistributedError, RefluidError

TIMEOUT_S = 1.0


@pytest.fixture
def master():
    """An address that nobody else takes meanwhile."""
    with reserve("127.0.0.1") as bound:
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def met(master, *processes: tuple[int, int], timeout_s=TIMEOUT_S) -> list[object]:
    """What comes of processes, given as (rank, number of processes), that meet in threads."""
    found: list[object] = [None] * len(processes)

    def run(place: int, rank: int, world_size: int) -> None:
        try:
            found[place] = meet(rank, world_size, master, timeout_s)
        except DistributedError as error:
            found[place] = str(error)

    threads = [threading.Thread(target=run, args=(k, *each)) for k, each in enumerate(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    return found


def test_all_that_are_there_share_a_store(master):
    stores = met(master, (0, 3), (1, 3), (2, 3), timeout_s=20)
    stores[1].set("key", "value")
    assert [store.get("key") for store in stores] == [b"value"] * 3


def test_a_rank_that_is_missing_is_named(master):
    for found in met(master, (0, 4), (2, 4)):
        assert found.startswith("ranks 1, 3 of 4 did not arrive within 1 s")


def test_a_rank_that_is_there_twice_is_named(master):
    _, first, second = met(master, (0, 2), (1, 2), (1, 2))
    refused = [found for found in (first, second) if isinstance(found, str)]
    assert len(refused) == 1
    assert refused[0].startswith("rank 1 is there twice: give every process its own")


def test_ranks_that_count_differently_are_named(master):
    zero, one = met(master, (0, 2), (1, 3))
    assert zero.startswith("rank 1 of 2 did not arrive")
    assert one.startswith("rank 1 counts 3 processes, but rank 0 2:")


def test_an_address_where_nobody_listens_is_named(master):
    assert met(master, (1, 2)) == [
        f"rank 1 could not reach rank 0 at {master} within 1 s (Connection refused): was rank 0 "
        "started, is the address that of its machine, and does a firewall let the port through?"
    ]


def test_a_host_that_does_not_exist_is_named():
    with pytest.raises(DistributedError, match="rank 1 cannot find the host 'no.such.invalid'"):
        meet(1, 2, "no.such.invalid:1234", TIMEOUT_S)


def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DistributedError, match=f"the port {port} of 127.0.0.1 is in use"):
            meet(0, 2, f"127.0.0.1:{port}", TIMEOUT_S)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(DistributedError, match="192.0.2.1 is no address of this machine"):
        meet(0, 2, "192.0.2.1:1234", TIMEOUT_S)


def test_without_an_address_the_launcher_is_named():
    with pytest.raises(DistributedError, match="start the program by `refluid launch --nproc N`"):
        meet(0, 2, "", TIMEOUT_S)


@pytest.mark.parametrize("address", ["127.0.0.1", ":80", "host:", "host:x", "host:70000"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(DistributedError, match="must be HOST:PORT"):
        meet(0, 2, address, TIMEOUT_S)


@pytest.mark.parametrize(("rank", "world_size"), [("2", "2"), ("0", "0"), ("5", "1")])
def test_a_rank_outside_of_the_run_is_refused(monkeypatch, rank, world_size):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", world_size)
    with pytest.raises(DistributedError, match=f"this process has rank {rank}"):
        join("gloo")


def test_variables_that_do_not_agree_or_are_no_numbers_are_refused(monkeypatch):
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(RefluidError, match="PADDLE_TRAINER_ID is 1, but RANK is 0"):
        env.rank()
    monkeypatch.setenv("RANK", "x")
    with pytest.raises(RefluidError, match="RANK must be a whole number from 0, but is 'x'"):
        env.rank()
    monkeypatch.setenv(env.TIMEOUT, "-1")
    with pytest.raises(RefluidError, match="REFLUID_TIMEOUT must be a number of seconds above 0"):
        env.timeout_s()


def test_an_unknown_backend_is_refused():
    with pytest.raises(DistributedError, match="`backend` must be gloo or nccl, but is 'mpi'"):
        join("mpi")


def test_other_programs_in_one_of_the_processes_are_refused_in_both(master, tmp_path):
    text = "from refluid.distributed.meeting import meet\nmeet({}, 2, {!r}, 30)  # {}\n"
    started = []
    for rank in (0, 1):
        path = tmp_path / f"program{rank}.py"
        path.write_text(text.format("int(__import__('sys').argv[1])", master, rank))
        command = [sys.executable, str(path), str(rank)]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
    for process in started:
        _, err = process.communicate(timeout=50)
        assert process.returncode == 1
        assert err.splitlines()[-1].endswith(
            "rank 1 runs program1.py, whose text is not that of rank 0's program0.py: start the "
            "same program everywhere."
        )
