"""docs/coverage.md, written from the code: which names of Paddle 1.8 work here.

A name works if importing its module gives it. There is no list of what works beside the code, so
the table cannot say anything else than the programs find, and a test compares it with the file.

    python -m refluid.hook.coverage docs/coverage.md

May import: catalog, name, and every module of `refluid.paddle`.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from refluid.hook import catalog
from refluid.hook.name import engine_name, is_within, paddle_name

__all__ = ["NOT_YET", "STATIC", "WORKS", "render", "state"]

WORKS = "works"
NOT_YET = "not yet"
STATIC = "static graph only"

_HEAD = """\
# What works of Paddle 1.8

Written from the code by `python -m refluid.hook.coverage docs/coverage.md`; a test keeps it fresh.

Of the {total} public names of Paddle {version}, **{works} work here**, {not_yet} do not yet, and
{static} cannot: Paddle itself has them for its static graph only. A name that does not work raises
`UnsupportedFluidAPI`, which says so, where the program uses it, and what to use instead.

- *works*: the name is there and is what Paddle has under it. docs/differences.md says where its
  behaviour differs on purpose.
- *not yet*: Paddle has it, in the dynamic graph or apart from any graph; refluid does not.
- *static graph only*: Paddle refuses it in the dynamic graph, or it has no use there.

| module | names | works | not yet | static graph only |
|---|---:|---:|---:|---:|
"""


def render() -> str:
    """Return the text of docs/coverage.md.

    Effects: imports every module of refluid.paddle that Paddle 1.8 documents.
    """
    known = catalog.load()
    states = {module: _states(module) for module in sorted(known.names)}
    total = Counter(state for names in states.values() for state in names.values())
    head = _HEAD.format(
        total=total.total(),
        version=known.paddle,
        works=total[WORKS],
        not_yet=total[NOT_YET],
        static=total[STATIC],
    )
    lines = [_row(module, Counter(names.values())) for module, names in states.items()]
    lines.append(_row("all", total))
    for module, names in states.items():
        lines += ["", f"## {module}", "", "| name | kind | state |", "|---|---|---|"]
        lines += [
            f"| `{name}` | {known.names[module][name].kind} | {state} |"
            for name, state in names.items()
        ]
    return head + "\n".join([*lines, "", *_reasons(), "", *_modules(), ""])


def state(dotted: str) -> str:
    """Return WORKS, NOT_YET or STATIC for a documented name of Paddle 1.8.

    Effects: imports its module.
    """
    if _has(dotted.rpartition(".")[0]) and catalog.is_implemented(dotted):
        return WORKS
    entry = catalog.load().find(dotted)
    return STATIC if entry is not None and entry.dygraph == "no" else NOT_YET


def _states(module: str) -> dict[str, str]:
    """Return the state of each documented name of a module."""
    return {name: state(f"{module}.{name}") for name in sorted(catalog.load().names[module])}


def _row(label: str, counts: Counter[str]) -> str:
    """Return one row of the table of counts."""
    cells = (label, counts.total(), counts[WORKS], counts[NOT_YET], counts[STATIC])
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _reasons() -> Iterator[str]:
    """Yield the lines about why names are missing."""
    reasons: dict[str, list[str]] = {}
    for dotted, reason in catalog.load().reasons.items():
        reasons.setdefault(reason, []).append(f"`{dotted}`")
    yield "## Why names are missing"
    yield ""
    yield "Where the words `static graph only` say too little, the error adds one of these:"
    yield ""
    yield from (f"- {reason}: {', '.join(named)}" for reason, named in reasons.items())


def _modules() -> Iterator[str]:
    """Yield the lines about the paths by which modules are imported."""
    modules = sorted(catalog.load().modules)
    there = [module for module in modules if _has(module)]
    yield "## Module paths"
    yield ""
    yield f"{len(there)} of the {len(modules)} modules in Paddle's package can be imported:"
    yield ""
    yield from (f"- `{module}`" for module in there)


def _has(module: str) -> bool:
    """Import a Paddle module from refluid, and tell whether that has it."""
    try:
        importlib.import_module(engine_name(module))
    except ImportError as error:
        # Only what is not there: an error inside of a module of refluid must be seen.
        if error.name is None or not is_within(module, paddle_name(error.name)):
            raise
        return False
    return True


def main() -> None:
    """Write the table to the file named on the command line, or to standard output."""
    text = render()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
