"""Train on PyTorch with programs written for PaddlePaddle 1.8, and stop and resume anywhere.

`refluid.Run` makes any training loop one that can be killed and started again, bit for bit;
`refluid.Batches` gives it its data; `refluid.inspect` looks into the layers of a model, and
`refluid.Classification` counts how well one does. `refluid.install()`, in a notebook
`%load_ext refluid`, and on a command line `python -m refluid script.py` make `import paddle` mean
refluid's implementation.
Importing this package changes nothing by itself, and loads neither torch nor the implementation:
what needs torch is loaded when it is first asked for.
May import: errors, hook; data, loop and observe when asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from refluid.errors import (
    CheckpointError,
    DataError,
    DeviceError,
    RefluidError,
    RefluidWarning,
    RunError,
    StateError,
    UnsupportedFluidAPI,
    UnsupportedFluidAttribute,
    UnsupportedFluidImport,
)
from refluid.hook import install, load_ipython_extension

if TYPE_CHECKING:
    from refluid.data.batches import Batches
    from refluid.loop.run import Run
    from refluid.observe.classification import Classification
    from refluid.observe.layers.look import inspect

__all__ = [
    "Batches",
    "CheckpointError",
    "Classification",
    "DataError",
    "DeviceError",
    "RefluidError",
    "RefluidWarning",
    "Run",
    "RunError",
    "StateError",
    "UnsupportedFluidAPI",
    "UnsupportedFluidAttribute",
    "UnsupportedFluidImport",
    "__version__",
    "inspect",
    "install",
    "load_ipython_extension",
]

__version__ = "0.1.0"

_LOADED_LATER = {
    "Batches": "refluid.data.batches",
    "Classification": "refluid.observe.classification",
    "Run": "refluid.loop.run",
    "inspect": "refluid.observe.layers.look",
}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_LOADED_LATER[name]), name)
    globals()[name] = value
    return value
