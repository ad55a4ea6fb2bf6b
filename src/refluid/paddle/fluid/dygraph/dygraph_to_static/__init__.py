"""What turned dynamic graphs into static ones; here it runs them as they are.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.dygraph.dygraph_to_static import program_translator
from refluid.paddle.fluid.dygraph.dygraph_to_static.program_translator import ProgramTranslator

__all__ = ["ProgramTranslator", "program_translator"]
