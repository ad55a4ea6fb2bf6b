"""State on disk: a run's checkpoints, and Paddle 1.8's files; loading either runs no code.

`store` keeps a run's checkpoints; it is not imported here, since it needs torch, and reading a
file of Paddle's does not. `state_file` is the door to those. Behind it, `pickle_machine` and
`pickle_writer` know the opcodes, `pickle_objects` what files refer to by name, `pickle_reader`
what a result may be, and `atomic` how a file is replaced.
May import: numpy, errors.
"""

from __future__ import annotations

from refluid.checkpoint.atomic import replacing
from refluid.checkpoint.state_file import read_state, write_state

__all__ = ["read_state", "replacing", "write_state"]
