"""Attributes for types that are written in C, whose classes Python lets nobody write to.

Their dictionaries are ordinary ones. A conversion such as `float(array)` is besides a pointer in
the type's table of functions; the pointer of types that are written in Python, which looks for the
attribute, is put in its place. Where an interpreter keeps its types in another way than expected,
which is found out before anything is written, nothing is changed.
May import: nothing of refluid.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any

__all__ = ["put"]

_WORD = ctypes.sizeof(ctypes.c_void_p)
# where things stand, in words: of PyTypeObject, of PyNumberMethods, of PyWrapperDescrObject
_BASIC_SIZE, _ITEM_SIZE, _NUMBERS = 4, 5, 12
_SLOTS = {"__int__": 16, "__float__": 18}
_WRAPPED = 6


class _Python:
    """A type whose conversions look for its attributes."""

    def __int__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0


def put(cls: type, name: str, value: object) -> bool:
    """Give a class an attribute, for its instances that are there too.

    Args:
        cls: the class.
        name: of the attribute; of the special methods `__int__` and `__float__` alone.
        value: a function or another descriptor.

    Returns:
        False if this interpreter's types cannot be changed.
    """
    if sys.implementation.name != "cpython":
        return False
    slot = model = None
    if name in _SLOTS:
        slot, model = _slot(cls, name), _slot(_Python, name)
        if slot is None or model is None or _wrapped(cls.__dict__[name]) != slot.value:
            return False
    attributes: Any = gc.get_referents(cls.__dict__)[0]
    if not isinstance(attributes, dict):
        return False
    attributes[name] = value
    if slot is not None and model is not None:
        slot.value = model.value
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))
    return True


def _slot(cls: type, name: str) -> ctypes.c_void_p | None:
    """Return a pointer of a type's table of functions, None if the type is not as expected."""
    words = (ctypes.c_void_p * (_NUMBERS + 1)).from_address(id(cls))
    sizes = (words[_BASIC_SIZE] or 0, words[_ITEM_SIZE] or 0)
    numbers = words[_NUMBERS]
    if sizes != (cls.__basicsize__, cls.__itemsize__) or not numbers:
        return None
    return ctypes.c_void_p.from_address(numbers + _WORD * _SLOTS[name])


def _wrapped(wrapper: object) -> int | None:
    """Return the function that a special method of a type in C stands for."""
    return ctypes.c_void_p.from_address(id(wrapper) + _WORD * _WRAPPED).value
