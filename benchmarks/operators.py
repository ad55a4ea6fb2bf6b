"""What an operator costs beside the torch calls that it makes, for every operator.

    python benchmarks/operators.py [--rounds 40] [--only TEXT] [--out FOLDER]

operators.txt holds a call of each with small inputs, where what surrounds the arithmetic shows. A
call is made once while torch tells which of its functions run, with which arguments. Then the call
and a bare replay of these functions take turns, in short rounds, and of each the fastest round
counts, since everything else that a machine does only adds. The difference is what refluid adds:
names, checks, wrapping, Paddle's rules. Of a layer the replay is a torch.nn.Module, which is what
calls a layer here too. Gradients are recorded in both; one thread. The table is printed and written
to benchmarks/operators_<machine>_<date>.md.
"""

from __future__ import annotations

import argparse
import datetime
import math
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

from refluid.paddle import fluid

FOLDER = Path(__file__).parent
LIMIT = 20.0  # microseconds that an operator may add
ROUND_S = 0.001  # how long one of the two works before it is the other's turn
PASSES = 5  # through all calls, so that a disturbance of seconds does not fall on some alone

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


# these ask what a tensor is, or make a plain one of a variable
ASKS = {"__get__", "__set__", "size", "dim", "numel", "as_subclass", "is_floating_point", "stride"}
OVERWRITES = {"__setitem__", "__iadd__", "__isub__", "__imul__", "__iand__", "__ior__"}


class Recorder(TorchFunctionMode):
    """Note the torch functions that compute, with their arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a function and note it."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name not in ASKS:
            # in front of the call, which may change what its arguments hold
            overwrites = name in OVERWRITES or (name[-1:] == "_" and name[-2:] != "__")
            self.calls.append((func, *kept((args, kwargs), overwrites)))
        return func(*args, **kwargs)


def kept(arguments: Any, overwrites: bool) -> Any:
    """Return arguments with plain tensors in place of variables, copies if they are overwritten."""

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.is_leaf:  # a leaf again: what gathers its gradient is part of torch's work
            plain = tensor.detach().as_subclass(torch.Tensor).requires_grad_(tensor.requires_grad)
        else:
            plain = tensor.as_subclass(torch.Tensor)
        return plain.clone() if overwrites else plain

    return tree_map_only(torch.Tensor, keep, arguments)


def inputs() -> dict[str, Any]:
    """Return what the calls of operators.txt are made of."""
    rng, D = np.random.RandomState(1), fluid.dygraph

    def floats(*shape: int, low: float = 0.1, needs_gradient: bool = True) -> Any:
        made = D.to_variable(rng.uniform(low, 0.9, shape).astype("float32"))
        made.stop_gradient = not needs_gradient
        return made

    def ints(*shape: int, high: int = 4, low: int = 0) -> Any:
        return D.to_variable(rng.randint(low, high, shape).astype("int64"))

    def ints32(*shape: int) -> Any:
        return D.to_variable(np.ones(shape, "int32"))

    corners = rng.uniform(0.0, 0.4, [4, 2])
    corners = np.concatenate([corners, corners + 0.5], axis=1).astype("float32")
    boxes, boxes3 = D.to_variable(corners), D.to_variable(corners[None])
    edges = D.to_variable(np.array([[[1, 2], [1, 3], [2, 4]]] * 2, "int32"))
    names: dict[str, Any] = {
        "fluid": fluid, "L": fluid.layers, "array": np.ones((4, 8), "float32"),
        "x": floats(4, 8), "y": floats(4, 8), "tall": floats(8, 4), "square": floats(4, 4),
        "flat": floats(4 * 8 * 8, 3), "wide": floats(8, 8), "three": floats(4, 3),
        "stack": floats(2, 4, 4), "single": floats(4, 1, 8), "vector": floats(8),
        "one": floats(1, needs_gradient=False), "rows": floats(4, 8),
        "image": floats(2, 4, 8, 8), "volume": floats(2, 4, 4, 4, 4), "channel": floats(4),
        "theta": floats(2, 2, 3), "grid": floats(2, 8, 8, 2), "positive": floats(4, 8),
        "probability": floats(4, 1), "zero_one": floats(4, 1, needs_gradient=False),
        "gates": floats(4, 12), "hidden": floats(4, 4), "sequence": floats(5, 2, 6),
        "sequence2": floats(2, 5, 6), "ids": ints(4, 8, low=1), "column": ints(4, 1),
        "column0": ints(4, 1, high=1), "column1": ints(4), "lengths": ints(2, low=5, high=6),
        "lengths2": ints(2, 1, low=5, high=6), "targets": ints(2, 2, low=1, high=5),
        "target_lengths": ints(2, low=2, high=3), "beams": ints(3, 2, 2, high=2),
        "flags": D.to_variable(rng.uniform(0, 1, [4, 8]) > 0.5),
        "choice": D.to_variable(rng.randint(0, 2, [4, 1]).astype("int32")),
        "labels": floats(4, needs_gradient=False),
        "batch_norm": D.BatchNorm(4), "bilinear": D.BilinearTensorProduct(8, 8, 3),
        "conv2d": D.Conv2D(4, 4, 3), "conv2d_transpose": D.Conv2DTranspose(4, 4, 3),
        "conv3d": D.Conv3D(4, 4, 3), "conv3d_transpose": D.Conv3DTranspose(4, 4, 3),
        "dropout": D.Dropout(0.5), "embedding": D.Embedding([8, 4]),
        "group_norm": D.GroupNorm(4, 2), "gru_unit": D.GRUUnit(12),
        "instance_norm": D.InstanceNorm(4), "layer_norm": D.LayerNorm(8),
        "linear": D.Linear(8, 4), "linear_relu": D.Linear(8, 4, act="relu"),
        "pool2d": D.Pool2D(2, pool_stride=2), "prelu": D.PRelu("all"),
        "spectral_norm": D.SpectralNorm([4, 8]), "bce_loss": D.BCELoss(), "l1_loss": D.L1Loss(),
        "mse_loss": D.MSELoss(), "nll_loss": D.NLLLoss(), "nce": D.NCE(8, 8),
        "boxes": boxes, "boxes3": boxes3, "overlaps": floats(3, 4, needs_gradient=False),
        "scores": floats(1, 3, 4, needs_gradient=False), "cvm": floats(4, 2),
        "rois_lod": D.to_variable(np.array([0, 2, 4])), "yolo": floats(1, 14, 4, 4),
        "column_int32": ints32(4, 1), "one_int32": ints32(1), "image_size": ints32(1, 2),
        "gt_label": ints32(1, 4),
        "tree_conv": D.TreeConv(4, 3), "nodes": floats(2, 4, 4), "edges": edges,
    }  # fmt: skip
    return names


def replay(calls: list[Call]) -> Callable[[], None]:
    """Return a function that makes the recorded calls and nothing else."""
    if len(calls) == 1:
        function, args, kwargs = calls[0]
        return lambda: function(*args, **kwargs)

    def run() -> None:
        for function, args, kwargs in calls:
            function(*args, **kwargs)

    return run


def as_layer(forward: Callable[[], None]) -> torch.nn.Module:
    """Return a layer that does this and nothing else."""
    layer = torch.nn.Module()
    layer.forward = forward
    return layer


def seconds(function: Callable[[], Any], number: int) -> float:
    """Return how long a call takes, as the mean of `number`."""
    start = time.perf_counter()
    for _ in range(number):
        function()
    return (time.perf_counter() - start) / number


class Contest:
    """A call and the torch functions that it runs, and how long each takes, in microseconds."""

    def __init__(self, text: str, names: dict[str, Any]) -> None:
        self.text = text
        self._call = eval(f"lambda: {text}", names)
        self._call()
        with Recorder() as recorder:
            self._call()
        self._torch_only: Callable[[], Any] = replay(recorder.calls)
        if isinstance(names.get(text.split("(")[0]), torch.nn.Module):
            self._torch_only = as_layer(self._torch_only)
        self._torch_only()
        self._number = max(1, int(ROUND_S / seconds(self._call, 3)))
        self.functions = [getattr(function, "__name__", "?") for function, _, _ in recorder.calls]
        self.ours = self.torch = math.inf

    def take_turns(self) -> None:
        """Time both once more, and keep the times that are the shortest so far."""
        self.ours = min(self.ours, 1e6 * seconds(self._call, self._number))
        self.torch = min(self.torch, 1e6 * seconds(self._torch_only, self._number))

    @property
    def added(self) -> float:
        """What refluid adds to what torch takes."""
        return self.ours - self.torch

    @property
    def added_each(self) -> float:
        """The same for each torch function that is called."""
        return self.added / max(1, len(self.functions))


def table(results: list[Contest]) -> str:
    """Return the results as a Markdown table, the slowest first."""
    lines = [
        "| call | us | torch, us | ratio | added, us | for each function | torch functions |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in sorted(results, key=lambda result: -result.added):
        ratio = f"{r.ours / r.torch:.1f}" if r.torch > 0.5 else "-"
        numbers = f"{r.ours:.1f} | {r.torch:.1f} | {ratio} | {r.added:.1f} | {r.added_each:.1f}"
        more = f" and {len(r.functions) - 6} more" if len(r.functions) > 6 else ""
        lines.append(f"| `{r.text}` | {numbers} | {', '.join(r.functions[:6])}{more} |")
    return "\n".join(lines)


def untimed(lines: list[str]) -> list[str]:
    """Return the names of fluid.layers that no call mentions."""
    called = set(re.findall(r"\bL\.(\w+)", "\n".join(lines)))
    return sorted(set(fluid.layers.__all__) - called)


def main() -> None:
    """Measure every call and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", default="", help="only the calls that contain this text")
    parser.add_argument("--out", type=Path, default=FOLDER)
    args = parser.parse_args()
    torch.set_num_threads(1)

    lines = (FOLDER / "operators.txt").read_text().splitlines()
    texts = [line for line in lines if args.only in line and line and not line.startswith("#")]
    if not texts:
        raise SystemExit(f"--only: no call in operators.txt contains {args.only!r}.")
    with fluid.dygraph.guard():
        names = inputs()
        results = [Contest(text, names) for text in texts]
        for number in range(1, PASSES + 1):
            print(f"pass {number} of {PASSES}", file=sys.stderr)
            for contest in results:
                for _ in range(-(-args.rounds // PASSES)):
                    contest.take_turns()

    today = datetime.date.today().isoformat()
    machine = f"{platform.machine()}-1-thread"
    slow = sum(result.added > LIMIT for result in results)
    slow_each = sum(result.added_each > LIMIT for result in results)
    text = (
        f"# What an operator costs beside its torch calls, {today}\n\n"
        f"{platform.platform()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"one thread; the fastest of {args.rounds} rounds of about {1000 * ROUND_S:.0f} ms "
        f"each, interleaved.\n`python benchmarks/operators.py --rounds {args.rounds}`\n\n"
        f"{len(results)} calls, {slow} of which add more than {LIMIT:.0f} us, {slow_each} of them "
        "for each torch function that they call. A median call adds "
        f"{statistics.median(result.added for result in results):.1f} us.\n\n"
        f"{table(results)}\n\n"
        "Not timed, most of them because they make parameters, run the program's own functions "
        f"or compute nothing: {', '.join(f'`{name}`' for name in untimed(lines))}.\n"
    )
    print(text)
    if not args.only:
        path = args.out / f"operators_{machine}_{today}.md"
        path.write_text(text)
        print(f"written to {path}")


if __name__ == "__main__":
    main()
