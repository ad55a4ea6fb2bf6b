from __future__ import annotations

import hashlib
import json
import math
import struct

import pytest

from refluid.checkpoint.manifest import FileRecord, Manifest, decode, encode
from refluid.errors import CheckpointError

FILES = {
    "state.safetensors": FileRecord(123, "ab" * 32),
    "state.json": FileRecord(2**40, "cd" * 32),
}


def manifest_with(**metrics: float) -> Manifest:
    return Manifest("f00d" * 8, 500, "2030-01-02T03:04:05+00:00", metrics, FILES)


def sealed(head: bytes) -> bytes:
    return head + b'  "sha256": "' + hashlib.sha256(head).hexdigest().encode() + b'"\n}\n'


@pytest.mark.parametrize(
    "value", [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan]
)
def test_metrics_come_back_as_bits(value):
    found = decode(encode(manifest_with(loss=value))).metrics["loss"]
    assert struct.pack("<d", found) == struct.pack("<d", value)


def test_everything_comes_back():
    manifest = manifest_with(loss=0.5, **{'acc\ud800 "top"\n5': 1.0})
    assert decode(encode(manifest)) == manifest


def test_it_is_json_for_everybody():
    record = json.loads(encode(manifest_with(loss=0.5, worst=math.nan)))
    assert list(record) == ["format", "run", "step", "time", "metrics", "files", "sha256"]
    assert record["format"] == 1
    assert record["metrics"] == {"loss": 0.5, "worst": "nan"}
    assert record["files"]["state.json"] == {"bytes": 2**40, "sha256": "cd" * 32}


def test_the_seal_is_the_hash_of_all_lines_but_the_last_two():
    lines = encode(manifest_with()).splitlines(keepends=True)
    assert json.loads(b"{" + lines[-2] + b"}") == {
        "sha256": hashlib.sha256(b"".join(lines[:-2])).hexdigest()
    }


def test_any_other_byte_anywhere_is_damage():
    data = encode(manifest_with(loss=0.5))
    for place in range(len(data)):
        for change in (1, 32, 128):
            damaged = bytearray(data)
            damaged[place] ^= change
            with pytest.raises(ValueError, match="has no seal|does not match the SHA-256"):
                decode(bytes(damaged))


def test_cut_anywhere_is_damage():
    data = encode(manifest_with(loss=0.5))
    for length in range(len(data)):
        with pytest.raises(ValueError, match="has no seal"):
            decode(data[:length])


def test_a_later_version_is_no_damage_whatever_else_it_says():
    with pytest.raises(CheckpointError, match="version 3 of the format, and this .* up to 2"):
        decode(sealed(b'{\n  "format": 3,\n  "step": "many",\n'))


@pytest.mark.parametrize("text", ["", "NaN", "0.5", "Infinity", 1, None, True, [0.5]])
def test_a_metric_that_is_no_number_is_damage(text):
    head = encode(manifest_with(loss=0.5)).rsplit(b'  "sha256"', 1)[0]
    with pytest.raises(ValueError, match="as the metric 'loss'"):
        decode(sealed(head.replace(b"0.5", json.dumps(text).encode())))
