"""Pack nested values into JSON and plain tensors, and unpack the same values, as bits.

JSON's own null, booleans, numbers, strings and arrays stand for None, bool, int, finite float, str
and list. Everything else is an object with one key, its kind, as in {"tuple": [1, 2]} or
{"tensor": {"name": "model.weight"}}; `docs/format.md` lists the kinds. Packing copies, so that
training may go on while a pack is written. Unpacking builds nothing but these kinds and runs no
code.
May import: torch, numpy, refluid.errors.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from refluid.errors import CheckpointError, StateError

__all__ = ["MAX_DEPTH", "Packed", "check_packable", "join", "pack", "unpack"]

MAX_DEPTH = 100  # far above any real state, far below what recursion and JSON parsers can bear
_EXACT_INT = 2**53  # up to here every JSON parser keeps an integer
# torch copies with several threads, which wait for each other by whole time slices where other
# processes want the cores, as data workers do: some ms for each tensor, against 2 ms for these
_ONE_THREAD_BYTES = 2**24
_SHOWN = 5  # how many offenders one error names
# numbers, dates and fixed strings; as numpy writes a dtype, with its byte order
_ARRAY_DTYPE = re.compile(r"[<>|][biufcmMSU][1-9][0-9]{0,8}(\[\w+\])?")
_PLAIN_DISPATCH = vars(torch.Tensor)["__torch_dispatch__"]
_FACTORIES: dict[str, Callable[[], Any]] = {
    f.__name__: f for f in (bool, dict, float, int, list, set, str, tuple)
}


@dataclass(frozen=True)
class Packed:
    """A value as JSON and tensors, independent of what it was packed from.

    Attributes:
        structure: None, bool, int, float, str, lists of these and dictionaries with str keys, as
            `json` writes and reads them.
        tensors: contiguous, on the CPU, each with memory of its own; `structure` refers to them.
    """

    structure: Any
    tensors: dict[str, torch.Tensor]


def pack(value: Any) -> Packed:
    """Copy a nested value into a structure and tensors.

    Accepted are None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict,
    OrderedDict, Counter, defaultdict, dense tensors of any dtype and device, torch.Size, dtype and
    device, and numpy arrays and scalars without objects in them. Subclasses of a tensor or an array
    are packed as plain ones. A tensor that occurs twice is stored once.

    Raises:
        StateError: something else is in it, or a container contains itself. Names the paths.
    """
    packer = _Packer(copying=True)
    structure = packer.encode(value, "")
    packer.raise_refused()
    return Packed(structure, packer.tensors)


def check_packable(value: Any, path: str) -> None:
    """See to it that `pack` would take `value`, without copying its tensors.

    Args:
        value: any value.
        path: what the value is called in an error.

    Raises:
        StateError: `pack` would refuse it. Names the paths.
    """
    packer = _Packer(copying=False)
    packer.encode(value, path)
    packer.raise_refused()


def unpack(packed: Packed) -> Any:
    """Build the value that was packed; its tensors may share the memory of `packed`.

    A tensor comes back on the device it was on if this process has that device, else on the CPU.

    Raises:
        CheckpointError: the structure is not one that `pack` makes, or a tensor is missing.
    """
    return _Unpacker(packed.tensors).decode(packed.structure, "")


def join(path: str, key: Any) -> str:
    """Return the path of what lies at `key` in the container at `path`."""
    # Python refuses to write very long integers in decimals
    text = hex(key) if isinstance(key, int) and abs(key) > _EXACT_INT else str(key)
    text = text.encode("utf-8", "backslashreplace").decode()
    return f"{path}.{text}" if path else text


class _Packer:
    def __init__(self, *, copying: bool) -> None:
        self._copying = copying
        self.tensors: dict[str, torch.Tensor] = {}
        self._refused: list[str] = []
        self._nodes: dict[tuple[Any, ...], dict[str, Any]] = {}  # of the tensors met so far
        self._open: set[int] = set()  # the containers around the present value

    def encode(self, value: Any, path: str) -> Any:
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind in _LEAVES:
            return _LEAVES[kind](value)
        if kind in _CONTAINERS:
            return self._container(value, path)
        if isinstance(value, torch.Tensor):
            return self._tensor(value, path)
        if isinstance(value, np.ndarray | np.generic) and not isinstance(value, np.ma.MaskedArray):
            return self._array(value, path)
        return self._refuse(path, f"is a {kind.__module__}.{kind.__qualname__}")

    def raise_refused(self) -> None:
        if self._refused:
            more = len(self._refused) - _SHOWN
            lines = self._refused[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
            raise StateError(
                "this state cannot be saved: " + "; ".join(lines) + ". Keep numbers, strings, "
                "tensors, arrays, and lists, tuples, sets and dicts of them."
            )

    def _refuse(self, path: str, what: str) -> None:
        self._refused.append(f"`{path or 'value'}` {what}")

    def _container(self, value: Any, path: str) -> Any:
        if id(value) in self._open:
            return self._refuse(path, "contains itself")
        if len(self._open) >= MAX_DEPTH:
            return self._refuse(path, f"lies more than {MAX_DEPTH} containers deep")
        self._open.add(id(value))
        node = _CONTAINERS[type(value)](self, value, path)
        self._open.discard(id(value))
        return node

    def items(self, values: Iterable[Any], path: str) -> list[Any]:
        return [self.encode(item, join(path, k)) for k, item in enumerate(values)]

    def pairs(self, value: dict[Any, Any], path: str) -> list[list[Any]]:
        # a list of pairs, since keys need not be strings and JSON promises no order
        return [
            [self.encode(key, join(path, "key")), self.encode(item, join(path, key))]
            for key, item in value.items()
        ]

    def unordered(self, values: Iterable[Any], path: str) -> list[Any]:
        # in an order of its own: a set's order differs from process to process
        return sorted(self.items(values, path), key=repr)

    def ordered(self, value: OrderedDict[Any, Any], path: str) -> dict[str, Any]:
        # torch's modules keep the version of their state's layout in this attribute
        metadata = self.encode(getattr(value, "_metadata", None), join(path, "_metadata"))
        return {"items": self.pairs(value, path), "metadata": metadata}

    def defaults(self, value: defaultdict[Any, Any], path: str) -> Any:
        factory: Any = value.default_factory
        name = factory and getattr(factory, "__name__", "")
        if factory is not None and _FACTORIES.get(name) is not factory:
            return self._refuse(path, f"is a defaultdict of {factory!r}")
        return {"items": self.pairs(value, path), "factory": name}

    def _array(self, value: np.ndarray[Any, Any] | np.generic, path: str) -> Any:
        dtype = value.dtype
        if not _ARRAY_DTYPE.fullmatch(dtype.str):
            return self._refuse(path, f"is a numpy {type(value).__name__} of dtype {dtype}")
        if isinstance(value, np.generic):
            return {"scalar": {"dtype": dtype.str, "hex": value.tobytes().hex()}}
        flat = np.frombuffer(bytearray(value.tobytes()), np.uint8)
        name = self._name(torch.from_numpy(flat), path)
        return {"array": {"name": name, "dtype": dtype.str, "shape": list(value.shape)}}

    def _tensor(self, value: torch.Tensor, path: str) -> Any:
        refusal = _refusal(value)
        if refusal:
            return self._refuse(path, f"is {refusal}")
        plain = torch.Tensor.as_subclass(torch.Tensor.detach(value), torch.Tensor)
        # a state_dict gives tied weights as two objects with one memory
        memory = plain.data_ptr() if plain.numel() else id(value)
        seen_as = (plain.dtype, plain.shape, plain.stride(), plain.is_conj(), plain.is_neg())
        identity = (memory, plain.device, *seen_as)
        if identity not in self._nodes:
            self._nodes[identity] = self._new_tensor(plain, path)
        return {"tensor": dict(self._nodes[identity])}

    def _new_tensor(self, plain: torch.Tensor, path: str) -> dict[str, Any]:
        if not self._copying:
            return {}
        copy = _contiguous_copy(plain)
        node: dict[str, Any] = {"name": self._name(copy, path)}
        # an order in memory such as channels-last: fused optimizers need that of the weight
        if plain.stride() != copy.stride() and _is_dense(plain.shape, plain.stride()):
            node["strides"] = list(plain.stride())
        if plain.device.type != "cpu":
            node["device"] = str(plain.device)
        return node

    def _name(self, tensor: torch.Tensor, path: str) -> str:
        # `__metadata__` means something else in a safetensors file
        base = name = path if path not in ("", "__metadata__") else f"value{path}"
        count = 1
        while name in self.tensors:
            count += 1
            name = f"{base}#{count}"
        self.tensors[name] = tensor
        return name


class _Unpacker:
    """One method for each kind that needs this object; the fields of a node are its arguments."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        self._tensors = tensors
        self._built: dict[str, torch.Tensor] = {}
        self._depth = 0

    def decode(self, node: Any, path: str) -> Any:
        kind = type(node)
        if node is None or kind in (bool, int, str) or (kind is float and math.isfinite(node)):
            return node
        if self._depth > MAX_DEPTH:
            raise _malformed(path, f"lies more than {MAX_DEPTH} containers deep")
        self._depth += 1
        try:
            if type(node) is list:
                return self.items(node, path)
            ((kind, body),) = node.items()
            return _DECODERS[kind](self, body, path)
        except (ArithmeticError, AttributeError, LookupError, RuntimeError) as error:
            # RuntimeError also is what our own CheckpointError of a deeper node is
            raise error if isinstance(error, CheckpointError) else _malformed(path, error) from None
        except (TypeError, ValueError, struct.error) as error:
            raise _malformed(path, error) from None
        finally:
            self._depth -= 1

    def items(self, nodes: list[Any], path: str) -> list[Any]:
        if type(nodes) is not list:
            raise TypeError("expected an array")
        return [self.decode(node, join(path, k)) for k, node in enumerate(nodes)]

    def unordered(self, nodes: list[Any], path: str) -> set[Any]:
        values = set(self.items(nodes, path))
        if len(values) != len(nodes):
            raise ValueError("an element occurs twice")
        return values

    def pairs(self, pairs: list[Any], path: str) -> dict[Any, Any]:
        value: dict[Any, Any] = {}
        for key_node, node in pairs:
            key = self.decode(key_node, join(path, "key"))
            if key in value:
                raise ValueError(f"the key {key!r} occurs twice")
            value[key] = self.decode(node, join(path, key))
        return value

    def ordered(self, path: str, *, items: list[Any], metadata: Any) -> OrderedDict[Any, Any]:
        value = OrderedDict(self.pairs(items, path))
        if metadata is not None:
            vars(value)["_metadata"] = self.decode(metadata, join(path, "_metadata"))
        return value

    def defaults(self, path: str, *, items: list[Any], factory: str | None) -> Any:
        value = self.pairs(items, path)
        return defaultdict(None if factory is None else _FACTORIES[factory], value)

    def array(self, *, name: str, dtype: str, shape: list[int]) -> np.ndarray[Any, Any]:
        kind = _array_dtype(dtype)
        data = self._tensors[name]
        if min(shape, default=0) < 0 or math.prod(shape) * kind.itemsize != data.numel():
            raise ValueError(f"{data.numel()} bytes are not a {dtype} array of shape {shape}")
        return np.frombuffer(bytearray(data.numpy().tobytes()), kind).reshape(shape)

    def tensor(
        self, *, name: str, strides: list[int] | None = None, device: str = "cpu"
    ) -> torch.Tensor:
        if name not in self._built:
            tensor = self._tensors[name]
            if strides is not None:
                if len(strides) != tensor.dim() or not _is_dense(tensor.shape, strides):
                    raise ValueError(f"strides {strides} do not fit {tuple(tensor.shape)}")
                empty = torch.empty_strided(tensor.shape, strides, dtype=tensor.dtype)
                tensor = empty.copy_(tensor)
            self._built[name] = tensor.to(_present(device))
        return self._built[name]


def _contiguous_copy(plain: torch.Tensor) -> torch.Tensor:
    """Copy values to the CPU, into memory of their own."""
    if plain.is_cpu and plain.is_contiguous() and 0 < plain.nbytes <= _ONE_THREAD_BYTES:
        flat = plain.resolve_conj().resolve_neg().reshape(-1)
        copy = torch.from_numpy(flat.view(torch.uint8).numpy().copy())
        return copy.view(plain.dtype).reshape(plain.shape)
    copy = plain.to("cpu", copy=True, memory_format=torch.contiguous_format)
    return copy.resolve_conj().resolve_neg()


def _refusal(value: torch.Tensor) -> str | None:
    """Say what keeps a tensor from being plain numbers in memory, or return None."""
    if torch.nn.parameter.is_lazy(value):
        return "a parameter without a shape yet; run the model once before"
    if getattr(type(value), "__torch_dispatch__", None) is not _PLAIN_DISPATCH:
        return f"a {type(value).__qualname__}, which wraps other tensors"
    for name, is_so in (
        (str(value.layout).removeprefix("torch."), value.layout != torch.strided),
        ("nested", value.is_nested),
        ("quantized", value.is_quantized),
        ("meta", value.is_meta),
    ):
        if is_so:
            return f"a {name} tensor"
    return None


def _malformed(path: str, problem: object) -> CheckpointError:
    what = f"{type(problem).__name__}: {problem}" if isinstance(problem, Exception) else problem
    return CheckpointError(f"The stored state is malformed at `{path or 'value'}`: {what}.")


def _array_dtype(text: str) -> np.dtype[Any]:
    # only this form: numpy's own parser also takes structures, objects and names it warns of
    if not _ARRAY_DTYPE.fullmatch(text):
        raise ValueError(f"no dtype of an array: {text!r}")
    return np.dtype(text)


def _present(device: str) -> torch.device:
    """Return the device of this name if it is here, else the CPU."""
    wanted = torch.device(device)
    here = torch.accelerator.current_accelerator()
    if here is None or here.type != wanted.type:
        return torch.device("cpu")
    return wanted if (wanted.index or 0) < torch.accelerator.device_count() else torch.device("cpu")


def _pack_int(value: int) -> Any:
    return value if abs(value) <= _EXACT_INT else {"int": hex(value)}


def _pack_float(value: float) -> Any:
    return value if math.isfinite(value) else {"float": struct.pack(">d", value).hex()}


def _pack_str(value: str) -> Any:
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON would join two lone surrogates into one character
        return {"str": value.encode("utf-8", "surrogatepass").hex()}
    return value


def _unpack_scalar(*, dtype: str, hex: str) -> np.generic:
    (value,) = np.frombuffer(bytes.fromhex(hex), _array_dtype(dtype))
    return value


def _unpack_dtype(name: str) -> torch.dtype:
    # not getattr, which imports modules of some names
    dtype = vars(torch)[name]
    if not isinstance(dtype, torch.dtype):
        raise TypeError(f"no dtype of torch: {name!r}")
    return dtype


_LEAVES: dict[type, Callable[[Any], Any]] = {
    int: _pack_int,
    float: _pack_float,
    str: _pack_str,
    complex: lambda value: {"complex": struct.pack(">dd", value.real, value.imag).hex()},
    bytes: lambda value: {"bytes": base64.b64encode(value).decode()},
    torch.Size: lambda value: {"size": list(value)},
    torch.dtype: lambda value: {"dtype": str(value).removeprefix("torch.")},
    torch.device: lambda value: {"device": str(value)},
}
_CONTAINERS: dict[type, Callable[[_Packer, Any, str], Any]] = {
    list: lambda packer, value, path: packer.items(value, path),
    tuple: lambda packer, value, path: {"tuple": packer.items(value, path)},
    set: lambda packer, value, path: {"set": packer.unordered(value, path)},
    frozenset: lambda packer, value, path: {"frozenset": packer.unordered(value, path)},
    dict: lambda packer, value, path: {"dict": packer.pairs(value, path)},
    Counter: lambda packer, value, path: {"counter": packer.pairs(value, path)},
    OrderedDict: lambda packer, value, path: {"ordereddict": packer.ordered(value, path)},
    defaultdict: lambda packer, value, path: {"defaultdict": packer.defaults(value, path)},
}
_DECODERS: dict[str, Callable[[_Unpacker, Any, str], Any]] = {
    "int": lambda unpacker, body, path: int(body, 16),
    "float": lambda unpacker, body, path: struct.unpack(">d", bytes.fromhex(body))[0],
    "str": lambda unpacker, body, path: bytes.fromhex(body).decode("utf-8", "surrogatepass"),
    "complex": lambda unpacker, body, path: complex(*struct.unpack(">dd", bytes.fromhex(body))),
    "bytes": lambda unpacker, body, path: base64.b64decode(body, validate=True),
    "size": lambda unpacker, body, path: torch.Size(body),
    "dtype": lambda unpacker, body, path: _unpack_dtype(body),
    "device": lambda unpacker, body, path: torch.device(body),
    "scalar": lambda unpacker, body, path: _unpack_scalar(**body),
    "array": lambda unpacker, body, path: unpacker.array(**body),
    "tensor": lambda unpacker, body, path: unpacker.tensor(**body),
    "tuple": lambda unpacker, body, path: tuple(unpacker.items(body, path)),
    "set": lambda unpacker, body, path: unpacker.unordered(body, path),
    "frozenset": lambda unpacker, body, path: frozenset(unpacker.unordered(body, path)),
    "dict": lambda unpacker, body, path: unpacker.pairs(body, path),
    "counter": lambda unpacker, body, path: Counter(unpacker.pairs(body, path)),
    "ordereddict": lambda unpacker, body, path: unpacker.ordered(path, **body),
    "defaultdict": lambda unpacker, body, path: unpacker.defaults(path, **body),
}


def _is_dense(shape: Iterable[int], strides: Iterable[int]) -> bool:
    """Tell whether the elements fill their memory without gaps, in whatever order."""
    step = 1
    for stride, size in sorted((b, a) for a, b in zip(shape, strides, strict=True) if a != 1):
        if stride != step or size == 0:
            return False
        step *= size
    return True
