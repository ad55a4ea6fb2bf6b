"""What the processes of test_pipeline.py run: named functions, whose results they print as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

import refluid
from refluid.distributed.pipeline import split
from refluid.loop.signals import Stopped

NUM_STEPS, BATCH_SIZE = 24, 16


def network():
    yield nn.Conv2d(1, 8, 3, padding=1)
    yield nn.ReLU()
    yield nn.MaxPool2d(2)
    yield nn.Conv2d(8, 12, 3, padding=1)
    yield nn.Tanh()
    yield nn.MaxPool2d(2)
    yield nn.Flatten()
    yield nn.Linear(48, 64)
    yield nn.Tanh()
    yield nn.Linear(64, 10)


def batches():
    generator = torch.Generator().manual_seed(3)
    for _ in range(NUM_STEPS):
        images = torch.randn(BATCH_SIZE, 1, 8, 8, generator=generator)
        yield images, torch.randint(0, 10, (BATCH_SIZE,), generator=generator)


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.05, momentum=0.9)


def train(model):
    """Train a split model; return its losses."""
    optimizer, losses = sgd(model.parameters()), []
    for images, labels in batches():
        optimizer.zero_grad()
        losses.append(model.step(images, labels).item().hex())
        optimizer.step()
    return losses


def split_network(num_microbatches=4, **kwargs):
    torch.manual_seed(1)
    return split(
        network, loss=functional.cross_entropy, num_microbatches=num_microbatches, **kwargs
    )


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def message(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


# --- what the tests ask for -----------------------------------------------------------------------


def trains():
    model = split_network()
    losses = train(model)
    odd = next(batches())[0][:7]
    state = model.state_dict()
    if model.rank == 0:
        torch.save(state, "network.pt")
    return {
        "losses": losses,
        "own": list(model.module.state_dict()),
        "state": list(state),
        "prediction": model.predict(odd).tolist(),
    }


def unsplit_state_is_loaded():
    torch.manual_seed(5)
    whole = nn.Sequential(*network()).state_dict()
    model = split_network()
    model.load_state_dict(whole if model.rank == 0 else None)
    return {
        "same": all(torch.equal(v, whole[k]) for k, v in model.module.state_dict().items()),
        "back": all(torch.equal(v, whole[k]) for k, v in model.state_dict().items()),
        "misfit": message(model.load_state_dict, {"other": torch.zeros(1)}),
        "still": all(torch.equal(v, whole[k]) for k, v in model.module.state_dict().items()),
    }


def first_batch_leaves_no_trace():
    layers = [nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 2), nn.BatchNorm1d(2)]
    model = split(nn.Sequential(*layers), loss=functional.mse_loss, boundaries=[3])
    before = torch.get_rng_state()
    model.module.eval()
    model.predict(torch.ones(6, 4))
    model.module.train()
    drawn = not torch.equal(before, torch.get_rng_state())
    untouched = [float(v) for k, v in model.module.state_dict().items() if "num_batches" in k]
    model.step(torch.randn(6, 4), torch.zeros(6, 2))
    counted = [float(v) for k, v in model.module.state_dict().items() if "num_batches" in k]
    return {"drawn": drawn, "untouched": untouched, "counted": counted}


def frozen_half():
    model = split_network()
    if model.rank == 0:
        for parameter in model.parameters():
            parameter.requires_grad = False
    losses = train(model)
    return {
        "losses": [float.fromhex(loss) for loss in losses],
        "moved": any(p.grad is not None for p in model.parameters()),
    }


def refusals():
    images, labels = next(batches())
    model = split_network()
    other = model.predict if model.rank == 1 else lambda value: model.step(value, labels)
    result = {
        "stages": message(split, nn.Sequential(nn.Linear(2, 2)), loss=functional.mse_loss),
        "count": message(split_network, num_stages=3),
        "divisible": message(model.step, images[:7], labels[:7]),
        "lengths": message(model.step, images, labels[:8]),
        "calls": message(other, images),
        "targets": message(model.step, images, labels + model.rank),
        "shapes": message(model.predict, images[: 4 + model.rank]),
        "models": message(split_network, boundaries=[3 + 2 * model.rank]),
    }
    # and after all of that, it still works
    return {**result, "loss": model.step(images, labels).item().hex()}


def fluid_trains():
    refluid.install()
    # only after that does it mean refluid's
    import paddle.fluid as fluid

    import fluid_network

    with fluid.dygraph.guard():
        fluid.default_main_program().random_seed = 1
        model = split(
            fluid_network.layers, loss=fluid_network.loss, boundaries=[2], num_microbatches=1
        )
        losses = fluid_network.train(model.parameters(), model.step)
        state = model.state_dict()
        if model.rank == 0:
            fluid.save_dygraph(state, "fluid")
        loaded = fluid.load_dygraph("fluid")[0] if model.rank == 0 else None
        for parameter in model.parameters():
            parameter.set_value(torch.zeros(tuple(parameter.shape)))
        model.load_state_dict(loaded)
        again = model.state_dict()
        return {
            "losses": losses,
            "back": all((again[k].numpy() == v).all() for k, v in (loaded or {}).items()),
        }


def run_goes_on():
    def part(directory, stop_after=None):
        torch.manual_seed(1)
        model = split(network, loss=functional.cross_entropy, num_microbatches=4)
        optimizer, found = sgd(model.parameters()), []
        with contextlib.suppress(Stopped), refluid.Run(directory) as run:
            run.track(model=model.module, optimizer=optimizer)
            for step in run.steps(list(batches())[:6], epochs=1):
                optimizer.zero_grad()
                loss = model.step(*step.batch)
                optimizer.step()
                found.append(loss.item().hex())
                if step.index == stop_after:
                    os.kill(os.getpid(), signal.SIGTERM)
        return found

    return {"whole": part("whole"), "begun": part("stopped", 2), "rest": part("stopped")}


def resident_mib():
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def memory():
    def layers():
        # 36 MiB each
        for _ in range(2):
            yield nn.Linear(2304, 4096, bias=False)
            yield nn.Linear(4096, 2304, bias=False)

    before = resident_mib()
    model = split(layers, loss=functional.mse_loss)
    built = resident_mib()
    model.step(torch.ones(2, 2304), torch.ones(2, 2304))
    return {"built": built - before, "trained": resident_mib() - before}


class Trouble(nn.Module):
    """Passes its input on, until it is told to end, to hang or to fail in some step."""

    def __init__(self, what, rank):
        super().__init__()
        self.what = what if int(os.environ["RANK"]) == rank else ""
        self.count = 0

    def forward(self, value):
        if self.training:
            self.count += 1
        if self.training and self.count == 6:
            if self.what == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.what == "hangs":
                os.kill(os.getpid(), signal.SIGSTOP)
            if self.what == "fails":
                raise RuntimeError("this layer cannot go on")
        return value


def trouble(what):
    """Train until the last stage, in its second step, is in trouble."""
    last = int(os.environ["WORLD_SIZE"]) - 1

    def layers():
        for _ in range(last + 1):
            yield nn.Linear(4, 4)
            yield nn.Tanh()
        yield Trouble(what, last)

    torch.manual_seed(1)
    model = split(layers, loss=functional.mse_loss, num_microbatches=4)
    for _ in range(3):
        say(str(model.step(torch.ones(8, 4), torch.zeros(8, 4)).item()))


if __name__ == "__main__":
    names = [name for name in sys.argv[1:] if name in globals()]
    say(json.dumps({name: globals()[name]() for name in names}))
    if len(names) < len(sys.argv) - 1:
        trouble(sys.argv[-1])
