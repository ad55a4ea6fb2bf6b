"""A program for two processes in which something goes wrong: what, its first argument says."""

import os
import signal
import sys
import time

import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph.nn import Linear

kind = sys.argv[1]
rank = fluid.dygraph.parallel.Env().local_rank
with fluid.dygraph.guard(fluid.CPUPlace()):
    strategy = fluid.dygraph.parallel.prepare_context()
    model = fluid.dygraph.parallel.DataParallel(Linear(3, 2), strategy)
    for step in range(3 if kind == f"ends early {rank}" else 5):
        if step == 3 and kind == f"fails {rank}":
            raise ValueError("the cause")
        if step == 3 and kind == f"hangs {rank}":
            time.sleep(1000)
        if step == 3 and kind == f"stops {rank}":
            os.kill(os.getpid(), signal.SIGSTOP)
        x = fluid.dygraph.to_variable(np.ones((4, 3), "float32"))
        loss = model.scale_loss(fluid.layers.mean(model(x)))
        loss.backward()
        model.apply_collective_grads()
        model.clear_gradients()
