"""Every exception and warning that refluid raises, as one tree.

RefluidError
  UnsupportedFluidAPI            a name Paddle 1.8 has and refluid does not
    UnsupportedFluidAttribute      ... reached as an attribute (an AttributeError)
    UnsupportedFluidImport         ... reached by an import (an ImportError)
  DeviceError                    a device was asked for that is not there (a RuntimeError)
  CheckpointError                a checkpoint cannot be read, written or used (a RuntimeError)
  DataError                      a data set is missing, cut or of another kind (a ValueError)
  RunError                       a run's directory or loop cannot be used so (a RuntimeError)
  StateError                     an object's state cannot be captured (a TypeError)
RefluidWarning                   something works, but not as the caller may expect

`paddle.fluid.core.EnforceNotMet` is not here: scripts catch it under Paddle's name, and its base
must be `Exception` alone, as Paddle's is. This module imports nothing.
"""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "DataError",
    "DeviceError",
    "DistributedError",
    "PeerLost",
    "RefluidError",
    "RefluidWarning",
    "RunError",
    "StateError",
    "UnsupportedFluidAPI",
    "UnsupportedFluidAttribute",
    "UnsupportedFluidImport",
]


class RefluidError(Exception):
    """Any error of refluid's own. The user's input or machine is at fault."""


class UnsupportedFluidAPI(RefluidError):
    """Paddle 1.8 has this name and refluid does not implement it."""


class UnsupportedFluidAttribute(UnsupportedFluidAPI, AttributeError):
    """An unsupported name was reached as an attribute, as in `fluid.layers.While`."""


class UnsupportedFluidImport(UnsupportedFluidAPI, ImportError):
    """An unsupported module or name was imported."""


class DeviceError(RefluidError, RuntimeError):
    """The device that was asked for is not on this machine."""


class CheckpointError(RefluidError, RuntimeError):
    """A checkpoint file is missing, damaged, foreign, or cannot be written."""


class DataError(RefluidError, ValueError):
    """A data set is missing, truncated, or not what its format says."""


class RunError(RefluidError, RuntimeError):
    """A run's directory is in use, belongs to something else, or its loop is used wrongly."""


class DistributedError(RefluidError, RuntimeError):
    """Processes cannot train together: an address, a rank, or a model is not as it has to be."""


class PeerLost(DistributedError):
    """Another process has ended, has failed or hangs, so that this one cannot go on."""


class StateError(RefluidError, TypeError):
    """An object that is to be saved has no state, or holds something that cannot be saved."""


class RefluidWarning(UserWarning):
    """Something was accepted, but does not behave as the caller may expect."""
