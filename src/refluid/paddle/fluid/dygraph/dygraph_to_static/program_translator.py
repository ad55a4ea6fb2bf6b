"""`ProgramTranslator`: the switch that decides whether Paddle compiles decorated functions.

Paddle rewrites the source of a function into a static graph and runs that, for the same results.
Here a function runs as it is, switched on or off; what would hand out the static graph itself is
refused. May import: errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NoReturn

from refluid.errors import UnsupportedFluidAPI

__all__ = ["ProgramTranslator"]


class ProgramTranslator:
    """The one object that says whether `declarative` compiles; it is made only once.

    Differs from Paddle: nothing is compiled, so `enable` has no effect on results, and there is no
    program or code to be had.
    """

    __module__ = "paddle.fluid.dygraph.dygraph_to_static.program_translator"
    _instance: ClassVar[ProgramTranslator | None] = None
    enable_declarative: bool

    def __new__(cls) -> ProgramTranslator:
        """Return the only object."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
            cls._instance.enable_declarative = True
        return cls._instance

    @classmethod
    def get_instance(cls) -> ProgramTranslator:
        """Return the only object."""
        return cls()

    @classmethod
    def reset(cls) -> None:
        """Switch compiling on again, as it is in the beginning."""
        cls().enable_declarative = True

    def enable(self, enable_declarative: bool) -> None:
        """Note whether functions shall be compiled; they give the same results either way.

        Raises:
            TypeError: `enable_declarative` is not a bool.
        """
        if not isinstance(enable_declarative, bool):
            raise TypeError(
                f"`enable_declarative` must be a bool, but received {enable_declarative!r}."
            )
        self.enable_declarative = enable_declarative

    def get_output(self, dygraph_func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return what `dygraph_func(*args, **kwargs)` returns.

        Raises:
            AssertionError: `dygraph_func` cannot be called.
        """
        return _callable(dygraph_func)(*args, **kwargs)

    def get_func(self, dygraph_func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function itself, as Paddle does where compiling is switched off.

        Raises:
            AssertionError: `dygraph_func` cannot be called.
        """
        return _callable(dygraph_func)

    def get_program(self, dygraph_func: Callable[..., Any], *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: there is no program.

        Raises:
            UnsupportedFluidAPI: always.
        """
        _refuse("get_program", "call the function itself")

    def get_code(self, dygraph_func: Callable[..., Any]) -> NoReturn:
        """Refuse: no code is translated.

        Raises:
            UnsupportedFluidAPI: always.
        """
        _refuse("get_code", "`inspect.getsource(function)` gives the code that runs")

    def save_inference_model(
        self, dirname: str, feed: Sequence[int] | None = None, fetch: Sequence[int] | None = None
    ) -> NoReturn:
        """Refuse: there is no program to be saved.

        Raises:
            UnsupportedFluidAPI: always.
        """
        _refuse("save_inference_model", "`fluid.dygraph.save_dygraph(model.state_dict(), path)`")

    def get_program_cache(self) -> NoReturn:
        """Refuse: there are no programs.

        Raises:
            UnsupportedFluidAPI: always.
        """
        _refuse("get_program_cache", "leave it out")


def _callable(dygraph_func: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function, or say that it is none."""
    assert callable(dygraph_func), (
        f"`dygraph_func` must be a function, but received {type(dygraph_func).__name__}."
    )
    return dygraph_func


def _refuse(name: str, instead: str) -> NoReturn:
    """Say that a method belongs to the static graph."""
    raise UnsupportedFluidAPI(
        f"`paddle.fluid.dygraph.ProgramTranslator.{name}` gives out Paddle's static graph, which "
        f"refluid does not have: functions run as they are. Instead: {instead}."
    )
