"""State on disk: Paddle 1.8's checkpoint files, read without running code, written atomically.

`state_file` is the door. Behind it, `pickle_machine` and `pickle_writer` know the opcodes,
`pickle_objects` what files refer to by name, `pickle_reader` what a result may be, and `atomic`
how a file is replaced.
May import: numpy, errors.
"""

from __future__ import annotations

from refluid.checkpoint.atomic import replacing
from refluid.checkpoint.state_file import read_state, write_state

__all__ = ["read_state", "replacing", "write_state"]
