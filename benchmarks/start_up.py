"""Time whole programs of one training step: plain, as two processes, and with parameter servers.

    python benchmarks/start_up.py [--rounds 5] [--out benchmarks]

What a launched program takes more than the plain one is what launching costs: its start, its first
step and its end. The commands take turns, so that whatever else the machine does falls on all
alike. To reach on two cores: 2 s more with collectives, 8 s more with a parameter server, which
needs Ray (`pip install ray`) and is left out where that is missing.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parent
# each trains alone, and as it is launched
PROGRAMS = {
    "fluid": """
import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph import DataParallel, Linear, guard, to_variable
from paddle.fluid.dygraph.parallel import prepare_context

with guard(fluid.CPUPlace()):
    model = DataParallel(Linear(784, 10), prepare_context())
    adam = fluid.optimizer.Adam(parameter_list=model.parameters())
    loss = fluid.layers.mean(model(to_variable(np.ones((100, 784), "float32"))))
    loss = model.scale_loss(loss)
    loss.backward()
    model.apply_collective_grads()
    adam.minimize(loss)
""",
    "torch": """
import torch
from refluid.distributed import join, server

model = torch.nn.Linear(784, 10)
adam = torch.optim.Adam(model.parameters())
if MODE == "ps":
    server.serve(model, adam)
elif MODE == "collective":
    join()
    model = torch.nn.parallel.DistributedDataParallel(model)
model(torch.ones(100, 784)).mean().backward()
adam.step()
""",
}
LAUNCH = [sys.executable, "-c", "from refluid.cli import main; main()", "launch"]
COMMANDS = {
    "plain": [sys.executable, "-m", "refluid"],
    "collective": [*LAUNCH, "--nproc", "2"],
    "ps": [*LAUNCH, "--mode", "ps", "--servers", "2", "--trainers", "2"],
}
TO_REACH = {"collective": 2, "ps": 8}


def measure(command: list[str], folder: Path) -> float:
    """Return the seconds that a command takes."""
    variables = {**os.environ, "PYTHONPATH": str(FOLDER.parent / "src"), "OMP_NUM_THREADS": "1"}
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, env=variables, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def table(found: dict[tuple[str, str], list[float]], rounds: int) -> str:
    """Return the figures as Markdown."""
    lines = [
        f"# Programs of one step, launched and plain, {date.today()}",
        "",
        f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, one "
        f"thread for each process; medians of {rounds} rounds, in turns.",
        f"`python benchmarks/start_up.py --rounds {rounds}`",
        "",
        "| program | started as | whole program, s | over plain, s | to reach |",
        "|---|---|---|---|---|",
    ]
    for (program, mode), seconds in found.items():
        whole = statistics.median(seconds)
        more = whole - statistics.median(found[program, "plain"])
        reach = TO_REACH.get(mode, "")
        lines.append(f"| {program} | {mode} | {whole:.2f} | {more:.2f} | {reach} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=FOLDER)
    args = parser.parse_args()
    with_ray = importlib.util.find_spec("ray") is not None
    if not with_ray:
        print("Ray is not installed (pip install ray): no parameter server is measured.")
    modes = [mode for mode in COMMANDS if mode != "ps" or with_ray]
    found: dict[tuple[str, str], list[float]] = {
        (program, mode): [] for program in PROGRAMS for mode in modes
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(args.rounds):
            for (program, mode), seconds in found.items():
                script = folder / f"{program}_{mode}.py"
                script.write_text(f"MODE = {mode!r}\n{PROGRAMS[program]}")
                seconds.append(measure([*COMMANDS[mode], script.name], folder))
    text = table(found, args.rounds)
    print(text)
    machine = f"{platform.machine()}-{os.cpu_count()}-cores"
    (args.out / f"start-up_{machine}_{date.today()}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
