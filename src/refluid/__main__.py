"""`python -m refluid script.py`: run a program of Paddle 1.8 as `python` would, on PyTorch.

Only the arguments are read here. Those of refluid stand before the program, those of the
interpreter before `-m`, and everything after the program is the program's own.
May import: errors, env, hook.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    # The working folder, where -m looked for refluid. The program's own folder will take its place;
    # until then a `random.py` in either must not become a part of refluid.
    del sys.path[0]

from collections.abc import Callable, Sequence
from typing import NoReturn

from refluid import __version__, env, memory
from refluid.errors import RefluidError
from refluid.hook import era, install, program

__all__ = ["main"]

HELP = """\
refluid runs programs written for PaddlePaddle 1.8 (fluid.dygraph) on PyTorch, unmodified.

  python -m refluid train.py --epochs 5       a script, with arguments of its own
  python -m refluid -m package.train          a module
  python -m refluid -c "import paddle.fluid"  a piece of code
  python -m refluid - < train.py              standard input

Options, before the program:
  --device cpu|cuda   run there, whichever place the program names (also: REFLUID_DEVICE)
  --no-era            do not give back what NumPy and others took away since 2020, such as np.int
                      (also: REFLUID_NO_ERA=1)
  --version           print the version of refluid
  -h, --help          print this text

Options of the interpreter stand before -m:  python -u -m refluid train.py
In a program:  import refluid; refluid.install()      In a notebook:  %load_ext refluid
both before the first `import paddle`.

Which names of Paddle 1.8 work is listed in docs/coverage.md, what is given back in docs/era.md.
"""

# Whatever is below paddle loads torch; the launcher is elsewhere too
_LIGHT = {"paddle.distributed.launch": "refluid.distributed.fluid_launch"}
# The options of `python` that people write before a script.
_INTERPRETER = frozenset("-b -B -d -E -i -I -O -P -q -R -s -S -u -v -W -x -X".split())


def main(arguments: Sequence[str]) -> None:
    """Run the program that `arguments` name, with all imports of paddle meaning refluid."""
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        option, separator, value = _split(rest.pop(0))
        if option in ("-h", "--help"):
            rest = []
        elif option in ("-V", "--version"):
            sys.stdout.write(f"refluid {__version__}\n")
            return
        elif option in ("-c", "-m", "--device"):
            if not separator:
                value = rest.pop(0) if rest else _stop(f"`{option}` needs a value after it.")
            if option != "--device":
                if option == "-c":
                    _run(program.run_code, value, rest)
                else:
                    _run(program.run_module, _LIGHT.get(value, value), rest)
                return
            _force_device(value)
        elif option == "--no-era":
            if separator:
                _stop(f"`--no-era` takes no value, but got {value!r}.")
            env.refuse_era()
        elif option in _INTERPRETER:
            _stop(f"`{option}` is for the interpreter: python {option} -m refluid ...")
        else:
            _stop(f"`{option}` is not an option of refluid; `python -m refluid --help` lists them.")
    if not rest:
        sys.stdout.write(HELP)
    elif rest[0] == "-":
        _run(program.run_input, rest[1:])
    else:
        _run(program.run_script, rest[0], rest[1:])


def _split(argument: str) -> tuple[str, str, str]:
    """Return the name of an option, what parts it from its value, and the value."""
    if argument.startswith("--"):
        return argument.partition("=")
    return argument[:2], argument[2:3], argument[2:]


def _run(run: Callable[..., None], *arguments: object) -> None:
    """Install the hook and call `run`."""
    memory.keep_freed_memory()
    try:
        install()
    except RefluidError as error:
        _stop(str(error))
    if env.era_wanted():
        era.install()
    run(*arguments)


def _force_device(name: str) -> None:
    """Make `name` the device that every place in the program means."""
    if name not in env.DEVICES:
        _stop(f"`--device` must be one of {', '.join(env.DEVICES)}, but is {name!r}.")
    env.force_device(name)


def _stop(message: str) -> NoReturn:
    """End with a message and the exit status of a wrong command line."""
    sys.stderr.write(f"refluid: {message}\n")
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
