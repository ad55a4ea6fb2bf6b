"""What modern libraries took away since 2020, given back to old programs.

table     what is gone, and what is given in its place: the whole of it
finder    the imports after which it is given
asker     who asks: names are given to the user's program, not to installed libraries
standard  what stands in for names of Python's own library
numeric   ... for names of NumPy, scikit-learn and pandas
picture   ... for names of SciPy, Pillow and scikit-image
call      calls that are refused today, such as `yaml.load(f)`
native    attributes for types that are written in C, such as NumPy's arrays

`python -m refluid` installs this unless it is told `--no-era`; `import refluid` and
`refluid.install()` do not, since a program that calls those has been edited for today anyway.
May import: the modules above.
"""

from __future__ import annotations

from refluid.hook.era.finder import install

__all__ = ["install"]
