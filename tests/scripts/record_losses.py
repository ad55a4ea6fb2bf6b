"""Run a fluid program and write the loss of every training step, as the bits of a float32.

    python -m refluid record_losses.py PROGRAM OUT [NUM_STEPS]

The program itself is not touched: what it calls, `minimize`, is watched. After NUM_STEPS steps it
is stopped. OUT has one line for each step.
"""

import runpy
import sys

import paddle.fluid as fluid

program, out = sys.argv[1:3]
last = int(sys.argv[3]) if len(sys.argv) > 3 else None
losses = []
minimize = fluid.optimizer.AdamOptimizer.minimize


def watched(self, loss, *args, **kwargs):
    losses.append(float(loss.numpy()[0]).hex())
    result = minimize(self, loss, *args, **kwargs)
    if len(losses) == last:
        raise SystemExit(0)
    return result


fluid.optimizer.AdamOptimizer.minimize = watched
sys.argv = [program]
try:
    runpy.run_path(program, run_name="__main__")
finally:
    with open(out, "w") as f:
        f.write("\n".join(losses) + "\n")
