"""Settings of any kind are shown as numbers, switches or texts."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

from tensorboard.plugins.hparams import plugin_data_pb2

from refluid.observe.board.settings import to_content


def test_settings_are_flat_and_typed():
    config = {
        "lr": 0.1,
        "steps": 3,
        "nesterov": True,
        "data": {"name": "<b>", "shape": [1, 28]},
        "none": None,
        "large": 10**400,
        "nan": math.nan,
        "half": "\ud800",
    }
    found = plugin_data_pb2.HParamsPluginData.FromString(to_content(config, 5.0))
    shown = found.session_start_info
    assert shown.start_time_secs == 5.0
    assert shown.hparams["lr"].number_value == 0.1
    assert shown.hparams["steps"].number_value == 3.0
    assert shown.hparams["nesterov"].bool_value is True
    texts = {
        name: value.string_value
        for name, value in shown.hparams.items()
        if value.WhichOneof("kind") == "string_value"
    }
    assert texts == {
        "data.name": "<b>",
        "data.shape": "[1, 28]",
        "none": "null",
        "large": f"1{'0' * 400}",
        "nan": "NaN",
        "half": "?",
    }
