"""A program that never comes to the end of its fourth step, but for a second SIGINT."""

from __future__ import annotations

import signal

import torch

import refluid

counter = torch.zeros(1)
with refluid.Run("runs/stuck", save_every_steps=1) as run:
    run.track(counter=counter)
    for step in run.steps([[0], [1], [2], [3]], epochs=1):
        counter += 1
        run.log(count=counter)
        while step.number == 3:
            (run.directory / "stuck").touch()
            signal.pause()
