"""Capture, restore and seed the generators of random numbers that belong to the process.

These are Python's `random`, NumPy's `numpy.random`, torch's for the CPU, and those of all CUDA
devices once CUDA is in use. Generators that a program makes for itself are tracked as objects. All
calls here act on the whole process, so no other thread may draw meanwhile.
May import: torch, numpy, refluid.errors.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Iterator
from copy import deepcopy
from types import TracebackType
from typing import Any

import numpy as np
import torch

from refluid.errors import CheckpointError

__all__ = [
    "Stream",
    "capture_generators",
    "capture_python",
    "checked_numpy",
    "diverge",
    "kept",
    "restore_generators",
    "restore_python",
    "seed_for",
]

# NumPy's stubs lack these two
_get_bit_generator: Any = np.random.get_bit_generator  # type: ignore[attr-defined]
_set_bit_generator: Any = np.random.set_bit_generator  # type: ignore[attr-defined]

_WRONG = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def capture_generators() -> dict[str, Any]:
    """Return the states of the process's generators, fit for `pack`.

    Returns:
        `python`, `numpy` and `torch`; and `cuda`, a list by device, if CUDA is in use.
    """
    state: dict[str, Any] = {
        "python": capture_python(random.getstate()),
        "numpy": np.random.get_state(legacy=False),
        "torch": torch.default_generator.get_state(),
    }
    if torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore_generators(value: dict[str, Any]) -> None:
    """Put back what `capture_generators` returned.

    CUDA devices that were not in use then, or are not here now, are left as they are: the
    comparison of environments reports those.

    Raises:
        CheckpointError: the value is not such a one; then nothing is changed.
    """
    try:
        python, numpy = restore_python(value["python"]), checked_numpy(value["numpy"])
        if numpy["bit_generator"] != type(_get_bit_generator()).__name__:
            raise ValueError(f"NumPy's generator was a {numpy['bit_generator']}")
        torch.Generator().set_state(value["torch"])
        devices = value.get("cuda", [])[: torch.cuda.device_count()]
        if any(state.shape != (16,) for state in devices):
            raise ValueError("a CUDA generator has a state of 16 bytes")
        np.random.set_state(numpy)
    except _WRONG as error:
        raise CheckpointError(f"`generators` cannot be restored: {error}.") from None
    random.setstate(python)
    torch.default_generator.set_state(value["torch"])
    for index, state in enumerate(devices):
        torch.cuda.set_rng_state(state, index)


def capture_python(state: tuple[Any, ...]) -> dict[str, Any]:
    """Turn a state of Python's `random` into a value fit for `pack`, its 625 words as an array."""
    version, words, gauss = state
    return {"version": version, "words": np.array(words, np.uint32), "gauss": gauss}


def restore_python(value: dict[str, Any]) -> tuple[Any, ...]:
    """Return the state of Python's `random` that `capture_python` was given.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: the value is not such a one.
    """
    state = (value["version"], tuple(value["words"].tolist()), value["gauss"])
    random.Random().setstate(state)
    if not isinstance(state[2], float | None):
        raise TypeError("`gauss` is a number or None")
    return state


def checked_numpy(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a NumPy generator if NumPy can be trusted with it.

    NumPy itself does not look at a position in a buffer, and would read outside of it.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: it cannot.
    """
    name = state["bit_generator"]
    if name not in _BIT_GENERATORS:
        raise ValueError(f"NumPy has no bit generator {name!r}")
    if name == "MT19937":
        key, position, end = state["state"]["key"], state["state"]["pos"], 624
    elif name == "Philox":
        key, position, end = state["buffer"], state["buffer_pos"], 4
    else:
        return state
    if key.shape != (end,) or key.dtype.kind != "u" or position not in range(end + 1):
        raise ValueError(f"this is no state of {name}")
    return state


def seed_for(seed: int, epoch: int, index: int) -> None:
    """Seed Python's, NumPy's and torch's generator for one sample of one epoch.

    The three seeds are parts of a BLAKE2b hash of the three numbers, so that samples beside each
    other do not get related numbers. CUDA's generators are not touched.

    Args:
        seed: any integer.
        epoch: any integer.
        index: any integer.
    """
    digest = hashlib.blake2b(b"%d,%d,%d" % (seed, epoch, index), digest_size=20).digest()
    random.seed(int.from_bytes(digest[:8], "little"))
    # NumPy's classic generator takes 32 bits at once, and far slower an array of them
    np.random.seed(int.from_bytes(digest[8:12], "little"))
    torch.default_generator.manual_seed(int.from_bytes(digest[12:], "little", signed=True))


def diverge(rank: int) -> None:
    """Draw other numbers from here on than other processes with the same generators do.

    Args:
        rank: what tells this process from the others.

    Effects:
        Seeds all generators by a draw from torch's, and `rank`.
    """
    drawn = int(torch.randint(1 << 62, (1,), generator=torch.default_generator).item())
    seed_for(drawn, rank, 0)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(drawn + rank)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Put Python's, NumPy's and torch's generator back afterwards, as they were before."""
    python = random.getstate()
    numpy = np.random.get_state(legacy=False)
    cpu = torch.default_generator.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.default_generator.set_state(cpu)


class Stream:
    """Random numbers apart from the program's: within `with stream:` all draws are its own.

    It begins with Python's and NumPy's numbers as they are now, so that a reader which was seeded
    by `random.seed` gives what it gave without a stream. torch's begin elsewhere: a model draws
    from torch's generator too, and the two must not give the same numbers.

    NumPy's state takes 100 us to read, so the two bit generators are exchanged instead. NumPy then
    drops the second number of a pair that `numpy.random.normal` has made in advance.
    """

    def __init__(self) -> None:
        """Begin where the process's generators are now."""
        self._python = random.getstate()
        self._numpy = deepcopy(_get_bit_generator())
        digest = hashlib.blake2b(torch.get_rng_state().numpy().data, digest_size=8)
        own = torch.Generator().manual_seed(int.from_bytes(digest.digest(), "little", signed=True))
        self._torch = own.get_state()
        self._entered = False

    def __enter__(self) -> Stream:
        """Make the stream's numbers those of the process.

        Raises:
            RuntimeError: the stream is entered already.
        """
        if self._entered:
            raise RuntimeError("this stream is entered already; it cannot be entered twice")
        self._swap()
        self._entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the process's own generators back where they were."""
        self._swap()
        self._entered = False

    def _swap(self) -> None:
        python, cpu = random.getstate(), torch.default_generator.get_state()
        numpy = _get_bit_generator()
        random.setstate(self._python)
        _set_bit_generator(self._numpy)
        torch.default_generator.set_state(self._torch)
        self._python, self._numpy, self._torch = python, numpy, cpu

    def capture(self) -> dict[str, Any]:
        """Return where the stream is, fit for `pack`; not within `with stream:`."""
        return {
            "python": capture_python(self._python),
            "numpy": self._numpy.state,
            "torch": self._torch,
        }

    def restore(self, value: dict[str, Any]) -> None:
        """Go on from what `capture` returned.

        Raises:
            CheckpointError: the value is not such a one; then nothing is changed.
        """
        try:
            python, state = restore_python(value["python"]), checked_numpy(value["numpy"])
            numpy = getattr(np.random, state["bit_generator"])()
            numpy.state = state
            torch.Generator().set_state(value["torch"])
        except _WRONG as error:
            raise CheckpointError(
                f"A stream of random numbers cannot be restored: {error}."
            ) from None
        self._python, self._numpy, self._torch = python, numpy, value["torch"]
