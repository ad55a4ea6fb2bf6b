"""Train on PyTorch with programs written for PaddlePaddle 1.8, and stop and resume anywhere.

`refluid.install()`, in a notebook `%load_ext refluid`, and on a command line
`python -m refluid script.py` make `import paddle` mean refluid's implementation. Importing this
package changes nothing by itself, and loads neither torch nor the implementation.
May import: errors, hook.
"""

from __future__ import annotations

from refluid.errors import (
    CheckpointError,
    DataError,
    DeviceError,
    RefluidError,
    RefluidWarning,
    UnsupportedFluidAPI,
    UnsupportedFluidAttribute,
    UnsupportedFluidImport,
)
from refluid.hook import install, load_ipython_extension

__all__ = [
    "CheckpointError",
    "DataError",
    "DeviceError",
    "RefluidError",
    "RefluidWarning",
    "UnsupportedFluidAPI",
    "UnsupportedFluidAttribute",
    "UnsupportedFluidImport",
    "__version__",
    "install",
    "load_ipython_extension",
]

__version__ = "0.1.0"
