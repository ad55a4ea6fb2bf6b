"""Train when told to: each line `N` on standard input runs N steps and answers their seconds.

`worker.py CONTENDER` runs under the contender's own interpreter (Python 3.7 for Paddle 1.8). The
last answer, to an empty line, is the peak memory of the process in MiB.
"""

import importlib
import os
import resource
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

steps = importlib.import_module(sys.argv[1]).train()
for line in iter(sys.stdin.readline, "\n"):
    start = time.perf_counter()
    for _ in range(int(line)):
        next(steps)
    print(time.perf_counter() - start, flush=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0, flush=True)
