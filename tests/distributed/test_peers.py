"""When a process fails, ends early or hangs: the error names it, and nothing waits forever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
PROGRAM = (Path(__file__).parent / "peers.py").read_text(encoding="utf-8")
# a process for PyTorch; rank 1 is killed in its first life, when all have met
NATIVE = """
import os, sys
import torch
from torch.nn.parallel import DistributedDataParallel
import refluid.distributed

group = refluid.distributed.join()
torch.manual_seed(group.rank)
model = DistributedDataParallel(torch.nn.Linear(2, 1))
if group.rank == 1 and os.environ.get("REFLUID_RESTARTS") == "0":
    os.kill(os.getpid(), 9)
model(torch.full((1, 2), float(group.rank + 1))).sum().backward()
refluid.distributed.check_same(model)
print(model.module.weight.grad.tolist(), torch.distributed.get_world_size())
"""


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("fails 1", "ValueError: the cause"),
        (
            "ends early 1",
            "PeerLost: rank 0 cannot sum the gradients: rank 1 has come to its end, after 3 sums "
            "of gradients, and this is number 4: give every rank the same number of batches, as "
            "fluid.contrib.reader.distributed_batch_reader does.",
        ),
        (
            "hangs 0",
            "PeerLost: rank 1 cannot sum the gradients: rank 0 has not arrived within 12 s, so it "
            "hangs or needs longer (`--timeout`).",
        ),
        (
            "stops 0",
            "PeerLost: rank 1 cannot sum the gradients: rank 0 has ended or does not answer any "
            "more. If it came to its end without an error, give every rank the same number of "
            "batches, as fluid.contrib.reader.distributed_batch_reader does.",
        ),
    ],
)
def test_the_error_names_rank_and_cause(launch, kind, said):
    # it is waited out by these two; all have to meet within it, on a busy machine too
    timeout = 12 if kind in ("hangs 0", "stops 0") else 50
    launched = launch(PROGRAM, ["--nproc_per_node=2", f"--timeout={timeout}"], [kind])
    status, _, err = launched.end()
    assert status == 1
    assert err[-1].endswith(said)
    assert launched.left() == []


@pytest.mark.timeout(150)
def test_two_nodes_train_and_start_again_together(launch):
    options = ["--cluster_node_ips=127.0.0.1,127.0.0.2", "--nproc_per_node=1", "--timeout=40"]
    options += ["--max_restarts=1", f"--started_port={20000 + os.getpid() % 20000}"]
    nodes = [
        launch(NATIVE, [*options, f"--node_ip=127.0.0.{k + 1}"], [], f"node{k}.py") for k in (0, 1)
    ]
    for rank, node in enumerate(nodes):
        status, out, err = node.end(timeout=140)
        assert (status, out) == (0, [f"[{rank}] [[1.5, 1.5]] 2"]), err
        assert err[-1] == "refluid: all are started again: 1 of 1."
        assert node.left() == []


def test_without_a_launcher_a_program_for_torch_is_a_group_of_one():
    done = subprocess.run(
        [sys.executable, "-c", NATIVE], capture_output=True, text=True, timeout=50
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[[1.0, 1.0]] 1\n", "")
