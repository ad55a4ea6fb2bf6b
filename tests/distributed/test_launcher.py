"""What the launcher starts, shows, ends and leaves behind: nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import time

import pytest

TWO, THREE = ["--nproc_per_node=2"], ["--nproc_per_node=3"]
VARIABLES = """
import json, os
names = "RANK WORLD_SIZE LOCAL_RANK MASTER_ADDR MASTER_PORT PADDLE_TRAINER_ID PADDLE_TRAINERS_NUM"
names += " PADDLE_CURRENT_ENDPOINT PADDLE_TRAINER_ENDPOINTS FLAGS_selected_gpus OMP_NUM_THREADS"
names += " REFLUID_TIMEOUT REFLUID_RESTARTS"
print(json.dumps({name: os.environ.get(name) for name in names.split()}))
"""
# rank 1 fails when the others are there, which do not end by themselves, nor by SIGTERM
FAILS = """
import os, pathlib, signal, subprocess, sys, time
rank = os.environ["RANK"]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
pathlib.Path("there" + rank).touch()
if rank == "1":
    while not (os.path.exists("there0") and os.path.exists("there2")):
        time.sleep(0.01)
    print("before", flush=True)
    try:
        {}["cause"]
    except KeyError as error:
        raise ValueError("of rank 1") from error
time.sleep(1000)
"""
TRACEBACK = [
    "Traceback (most recent call last):",
    "KeyError: 'cause'",
    "The above exception was the direct cause of the following exception:",
    "Traceback (most recent call last):",
    "ValueError: of rank 1",
]
# notes the signal that asks for the end, and ends as its arguments say
WAITS = """
import os, pathlib, signal, sys, time
rank = os.environ["RANK"]
kind = sys.argv[1]
asked = []
if kind != "plain":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: asked.append(number))
pathlib.Path("there" + rank).touch()
if kind == "resumable" and rank == "1" and len(sys.argv) > 2:
    while not pathlib.Path("there0").exists():
        time.sleep(0.01)
    sys.exit(75)
while not asked or kind == "stubborn":
    time.sleep(0.01)
pathlib.Path("asked" + rank).write_text(str(asked[0]))
sys.exit(75)
"""


def test_processes_get_the_variables_of_paddle_and_of_torch(launch):
    launched = launch(VARIABLES, [*TWO, "--timeout=7"])
    status, out, err = launched.end()
    assert (status, err) == (0, [])
    found = {line[:4]: json.loads(line[4:]) for line in out}
    ports = [found[f"[{k}] "]["PADDLE_CURRENT_ENDPOINT"].split(":")[1] for k in (0, 1)]
    assert len(set(ports)) == 2
    for rank in ("0", "1"):
        assert found[f"[{rank}] "] == {
            "RANK": rank,
            "WORLD_SIZE": "2",
            "LOCAL_RANK": rank,
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": ports[0],
            "PADDLE_TRAINER_ID": rank,
            "PADDLE_TRAINERS_NUM": "2",
            "PADDLE_CURRENT_ENDPOINT": f"127.0.0.1:{ports[int(rank)]}",
            "PADDLE_TRAINER_ENDPOINTS": f"127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}",
            "FLAGS_selected_gpus": rank,
            "OMP_NUM_THREADS": "1",
            "REFLUID_TIMEOUT": "7",
            "REFLUID_RESTARTS": "0",
        }
    assert launched.left() == []


def test_cores_are_shared_out_unless_somebody_has_done_so(launch):
    cores = len(os.sched_getaffinity(0))
    launched = launch(VARIABLES, TWO, OMP_NUM_THREADS="")
    _, out, err = launched.end()
    threads = max(1, cores // 2)
    assert [json.loads(line[4:])["OMP_NUM_THREADS"] for line in out] == [str(threads)] * 2
    assert err == [
        f"refluid: 2 processes share {cores} cores, so OMP_NUM_THREADS is {threads} for each; set "
        "it to have another number."
    ]


def test_the_selected_gpus_number_the_processes(launch):
    status, out, _ = launch(VARIABLES, ["--selected_gpus=3,1"]).end()
    assert status == 0
    found = [json.loads(line[4:]) for line in out]
    assert {each["RANK"]: each["FLAGS_selected_gpus"] for each in found} == {"0": "3", "1": "1"}


def test_lines_are_whole_and_of_a_progress_bar_the_end_is_shown(launch):
    text = """
import os, sys
letter = "ab"[int(os.environ["RANK"])]
for k in range(300):
    for _ in range(10):
        sys.stdout.write(letter * 500)
    sys.stdout.write("\\n")
sys.stderr.write(f"10%\\r50%\\r{letter} 100%\\r\\n")
sys.stderr.write("no end")
"""
    status, out, err = launch(text, TWO).end()
    assert status == 0
    assert sorted(out) == [f"[0] {'a' * 5000}"] * 300 + [f"[1] {'b' * 5000}"] * 300
    assert sorted(err) == ["[0] a 100%", "[0] no end", "[1] b 100%", "[1] no end"]


def test_log_files_are_added_to(launch, tmp_path):
    text = "import os, sys; print('out', os.environ['RANK']); print('err', file=sys.stderr)"
    for _ in range(2):
        status, out, err = launch(text, [*TWO, "--log_dir", "a/log"]).end()
        assert (status, out, err) == (0, [], [])
    for rank in (0, 1):
        found = (tmp_path / f"a/log/workerlog.{rank}").read_text(encoding="utf-8")
        assert found == f"out {rank}\nerr\n" * 2


def plain(lines, prefix="[1] "):
    """The lines of a traceback that do not change with the version of Python."""
    lines = [line.removeprefix(prefix) for line in lines]
    return [line for line in lines if line and not line.startswith(" ")]


def test_a_failure_ends_all_and_is_shown_first_and_last(launch, wait_for):
    launched = launch(FAILS, THREE)
    wait_for("there1")
    began = time.monotonic()
    status, out, err = launched.end()
    assert status == 1
    assert time.monotonic() - began < 10
    assert out == ["[1] before"]
    assert plain(err) == [
        *TRACEBACK,
        "refluid: rank 1 of 3 failed with exit status 1.",
        "refluid: rank 1 of 3 failed with exit status 1; all have ended:",
        *TRACEBACK,
    ]
    assert launched.left() == []


def test_a_failure_that_is_in_a_log_file_is_shown(launch):
    text = (
        "import os, sys, time; sys.exit('words') if os.environ['RANK'] == '1' else time.sleep(99)"
    )
    launched = launch(text, [*TWO, "--log_dir=log"])
    status, out, err = launched.end()
    assert (status, out) == (1, [])
    assert err[-2:] == [
        "refluid: rank 1 of 2 failed with exit status 1; all have ended; in log/workerlog.1:",
        "[1] words",
    ]


@pytest.mark.parametrize(
    ("ends", "status", "said"),
    [
        ("sys.exit(3)", 3, "failed with exit status 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 139, "was killed by SIGSEGV"),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            137,
            "was killed by SIGKILL; if nobody did that, the machine ran out of memory",
        ),
    ],
)
def test_the_status_is_that_of_the_process_that_failed(launch, ends, status, said):
    text = f"import os, signal, sys, time\nif os.environ['RANK'] == '0': {ends}\ntime.sleep(99)"
    launched = launch(text, TWO)
    found, _, err = launched.end()
    assert (found, err[-1]) == (status, f"refluid: rank 0 of 2 {said}; all have ended.")


def test_of_two_failures_a_lost_connection_is_not_the_cause(launch):
    text = """
import os, pathlib, time
if os.environ["RANK"] == "0":
    pathlib.Path("lost").touch()
    raise RuntimeError("[tcp/pair.cc:537] Connection closed by peer [127.0.0.1]:3")
while not os.path.exists("lost"):
    time.sleep(0.01)
time.sleep(0.5)
raise ValueError("the cause")
"""
    status, _, err = launch(text, TWO).end()
    assert (status, err[-1]) == (1, "[1] ValueError: the cause")


def test_all_are_started_again_as_often_as_is_said(launch):
    text = """
import os, sys, time
restart, rank = int(os.environ["REFLUID_RESTARTS"]), os.environ["RANK"]
print("life", restart, flush=True)
if restart < int(sys.argv[1]):
    sys.exit(4) if rank == "1" else time.sleep(99)
"""
    launched = launch(text, [*TWO, "--max_restarts=2"], ["2"])
    status, out, err = launched.end()
    assert status == 0
    assert [line for line in out if line.startswith("[1]")] == [f"[1] life {k}" for k in range(3)]
    assert err[-1] == "refluid: all are started again: 2 of 2."
    launched = launch(text, [*TWO, "--max_restarts=1"], ["2"])
    status, out, err = launched.end()
    assert (status, [t for t in out if t.startswith("[1]")]) == (4, ["[1] life 0", "[1] life 1"])
    assert launched.left() == []


def test_what_has_stopped_and_can_go_on_asks_the_others_to_stop_too(launch, tmp_path):
    launched = launch(WAITS, [*TWO, "--max_restarts=3"], ["resumable", "now"])
    status, _, err = launched.end()
    assert status == 75
    assert err == ["refluid: rank 1 has stopped and can go on; the others are asked to stop."]
    assert (tmp_path / "asked0").read_text() == str(int(signal.SIGTERM))
    assert launched.left() == []


@pytest.mark.parametrize(
    ("kind", "sent", "status"),
    [
        ("resumable", signal.SIGINT, 75),
        ("resumable", signal.SIGTERM, 75),
        ("plain", signal.SIGTERM, 143),
        ("plain", signal.SIGINT, 130),
    ],
)
def test_a_signal_reaches_all_and_ends_all(launch, wait_for, tmp_path, kind, sent, status):
    launched = launch(WAITS, [*TWO, "--max_restarts=3"], [kind])
    wait_for("there0", "there1")
    launched.process.send_signal(sent)
    found, _, err = launched.end()
    assert found == status
    assert err[0] == f"refluid: {sent.name}: handed on to all processes."
    if kind == "resumable":
        assert [(tmp_path / f"asked{k}").read_text() for k in (0, 1)] == [str(int(sent))] * 2
    assert launched.left() == []


def test_a_second_interrupt_kills_what_does_not_end(launch, wait_for):
    launched = launch(WAITS, TWO, ["stubborn"])
    wait_for("there0", "there1")
    launched.process.send_signal(signal.SIGINT)
    while "SIGINT" not in (line := launched.process.stderr.readline()):
        assert line
    launched.process.send_signal(signal.SIGINT)
    status, _, _ = launched.end(timeout=20)
    assert status == 130
    assert launched.left() == []


def test_nothing_is_left_when_the_launcher_is_killed(launch, wait_for):
    launched = launch(FAILS.replace('rank == "1"', "False"), TWO)
    wait_for("there0", "there1")
    # two processes, a child of each, the guard, the launcher
    assert len(launched.running()) == 6
    launched.process.kill()
    assert launched.end()[0] == -signal.SIGKILL
    assert launched.left() == []


def test_what_a_process_leaves_behind_is_ended_too(launch):
    text = FAILS.replace('rank == "1"', "False").replace("time.sleep(1000)\n", "pass\n")
    launched = launch(text.replace("; pass", "; time.sleep(1000)"), TWO)
    status, _, _ = launched.end()
    assert status == 0
    assert launched.left() == []


def test_a_port_in_use_is_named(launch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, out, err = launch("print(1)", [*TWO, f"--started_port={port}"]).end()
    assert (status, out) == (2, [])
    assert err[-1].startswith(f"refluid: the port {port} of 127.0.0.1 is in use by another program")


@pytest.mark.skipif(os.path.exists("/dev/nvidia0"), reason="this machine has a GPU")
def test_without_gpus_one_has_to_say_how_many_processes(launch):
    status, out, err = launch("print(1)").end()
    assert (status, out) == (2, [])
    assert "there is none on this machine" in err[-1]
    assert "--nproc_per_node=N" in err[-1]


def test_a_reader_that_goes_away_ends_all(launch):
    text = "import time\nwhile True: print('x' * 1000, flush=True); time.sleep(0.001)"
    launched = launch(text, TWO)
    assert launched.process.stdout.readline().startswith("[")
    launched.process.stdout.close()
    launched.process.stderr.read()
    assert launched.process.wait(20) == 141
    assert launched.left() == []
