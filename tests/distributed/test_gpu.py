"""With one GPU: a process on it, and NCCL with a group of one."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that torch can use"),
]

NCCL = """
import torch
import refluid.distributed
from refluid.distributed.gradients import GradientSum

group = refluid.distributed.join("nccl")
model = torch.nn.Linear(3, 2).to(group.device)
refluid.distributed.broadcast(model)
summed = GradientSum(group, list(model.parameters()))
for _ in range(2):
    model.zero_grad()
    model(torch.ones(4, 3, device=group.device)).sum().backward()
    expected = [p.grad.clone() for p in model.parameters()]
    summed.apply()
    assert all(map(torch.equal, expected, [p.grad for p in model.parameters()]))
refluid.distributed.check_same(model)
print(group.device, torch.distributed.get_backend())
"""
FLUID = """
import numpy as np
import paddle.fluid as fluid

place = fluid.CUDAPlace(fluid.dygraph.parallel.Env().dev_id)
with fluid.dygraph.guard(place):
    strategy = fluid.dygraph.parallel.prepare_context()
    model = fluid.dygraph.parallel.DataParallel(fluid.dygraph.nn.Linear(3, 2), strategy)
    loss = fluid.layers.mean(model(fluid.dygraph.to_variable(np.ones((4, 3), "float32"))))
    loss = model.scale_loss(loss)
    loss.backward()
    model.apply_collective_grads()
    print(loss.place, model._layers.weight.gradient().tolist())
"""


def test_nccl_sums_the_gradients_of_a_group_of_one():
    done = subprocess.run([sys.executable, "-c", NCCL], capture_output=True, text=True, timeout=55)
    assert (done.returncode, done.stdout) == (0, "cuda:0 nccl\n"), done.stderr


def test_a_program_is_launched_on_a_gpu(launch):
    status, out, err = launch(FLUID, ["--selected_gpus=0"]).end()
    assert (status, out) == (0, ["[0] CUDAPlace(0) [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]"]), err
