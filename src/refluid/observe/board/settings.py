"""Settings of a run as TensorBoard's page of hyperparameters wants them.

May import: tensorboard.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["SETTINGS", "to_content"]

# the name under which the page looks for a run's settings
SETTINGS = "_hparams_/session_start_info"


def to_content(config: Mapping[str, Any], start_time: float) -> bytes:
    """Return settings in the form of the page.

    Args:
        config: settings, which may be nested.
        start_time: when the run began, in seconds since 1970.
    """
    # slow to load, and needed only where there are settings
    from tensorboard.plugins.hparams import plugin_data_pb2

    form: Any = plugin_data_pb2
    start = form.SessionStartInfo(start_time_secs=start_time)
    for name, value in _flat(config).items():
        if isinstance(value, bool):
            start.hparams[name].bool_value = value
        elif isinstance(value, float):
            start.hparams[name].number_value = value
        else:
            start.hparams[name].string_value = value
    return form.HParamsPluginData(session_start_info=start).SerializeToString()


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, bool | float | str]:
    """Return settings under names such as `optimizer.lr`."""
    found: dict[str, bool | float | str] = {}
    for key, value in config.items():
        name = _printable(f"{prefix}{key}")
        if isinstance(value, Mapping):
            found |= _flat(value, f"{name}.")
        elif isinstance(value, bool):
            found[name] = value
        elif isinstance(value, int | float) and abs(value) <= sys.float_info.max:
            found[name] = float(value)
        else:
            found[name] = _printable(value if isinstance(value, str) else json.dumps(value))
    return found


def _printable(text: str) -> str:
    # half of a pair of surrogates, which JSON may hold, is no text for a protocol buffer
    return text.encode(errors="replace").decode()
