"""`ParamAttr`: name, start, learning rate and regularizer of one parameter.

Same as Paddle 1.8. May import: initializer, regularizer.
"""

from __future__ import annotations

from typing import Any

from refluid.paddle.fluid.initializer import Constant, Initializer, Xavier
from refluid.paddle.fluid.regularizer import WeightDecayRegularizer

__all__ = ["ParamAttr"]


class ParamAttr:
    """Attributes of a parameter.

    Args:
        name: a name of your own, unique in the guard; by default one is made.
        initializer: where it starts; by default Xavier for weights, 0 for biases.
        learning_rate: multiplies the optimizer's rate for this parameter.
        regularizer: replaces the optimizer's for this parameter.
        trainable: False freezes it.
        do_model_average: accepted for compatibility.

    Raises:
        TypeError: an argument is of another type.
        ValueError: `name` is empty.
    """

    def __init__(
        self,
        name: str | None = None,
        initializer: Initializer | None = None,
        learning_rate: float = 1.0,
        regularizer: WeightDecayRegularizer | None = None,
        trainable: bool = True,
        do_model_average: bool = True,
    ) -> None:
        _check("name", name, (str, type(None)))
        _check("learning_rate", learning_rate, (float, int))
        _check("trainable", trainable, (bool,))
        _check("do_model_average", do_model_average, (bool,))
        if name == "":
            raise ValueError("`name` of a ParamAttr must not be empty; leave it out instead.")
        self.name = name
        self.initializer = initializer
        self.learning_rate = learning_rate
        self.regularizer = regularizer
        self.trainable = trainable
        self.do_model_average = do_model_average

    def _set_default_initializer(self, initializer: Initializer | None) -> None:
        if initializer is None and self.initializer is None:
            raise ValueError("`initializer` of this ParamAttr is not set.")
        self.initializer = self.initializer or initializer

    def _set_default_param_initializer(self) -> None:
        self._set_default_initializer(Xavier())

    def _set_default_bias_initializer(self) -> None:
        self._set_default_initializer(Constant(0.0))

    @staticmethod
    def _to_attr(arg: Any) -> Any:
        """Return the ParamAttr that an argument `param_attr=` or `bias_attr=` stands for.

        None and True mean the defaults, False no parameter, a str its name, an initializer or
        regularizer that alone; a list gives a list.
        """
        if arg is None or arg is True:
            return ParamAttr()
        if arg is False or isinstance(arg, ParamAttr):
            return arg
        if isinstance(arg, (list, tuple)):
            return [ParamAttr._to_attr(a) for a in arg]
        if isinstance(arg, str):
            return ParamAttr(name=arg)
        if isinstance(arg, Initializer):
            return ParamAttr(initializer=arg)
        if isinstance(arg, WeightDecayRegularizer):
            return ParamAttr(regularizer=arg)
        raise TypeError(
            "a parameter's attribute must be a ParamAttr, a name, an initializer, a regularizer, "
            f"False or None, but received {arg!r}."
        )


def _check(name: str, value: Any, types: tuple[type, ...]) -> None:
    if not isinstance(value, types):
        expected = " or ".join(t.__name__ for t in types)
        raise TypeError(f"`{name}` of ParamAttr must be {expected}, but received {value!r}.")
