"""The stack machine that reads a pickle and runs nothing of it.

A machine of its own for the opcodes that Paddle checkpoints consist of, in place of
`pickle.Unpickler`, which imports what a file names and calls it, and reserves whatever memory a
file asks for. Here an opcode, a name or a value that is not known ends the reading, and a size in
a file is believed only as far as the file reaches.

What comes out is not finished: arrays are still shells, and parts may be shared without end.
May import: errors, pickle_objects.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, BinaryIO

from refluid.checkpoint.pickle_objects import KNOWN, ElementType, Known, Shell
from refluid.errors import CheckpointError

__all__ = ["Machine", "describe"]

_MAX_STEPS = 1_000_000  # opcodes; an array takes about 20
_MAX_NAME = 256  # characters of a module's or a class's name
_PROTOCOLS = (2, 3, 4, 5)
# PROTO; MARK, GLOBAL and INST too, so that a hostile file of protocol 0 is refused by what it names
_BEGINNINGS = b"\x80(ci"


class Machine:
    """The stack machine: one method for each opcode that is known."""

    def __init__(self, stream: BinaryIO, size: int, note: str | None) -> None:
        self._stream = stream
        self._size = self._left = size
        self._note = note
        # Each byte of the file is turned once into bytes, once into an array; the rest is slack
        self._budget = 3 * size
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    @property
    def position(self) -> int:
        """The number of bytes that have been read."""
        return self._size - self._left

    def run(self) -> Any:
        """Execute the opcodes up to STOP and return the one value that is left."""
        code = self._read(1)
        if code not in _BEGINNINGS:
            raise CheckpointError(
                f"it does not begin as a checkpoint does, but with the byte {code[0]:#04x}"
            )
        for _ in range(_MAX_STEPS):
            if code == b".":
                return self._stop()
            step = _STEPS.get(code)
            if step is None:
                raise CheckpointError(self._unknown(code))
            step(self)
            code = self._read(1)
        raise CheckpointError(f"it has more than {_MAX_STEPS} steps")

    def _stop(self) -> Any:
        if len(self._stack) != 1 or self._marks:
            raise CheckpointError("it ends before its parts have been put together")
        if self._left:
            raise CheckpointError(f"{self._left} bytes follow its end")
        return self._stack.pop()

    def _unknown(self, code: bytes) -> str:
        if code in _OTHER:
            return f"it uses the opcode {_OTHER[code]}, which a checkpoint has no use for"
        return f"it is damaged: {code[0]:#04x} stands where an opcode is due"

    # --- bytes ------------------------------------------------------------------------------

    def _read(self, count: int) -> bytes:
        if count > self._left:
            raise CheckpointError(
                f"it is cut off: {count} more bytes are announced where {self._left} are left"
            )
        data = self._stream.read(count)
        if len(data) != count:
            raise CheckpointError("it became shorter while it was read")
        self._left -= count
        return data

    def _number(self, layout: struct.Struct) -> Any:
        return layout.unpack(self._read(layout.size))[0]

    def _line(self) -> str:
        limit = min(_MAX_NAME, self._left)
        line = self._stream.readline(limit)
        self._left -= len(line)
        if not line.endswith(b"\n") or not line.isascii():
            raise CheckpointError("a name in it does not end where it should")
        return line[:-1].decode("ascii")

    def _spend(self, count: int) -> None:
        self._budget -= count
        if self._budget < 0:
            raise CheckpointError("it makes more bytes of arrays than the file has")

    # --- the stack --------------------------------------------------------------------------

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        self._peek()
        return self._stack.pop()

    def _peek(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise CheckpointError("it takes a value where there is none")
        return self._stack[-1]

    def _pop_to_mark(self) -> list[Any]:
        if not self._marks:
            raise CheckpointError("it ends a group that was not begun")
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _tuple(self, count: int) -> None:
        items = [self._pop() for _ in range(count)]
        self._push(tuple(reversed(items)))

    def _mark(self) -> None:
        self._marks.append(len(self._stack))

    def _drop(self) -> None:
        value = self._pop()
        if type(value) is not str or value != self._note:
            raise CheckpointError("it drops a value; if refluid wrote it, its checksum is damaged")

    # --- values -----------------------------------------------------------------------------

    def _protocol(self) -> None:
        version = self._read(1)[0]
        if version not in _PROTOCOLS:
            raise CheckpointError(f"pickle protocol {version} is not one of {_PROTOCOLS}")

    def _frame(self) -> None:
        length = self._number(_UINT64)
        if length > self._left:
            raise CheckpointError(
                f"it is cut off: {length} more bytes are announced where {self._left} are left"
            )

    def _integer_line(self) -> None:
        digits = self._line()
        if not digits.removeprefix("-").isdigit() or len(digits) > 20:
            raise CheckpointError("an integer in it is malformed")
        self._push(int(digits))

    def _long_integer(self) -> None:
        self._push(int.from_bytes(self._read(self._read(1)[0]), "little", signed=True))

    def _text(self, length: struct.Struct) -> None:
        data = self._read(self._number(length))
        try:
            self._push(data.decode("utf-8"))
        except UnicodeDecodeError:
            raise CheckpointError("a text in it is not UTF-8") from None

    def _old_text(self, length: struct.Struct) -> None:
        # Python 2's str: what it meant is not known, so each byte becomes a character
        self._push(self._read(self._number(length)).decode("latin-1"))

    def _binary(self, length: struct.Struct) -> None:
        self._push(self._read(self._number(length)))

    # --- containers -------------------------------------------------------------------------

    def _append(self, values: list[Any]) -> None:
        target = self._peek()
        if type(target) is not list:
            raise CheckpointError(f"it appends to a {describe(target)}")
        target.extend(values)

    def _set_items(self, values: list[Any]) -> None:
        target = self._peek()
        if type(target) is not dict:
            raise CheckpointError(f"it sets items of a {describe(target)}")
        if len(values) % 2:
            raise CheckpointError("a dictionary has a key without a value")
        for key in values[::2]:
            # Other keys can be chosen so that a small file keeps a dictionary busy for hours
            if type(key) is not str:
                raise CheckpointError(f"a dictionary key is a {describe(key)}, not a string")
        target.update(zip(values[::2], values[1::2], strict=True))

    def _append_one(self) -> None:
        self._append([self._pop()])

    def _append_many(self) -> None:
        self._append(self._pop_to_mark())

    def _set_one(self) -> None:
        value = self._pop()
        self._set_items([self._pop(), value])

    def _set_many(self) -> None:
        self._set_items(self._pop_to_mark())

    # --- memo -------------------------------------------------------------------------------

    def _put(self, index: int) -> None:
        self._memo[index] = self._peek()

    def _get(self, index: int) -> None:
        if index not in self._memo:
            raise CheckpointError(f"it refers to value {index}, which it has not given")
        self._push(self._memo[index])

    # --- names ------------------------------------------------------------------------------

    def _name(self) -> None:
        self._push(_known(self._line(), self._line()))

    def _name_from_stack(self) -> None:
        name, module = self._pop(), self._pop()
        if type(name) is not str or type(module) is not str:
            raise CheckpointError("a name in it is not a string")
        self._push(_known(module, name))

    def _instance(self) -> None:
        known = _known(self._line(), self._line())
        raise CheckpointError(f"it makes an object of {known.name} by the opcode INST")

    def _call(self) -> None:
        args, function = self._pop(), self._pop()
        if type(function) is not Known or function.call is None or type(args) is not tuple:
            raise CheckpointError(f"it calls a {describe(function)}")
        self._push(function.call(args, self._spend))

    def _build(self) -> None:
        state, target = self._pop(), self._peek()
        if type(target) is Shell:
            target.build(state, self._spend)
        elif type(target) is ElementType:
            target.build(state)
        else:
            raise CheckpointError(f"it gives a state to a {describe(target)}")


def _known(module: str, name: str) -> Known:
    known = KNOWN.get((module, name))
    if known is None:
        shown = f"{module}.{name}"[:_MAX_NAME]
        raise CheckpointError(
            f"it refers to {shown!r}, which a checkpoint has no use for; it was refused and "
            "nothing of it was run"
        )
    return known


def describe(value: Any) -> str:
    """Return what a value on the stack is, for an error message."""
    return value.name if type(value) is Known else type(value).__name__


_UINT8 = struct.Struct("<B")
_UINT16 = struct.Struct("<H")
_UINT32 = struct.Struct("<I")
_UINT64 = struct.Struct("<Q")
_INT32 = struct.Struct("<i")
_DOUBLE = struct.Struct(">d")

# Named, so that a refusal says what the file tried
_OTHER = {
    b"\x81": "NEWOBJ",
    b"\x92": "NEWOBJ_EX",
    b"o": "OBJ",
    b"P": "PERSID",
    b"Q": "BINPERSID",
    b"\x82": "EXT1",
    b"\x83": "EXT2",
    b"\x84": "EXT4",
    b"\x98": "READONLY_BUFFER",
    b"\x97": "NEXT_BUFFER",
    b"d": "DICT",
    b"l": "LIST",
    b"p": "PUT",
    b"g": "GET",
    b"S": "STRING",
    b"V": "UNICODE",
    b"F": "FLOAT",
    b"L": "LONG",
}

_Step = Callable[[Machine], None]
_STEPS: dict[bytes, _Step] = {
    b"\x80": Machine._protocol,
    b"\x95": Machine._frame,
    b"(": Machine._mark,
    b"0": Machine._drop,
    b"N": lambda m: m._push(None),
    b"\x88": lambda m: m._push(True),
    b"\x89": lambda m: m._push(False),
    b"K": lambda m: m._push(m._number(_UINT8)),
    b"M": lambda m: m._push(m._number(_UINT16)),
    b"J": lambda m: m._push(m._number(_INT32)),
    b"I": Machine._integer_line,
    b"\x8a": Machine._long_integer,
    b"G": lambda m: m._push(m._number(_DOUBLE)),
    b"\x8c": lambda m: m._text(_UINT8),
    b"X": lambda m: m._text(_UINT32),
    b"\x8d": lambda m: m._text(_UINT64),
    b"U": lambda m: m._old_text(_UINT8),
    b"T": lambda m: m._old_text(_UINT32),
    b"C": lambda m: m._binary(_UINT8),
    b"B": lambda m: m._binary(_UINT32),
    b"\x8e": lambda m: m._binary(_UINT64),
    b"\x96": lambda m: m._binary(_UINT64),  # a bytearray, which here is not written to
    b")": lambda m: m._push(()),
    b"\x85": lambda m: m._tuple(1),
    b"\x86": lambda m: m._tuple(2),
    b"\x87": lambda m: m._tuple(3),
    b"t": lambda m: m._push(tuple(m._pop_to_mark())),
    b"]": lambda m: m._push([]),
    b"a": Machine._append_one,
    b"e": Machine._append_many,
    b"}": lambda m: m._push({}),
    b"s": Machine._set_one,
    b"u": Machine._set_many,
    b"q": lambda m: m._put(m._number(_UINT8)),
    b"r": lambda m: m._put(m._number(_UINT32)),
    b"\x94": lambda m: m._put(len(m._memo)),
    b"h": lambda m: m._get(m._number(_UINT8)),
    b"j": lambda m: m._get(m._number(_UINT32)),
    b"c": Machine._name,
    b"\x93": Machine._name_from_stack,
    b"i": Machine._instance,
    b"R": Machine._call,
    b"b": Machine._build,
}
