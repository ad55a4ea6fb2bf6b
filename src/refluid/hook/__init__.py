"""What makes `import paddle` mean `refluid.paddle`, and says plainly what is not there.

finder    the imports themselves             program   a user's program, run as `__main__`
gap       the errors for missing names       child     processes that the program spawns
catalog   the names that Paddle 1.8 has      name      what refluid calls a Paddle module
hint      what to use in place of a name     coverage  docs/coverage.md, written from the code
memory    how the program's process keeps its memory
era       what modern libraries took away since 2020, given back to the program

May import: the modules above.
"""

from __future__ import annotations

from refluid.hook.finder import install, load_ipython_extension

__all__ = ["install", "load_ipython_extension"]
