from __future__ import annotations

import stat
import threading
import time

import pytest

from refluid.distributed.server import ready
from refluid.errors import DistributedError, PeerLost


def test_who_waits_gets_the_address_when_it_is_told(tmp_path):
    file = tmp_path / "servers.json"
    later = threading.Timer(0.2, ready.tell, [file], {"address": "127.0.0.1:6379"})
    later.start()
    begin = time.monotonic()
    assert ready.wait(file, 30) == "127.0.0.1:6379"
    assert time.monotonic() - begin >= 0.2
    later.join()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_why_there_are_no_servers_is_the_error_of_who_waits(tmp_path):
    ready.tell(tmp_path / "servers.json", error="Ray does not start")
    with pytest.raises(DistributedError, match="Ray does not start"):
        ready.wait(tmp_path / "servers.json", 30)


def test_waiting_has_an_end(tmp_path):
    with pytest.raises(PeerLost, match=r"not there after 0\.1 s: .*--timeout"):
        ready.wait(tmp_path / "servers.json", 0.1)
