"""Measure how much memory each process of a split AlexNet has, beside a process with all of it.

    python benchmarks/split_memory.py [--stages 2] [--batch-size 16]

The network is AlexNet with its 61 million parameters, trained with momentum for a few steps. Each
process tells its resident memory after importing torch and at its end, and the highest one between.
Starts its processes itself, on the loopback interface, with one thread each.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path

MIB = 1 << 20


def resident(name: str) -> float:
    """Return a line of this process's status in MiB: VmRSS, or VmHWM for the highest."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no {name}")


def alexnet():
    """Yield the layers of AlexNet."""
    from torch import nn

    sizes = [(3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1)]
    for number, (in_, out, kernel, stride, padding) in enumerate([*sizes, (256, 256, 3, 1, 1)]):
        yield nn.Conv2d(in_, out, kernel, stride, padding)
        yield nn.ReLU()
        if number in (0, 1, 4):
            yield nn.MaxPool2d(3, 2)
    yield nn.Flatten()
    yield nn.Linear(256 * 6 * 6, 4096)
    yield nn.ReLU()
    yield nn.Linear(4096, 4096)
    yield nn.ReLU()
    yield nn.Linear(4096, 1000)


def train(batch_size: int, num_steps: int) -> dict[str, object]:
    """Train this process's part; return what it measured."""
    import torch
    from torch.nn import functional

    from refluid.distributed.pipeline import split

    begin = resident("VmRSS")
    torch.manual_seed(1)
    model = split(alexnet, loss=functional.cross_entropy, num_microbatches=4)
    built = resident("VmHWM")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    generator = torch.Generator().manual_seed(2)
    losses = []
    for _ in range(num_steps):
        images = torch.randn(batch_size, 3, 224, 224, generator=generator)
        labels = torch.randint(0, 1000, (batch_size,), generator=generator)
        optimizer.zero_grad()
        losses.append(model.step(images, labels).item())
        optimizer.step()
    return {
        "parameters_mib": sum(p.numel() * p.element_size() for p in model.parameters()) / MIB,
        "begin_mib": begin,
        "built_mib": built - begin,
        "end_mib": resident("VmRSS") - begin,
        "highest_mib": resident("VmHWM") - begin,
        "losses": losses,
    }


def measure(num_processes: int, arguments: list[str]) -> list[dict[str, float]]:
    """Start processes and return what each measured."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    common = {
        "OMP_NUM_THREADS": "1",
        "WORLD_SIZE": str(num_processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "REFLUID_DEVICE": "cpu",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, "--worker", *arguments],
            env={**os.environ, **common, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(num_processes)
    ]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("a process has failed")
    return [json.loads(output) for output in outputs]


def main() -> None:
    """Measure one process and several, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stages", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(train(given.batch_size, given.steps)))
        return
    arguments = ["--batch-size", str(given.batch_size), "--steps", str(given.steps)]
    whole = measure(1, arguments)
    parts = measure(given.stages, arguments)
    print(f"{platform.machine()}, Python {platform.python_version()}, batch {given.batch_size}")
    print("| process | parameters | built, highest | trained | trained, highest |")
    print("|---|---:|---:|---:|---:|")
    names = ["unsplit", *(f"stage {k}" for k in range(given.stages))]
    for name, row in zip(names, [*whole, *parts], strict=True):
        keys = ("parameters_mib", "built_mib", "end_mib", "highest_mib")
        print(f"| {name} | " + " | ".join(f"{row[key]:.0f} MiB" for key in keys) + " |")
    apart = max(
        abs(a - b) for a, b in zip(whole[0]["losses"], parts[0]["losses"], strict=True)
    )  # fmt: skip
    print(f"losses of {given.steps} steps differ by at most {apart:.1e}")


if __name__ == "__main__":
    main()
