"""VisualDL's own reader, in a process of its own: it warns at import, and makes folders at home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

READER = """
import json, sys
from google.protobuf.json_format import MessageToDict
from visualdl import LogReader

for path in sys.stdin:
    data = LogReader(file_path=path.rstrip())._log_data
    found = {
        component: {
            tag: [MessageToDict(record, preserving_proto_field_name=True) for record in records]
            for tag, records in tags.items()
        }
        for component, tags in data.items()
    }
    print(json.dumps(found), flush=True)
"""

Read = Callable[[Path | str], dict[str, dict[str, list[dict[str, Any]]]]]


@pytest.fixture(scope="session")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """What VisualDL's LogReader finds in a file: records by component and tag."""
    if find_spec("visualdl") is None:
        pytest.skip("VisualDL is not installed: what it reads of our files is not tested.")
    reader = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", READER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(tmp_path_factory.mktemp("home"))},
    )

    def ask(path: Path | str) -> Any:
        assert reader.stdin
        assert reader.stdout
        reader.stdin.write(f"{path}\n")
        reader.stdin.flush()
        line = reader.stdout.readline()
        assert line, "VisualDL's reader stops at this file"
        return json.loads(line)

    yield ask
    reader.communicate()


@pytest.fixture
def scalars(read: Read) -> Callable[[Path | str, str], list[tuple[int, Any]]]:
    """The points of a curve, as VisualDL reads them: step and value."""

    def points(path: Path | str, tag: str) -> list[tuple[int, Any]]:
        # protocol buffers leave out a step of 0
        return [
            (int(each.get("id", 0)), each["value"])
            for each in read(path).get("scalar", {}).get(tag, [])
        ]

    return points
