"""Places: where a variable lives. `CPUPlace`, `CUDAPlace(n)`, `CUDAPinnedPlace`.

May import: torch, refluid.env, refluid.errors.
"""

from __future__ import annotations

import torch

from refluid import env
from refluid.errors import DeviceError

__all__ = ["CPUPlace", "CUDAPinnedPlace", "CUDAPlace", "Place", "default_place", "place_of"]


class Place:
    """A device, as Paddle names it. Final subclasses say which."""

    __module__ = "paddle.fluid.core_avx"
    device = torch.device("cpu")

    def __repr__(self) -> str:
        return type(self).__name__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


class CPUPlace(Place):
    """The processor and its memory; under `--device cuda` it means GPU 0 instead."""

    __module__ = "paddle.fluid.core_avx"

    def __init__(self) -> None:
        if env.forced_device() == "cuda":
            self.device = CUDAPlace(0).device


class CUDAPinnedPlace(Place):
    """Page-locked memory of the host; refluid keeps such variables in ordinary memory."""

    __module__ = "paddle.fluid.core_avx"


class CUDAPlace(Place):
    """GPU number `device_id`; under `--device cpu` it means the processor instead.

    Args:
        device_id: index of the GPU, from 0.

    Raises:
        TypeError: `device_id` is not an int.
        DeviceError: this machine has no such GPU. The message names what is there, and the remedy.
    """

    __module__ = "paddle.fluid.core_avx"

    def __init__(self, device_id: int = 0) -> None:
        if not isinstance(device_id, int):
            raise TypeError(f"`device_id` must be an int, but received {device_id!r}.")
        self._device_id = device_id
        if env.forced_device() == "cpu":
            return
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not 0 <= device_id < count:
            there = f"{count} GPU(s)" if count else "no GPU that torch can use"
            raise DeviceError(
                f"CUDAPlace({device_id}) was asked for, but this machine has {there}. To run the "
                "program on the CPU without editing it: python -m refluid --device cpu SCRIPT"
            )
        self.device = torch.device("cuda", device_id)

    def __repr__(self) -> str:
        return f"CUDAPlace({self._device_id})"

    def get_device_id(self) -> int:
        """Return the index that the place was made with."""
        return self._device_id


def default_place() -> Place:
    """Return the place of `guard()` without an argument: GPU 0 where there is one, else the CPU."""
    if env.forced_device() != "cpu" and torch.cuda.is_available():
        return CUDAPlace(0)
    return CPUPlace()


def place_of(tensor: torch.Tensor) -> Place:
    """Return the place of a tensor."""
    return CUDAPlace(tensor.device.index) if tensor.is_cuda else CPUPlace()
