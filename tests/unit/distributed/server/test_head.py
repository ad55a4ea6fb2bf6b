from __future__ import annotations

import subprocess
import sys

import pytest

from refluid import env
from refluid.distributed.server import head, ready
from refluid.distributed.server.plan import ServerPlan
from refluid.errors import DistributedError

# no real one can be made to fail
RAY_THAT_FAILS = """
from types import SimpleNamespace

_private = SimpleNamespace(parameter=SimpleNamespace(RayParams=dict))

def init(**options):
    raise {error}
"""


@pytest.mark.parametrize("error", ["RuntimeError('no room')", "KeyError('no room')"])
def test_that_ray_does_not_start_is_told_to_the_trainers(tmp_path, error):
    (tmp_path / "ray.py").write_text(RAY_THAT_FAILS.format(error=error))
    file = tmp_path / "servers.json"
    plan = ServerPlan(num_servers=1, num_trainers=1, ready_file=str(file))
    variables = env.worker_environment({"PYTHONPATH": f"{tmp_path}:src"})
    with subprocess.Popen(
        [sys.executable, "-m", head.__name__], env=variables, stdin=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write(head.encode(plan, print))
        process.stdin.flush()
        with pytest.raises(DistributedError, match=r"Ray does not start.*no room"):
            ready.wait(file, 30)
    assert process.returncode == 0
    assert not file.exists()
