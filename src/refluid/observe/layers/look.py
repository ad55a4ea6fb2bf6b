"""`inspect`: a look into the layers of a model while it runs, without editing its `forward`.

What the courses do with arguments like `check_shape` and `check_content` and a page of prints in
`forward`, here a `with` block does around the call.
May import: torch, numpy, observe.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import torch

from refluid.observe.layers.activation import DeadUnits
from refluid.observe.layers.layer import LayerFacts, describe, table_of
from refluid.observe.layers.probe import Probe, check_model
from refluid.observe.record import Table

__all__ = ["Channel", "Look", "inspect"]


@dataclass(frozen=True)
class Channel:
    """The values of one channel of a layer's output.

    Args:
        layer: the layer's path.
        index: which channel.
        values: for the first sample of the last batch, on the CPU.
    """

    layer: str
    index: int
    values: torch.Tensor

    def __str__(self) -> str:
        return f"channel {self.index} of {self.layer}:\n{_values_text(self.values)}"


class Look:
    """What went through a model's layers within a `with` block; made by `inspect`.

    It may be entered again, to add what runs then. Its text is a table of the layers, and one of
    what came out of them.

    Args:
        model: whose layers.
    """

    def __init__(self, model: Any) -> None:
        check_model(model)
        self._model: torch.nn.Module = model
        self._probe = Probe(model, with_samples=True)

    def __enter__(self) -> Look:
        """Begin to look.

        Raises:
            RuntimeError: this look has begun already.
        """
        if self._probe.is_attached:
            raise RuntimeError("this look has begun already: make another one by `inspect(model)`.")
        self._probe.attach()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._probe.detach()

    @property
    def layers(self) -> tuple[LayerFacts, ...]:
        """The facts about each layer that ran, in the order in which they began to run."""
        return self._probe.layers()

    def table(self) -> Table:
        """Return the facts as a table, one row for each layer."""
        return table_of(self.layers)

    def __str__(self) -> str:
        return describe(self.layers)

    def __repr__(self) -> str:
        return f"<look into {type(self._model).__name__}: {len(self.layers)} layers ran>"

    def dead(self) -> tuple[DeadUnits, ...]:
        """Return the units whose output stayed 0 for all that ran, by layer; see `DeadUnits`.

        The output is meant after the activation, however the program writes that: as a layer, as
        a function in `forward`, or as `act` of a fluid layer. The more batches were seen, the more
        this says.
        """
        found = [units.dead() for units in self._probe.units.values()]
        return tuple(each for each in found if each.units)

    def output(self, layer: str) -> torch.Tensor:
        """Return a layer's output for the first sample of the last batch, on the CPU.

        Args:
            layer: its path, such as `fc`.

        Raises:
            ValueError: no layer of this name ran, or it gave no tensor with a batch in it.
        """
        return self._sample(layer)[0].cpu()

    def channel(self, layer: str, index: int | None = None) -> Channel:
        """Return one channel of a layer's output, for the first sample of the last batch.

        Args:
            layer: its path, such as `conv2`.
            index: which channel, by default any; the program's generators are not used.

        Raises:
            ValueError: no layer of this name ran, or it has no such channel.
        """
        sample, axis = self._sample(layer)
        axis = (axis or 0) - 1  # of one sample
        if not sample.dim() or axis < 0:
            raise ValueError(
                f"`layer` must have channels, but the output of {layer!r} for one sample has "
                f"shape {list(sample.shape)}: see `output`."
            )
        count = sample.size(axis)
        if index is None and count:
            index = secrets.randbelow(count)
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
            raise ValueError(
                f"`index` must be from 0 to {count - 1}, as {layer!r} has {count} channels, but "
                f"received {index!r}."
            )
        return Channel(layer, index, sample.select(axis, index).cpu())

    def contents(self) -> str:
        """Return a text of what is in the layers, as the courses print it.

        It shows the first kernel of each convolution, one channel of its output, chosen at random,
        and the output of the last layer, for the first sample of the last batch.
        """
        modules = dict(self._model.named_modules())
        samples = self._probe.samples()
        lines, last = [], ""
        for layer in self.layers:
            last = layer.name if layer.name in samples else last
            module = modules.get(layer.name, self._model)
            weight = module._parameters.get("weight")
            if weight is None or weight.dim() < 3 or "kernel" not in layer.settings:
                continue
            kernel = torch.Tensor.detach(weight).cpu()[0, 0]
            lines.append(f"first kernel of {layer.name}:\n{_values_text(kernel)}")
            if layer.name in samples:
                lines.append(str(self.channel(layer.name)))
        if last:
            lines.append(f"output of {last}:\n{_values_text(self.output(last))}")
        return "\n".join(lines)

    def _sample(self, layer: str) -> tuple[torch.Tensor, int | None]:
        samples = self._probe.samples()
        if layer not in samples:
            raise ValueError(
                f"`layer` must be one of {', '.join(samples) or 'none, as no layer ran'}, but "
                f"received {layer!r}."
            )
        return samples[layer]


def _values_text(values: torch.Tensor) -> str:
    # NumPy has no bfloat16
    array = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    return np.array2string(array, precision=3, suppress_small=True, max_line_width=200)


def inspect(model: Any) -> Look:
    """Look into the layers of a model while it runs in a `with` block.

    Of each layer that ran, the look has type, settings, parameters, shapes, and numbers about its
    output; of layers that give several tensors, about the first. It changes nothing that the model
    computes, takes its hooks away when the block is left, and costs nothing outside of it.

    Args:
        model: a torch.nn.Module, or a Layer of a fluid program.

    Returns:
        A `Look`, to be entered, and to be printed or asked afterwards.

    Raises:
        TypeError: `model` is neither.

    Example:
        with refluid.inspect(model) as look:
            model(images)
        print(look)
    """
    return Look(model)
