"""Which server holds which parameter: the same on every trainer, as it is made of sizes and names.

The largest parameter goes to the server with the fewest bytes so far, then the next; no server has
more than the fair share and one parameter. A parameter is never cut, so that what an optimizer
computes of a whole one, such as LARS of its norm, stays right.
May import: nothing of refluid.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["assign"]


def assign(sizes: Mapping[str, int], num_servers: int) -> list[list[str]]:
    """Split parameters over servers.

    Args:
        sizes: bytes of each parameter by name; their order is the program's.
        num_servers: from 1.

    Returns:
        The names that each server holds, in the program's order; a server may have none.
    """
    loads = [0] * num_servers
    home: dict[str, int] = {}
    for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        k = loads.index(min(loads))
        loads[k] += size
        home[name] = k
    return [[name for name in sizes if home[name] == k] for k in range(num_servers)]
