"""What holds for every test: nothing of the developer's own settings reaches it."""

from __future__ import annotations

import os

for _name in [name for name in os.environ if name.startswith(("REFLUID_", "PADDLE_", "FLAGS_"))]:
    del os.environ[_name]
for _name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
    os.environ.pop(_name, None)
# no test opens a window, nor does a program that it starts
os.environ["MPLBACKEND"] = "Agg"
