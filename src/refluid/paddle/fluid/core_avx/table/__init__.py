"""Operators by Paddle's names: what `LayerHelper.append_op` and `core.ops` run.

facts.py     what Paddle says about its operators     attribute.py  kinds of attributes
route.py     from a name to a function                routes/       the table
blank.py     variables that are written to later      call.py       the two ways to call

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.core_avx.table import routes
from refluid.paddle.fluid.core_avx.table.blank import blank
from refluid.paddle.fluid.core_avx.table.call import ops, trace
from refluid.paddle.fluid.core_avx.table.facts import names
from refluid.paddle.fluid.core_avx.table.route import routed

__all__ = ["blank", "names", "ops", "routed", "routes", "trace"]
