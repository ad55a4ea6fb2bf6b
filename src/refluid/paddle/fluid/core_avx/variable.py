"""`VarBase`: a torch.Tensor that behaves as Paddle 1.8's dynamic-graph variable.

Everything made for PyTorch accepts it, since it is a tensor; torch functions called on it return
plain tensors (`__torch_function__` is disabled, as in torch.nn.Parameter). Paddle's own view of it
is added here: shape as a list, dtype as VarType, names, gradients as arrays, printing.

An operator result becomes a VarBase by `wrap`, which changes the class of the fresh tensor in
place, so that wrapping costs no copy and leaves no trace in the graph.
May import: torch, numpy, arithmetic, array, dtype, error, lod_tensor, place, strategy, text,
tracer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from refluid.paddle.fluid.core_avx import arithmetic, tracer
from refluid.paddle.fluid.core_avx.array import Array
from refluid.paddle.fluid.core_avx.dtype import VarType, to_torch_dtype, to_var_type
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.lod_tensor import LoDTensor
from refluid.paddle.fluid.core_avx.place import Place, place_of
from refluid.paddle.fluid.core_avx.strategy import BackwardStrategy
from refluid.paddle.fluid.core_avx.text import tensor_text

__all__ = ["VarBase", "from_numpy", "plain", "seen", "wrap"]

_Tensor = torch.Tensor
_shape = torch.Tensor.shape.__get__  # type: ignore[attr-defined]
_dtype = torch.Tensor.dtype.__get__  # type: ignore[attr-defined]
_plain = torch.Tensor.as_subclass


class VarBase(torch.Tensor):
    """A variable of the dynamic graph.

    Same as Paddle 1.8, and besides a torch.Tensor with all its methods (docs/differences.md).

    Args:
        value: the array to start from, on `place`, or on the guard's place.
        zero_copy: share the array's memory where that is possible.
        name: name of the variable; by default `generated_var_N`.
    """

    __module__ = "paddle.fluid.core_avx"
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    _element_type = torch.Tensor.dtype  # torch's, without a call from Python
    persistable = False
    _name: str | None = None
    _number: int | None = None
    _prefix = "tmp"
    _cut = False  # stop_gradient was set on an operator's result
    _freed = False  # a backward pass has freed the graph behind it
    _result_grad: torch.Tensor | None = None
    _lod: Sequence[list[int]] = ()  # at which rows the images of a result of detection begin

    def __new__(
        cls,
        value: np.ndarray,
        place: Place | None = None,
        persistable: bool = False,
        zero_copy: bool = False,
        name: str = "",
    ) -> VarBase:
        """Make a variable of an array."""
        out = from_numpy(value, place or tracer.current_place(), zero_copy=zero_copy, name=name)
        out.persistable = persistable
        return out

    # --- what it is -------------------------------------------------------------------------

    @property
    def shape(self) -> list[int]:  # type: ignore[override]
        """The sizes as a list of ints."""
        return list(_shape(self))

    @property
    def dtype(self) -> VarType:  # type: ignore[override]
        """The element type, as `VarType`."""
        return to_var_type(_dtype(self))

    @property
    def type(self) -> VarType:  # type: ignore[override]
        """The kind of variable: a dense tensor, or the rows of a sparse gradient."""
        return VarType.SELECTED_ROWS if self.is_sparse else VarType.LOD_TENSOR

    @property
    def name(self) -> str:
        """The given name, or one made of the variable's number in this guard."""
        if self._name is None:
            if self._number is None:
                self._number = tracer.next_number()
            self._name = f"{self._prefix}_{self._number}"
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def stop_gradient(self) -> bool:
        """True if no gradient flows into or through this variable."""
        return self._cut or not self.requires_grad

    @stop_gradient.setter
    def stop_gradient(self, value: bool) -> None:
        if not self.is_leaf:
            self._cut = bool(value)
        elif self.is_floating_point():
            self.requires_grad_(not value)
            if not value:
                tracer.note_leaf(self)

    @property
    def place(self) -> Place:
        """The place where the variable lives."""
        return place_of(self)

    # --- values -----------------------------------------------------------------------------

    def numpy(self) -> Array:  # type: ignore[override]
        """Return a copy of the values; its single element converts to a number."""
        source = _Tensor.numpy(_Tensor.detach(self).cpu())
        return np.array(source, order="C", copy=True).view(Array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = np.asarray(self.numpy())
        return array if dtype is None else array.astype(dtype, copy=False)

    def detach(self) -> VarBase:
        """Return a copy of the values that is not part of the graph."""
        return wrap(_Tensor.detach(self).clone())

    def astype(self, dtype: Any) -> VarBase:
        """Return the values as another element type (a VarType, NumPy type or name)."""
        return wrap(seen(self).to(to_torch_dtype(dtype), copy=True))

    def set_value(self, value: VarBase | np.ndarray) -> None:
        """Overwrite the values in place.

        Args:
            value: same shape and element type as this variable.

        Raises:
            AssertionError: it is neither a Variable nor an array, or its shape or dtype differs.
        """
        source = value
        if isinstance(source, np.ndarray):
            source = torch.from_numpy(_shareable(source))
        if not isinstance(source, torch.Tensor):
            raise AssertionError(
                f"set_value: `value` must be a Variable or a numpy.ndarray, "
                f"but received {_kind(value)}."
            )
        if _shape(self) != _shape(source):
            raise AssertionError(
                f"set_value: `{self.name}` has shape {self.shape}, "
                f"but `value` has shape {list(_shape(source))}."
            )
        if _dtype(self) is not _dtype(source):
            raise AssertionError(
                f"set_value: `{self.name}` is {_dtype(self)}, but `value` is {_dtype(source)}; "
                "convert it with astype."
            )
        # .data: Paddle lets a graph that was built before see the new values
        self.data.copy_(_Tensor.detach(source))

    def value(self) -> VarBase:
        """Return the variable itself, which stands for Paddle's C++ variable."""
        return self

    def get_tensor(self) -> LoDTensor:
        """Return the variable as Paddle's C++ tensor: what is set in one is set in both."""
        return _TensorOf(self)

    def lod(self) -> list[list[int]]:
        """Return at which rows the images of a result of detection begin, else no level."""
        return [list(level) for level in self._lod]

    def set_lod(self, lod: Iterable[Iterable[int]]) -> None:
        """Note at which rows images begin, for `roi_align` and `roi_pool`.

        Args:
            lod: one level of ascending numbers, from 0 to the number of rows.
        """
        self._lod = [[int(start) for start in level] for level in lod]

    # --- gradients --------------------------------------------------------------------------

    def backward(  # type: ignore[override]
        self, backward_strategy: BackwardStrategy | None = None, retain_graph: bool = False
    ) -> None:
        """Compute the gradients of everything this variable depends on, starting from ones.

        Gradients of the leaves that are reached are replaced, never added to.

        Args:
            backward_strategy: accepted for compatibility; torch fixes the order of summation.
            retain_graph: keep the graph for another backward pass.
        """
        if not self._cut:
            tracer.backward(self, retain_graph)

    def _grad_ivar(self) -> torch.Tensor | None:
        grad = self.grad if self.is_leaf else self._result_grad
        return wrap(grad) if grad is not None else None

    def gradient(self) -> np.ndarray | tuple[np.ndarray, np.ndarray] | None:
        """Return the gradient as an array, None before the first backward pass.

        A sparse gradient is (values of the rows, row numbers), repeated rows kept.
        """
        grad = self._grad_ivar()
        if grad is None:
            return None
        if grad.is_sparse:
            rows = _Tensor.detach(grad)._indices()[0]
            return (
                _Tensor.numpy(_Tensor.detach(grad)._values().cpu()).copy(),
                _Tensor.numpy(rows.cpu()).copy(),
            )
        return grad.numpy()

    def clear_gradient(self) -> None:
        """Set the gradient to zeros; one that was never computed stays None."""
        if self.is_leaf:
            if self.grad is not None:
                self.grad = torch.zeros_like(self.grad)
        elif self._result_grad is not None:
            self._result_grad = torch.zeros_like(self._result_grad)

    # --- parts; the signs + - * / and so on are added below -----------------------------------

    def __neg__(self) -> VarBase:
        return wrap(torch.neg(seen(self)))

    def __getitem__(self, index: Any) -> VarBase:
        """Return a copy of a part: ints and slices, for the first dimensions."""
        return own(self, arithmetic.part(seen(self), index))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a Variable's items cannot be assigned; compute a new one, or overwrite all values "
            "with set_value."
        )

    # --- conversions and text ---------------------------------------------------------------

    def __bool__(self) -> bool:
        assert self.numel() == 1, (
            f"a Variable used as a condition must have one element, but `{self.name}` has shape "
            f"{self.shape}."
        )
        return bool(self.item() > 0)

    def _single(self, target: str) -> Any:
        assert self.numel() == 1, (
            f"only a Variable of one element can be converted to {target}, but `{self.name}` has "
            f"shape {self.shape}."
        )
        return self.item()

    def __float__(self) -> float:
        return float(self._single("float"))

    def __int__(self) -> int:
        return int(self._single("int"))

    def __index__(self) -> int:
        return int(self._single("an index"))

    def __len__(self) -> int:
        return _shape(self)[0]

    def __iter__(self) -> Iterator[VarBase]:
        return (self[k] for k in range(len(self)))

    def to_string(self, throw_on_error: bool, with_details: bool = False) -> str:
        """Return Paddle's text of the variable: name, dtype, shape and all values."""
        text = tensor_text(self, self._lod)
        return f"name {self.name}, dtype: {self.dtype} shape: {self.shape} {text}"

    def __str__(self) -> str:
        return self.to_string(True)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"<paddle.fluid.core_avx.VarBase object at {id(self):#x}>"

    def __format__(self, spec: str) -> str:
        if spec:
            raise TypeError(
                f"a Variable has no format {spec!r}; format its value, as in "
                "'{:.2f}'.format(float(x))."
            )
        return str(self)

    def __hash__(self) -> int:
        return id(self)


def _method(name: str) -> Any:
    scales = arithmetic.METHODS[name][0] in "+-*/"

    def method(self: VarBase, other: Any) -> VarBase:
        with torch._C.DisableTorchFunctionSubclass():  # for speed, as in `operator`
            if isinstance(other, torch.Tensor):
                other = seen(other)
            elif not scales:
                tracer.next_number()  # Paddle makes a variable of the number, which shows in names
            return wrap(arithmetic.combine(name, seen(self), other))

    method.__name__ = name
    method.__qualname__ = f"VarBase.{name}"
    return method


for _name in arithmetic.METHODS:
    setattr(VarBase, _name, _method(_name))
# Python falls back to these for `x += 1`, which binds a new variable, as in Paddle
for _name in ("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow"):
    setattr(VarBase, f"__{_name}__", getattr(VarBase, f"__{_name[1:]}__"))


def own(source: torch.Tensor, view: torch.Tensor) -> VarBase:
    """Wrap a view of `source`, copied where `source` is a leaf, which may be overwritten later."""
    return wrap(view.clone() if source.is_leaf else view)


class _TensorOf(LoDTensor):
    """The tensor of a variable, as in `var.value().get_tensor().set(array, place)`."""

    def __init__(self, variable: VarBase) -> None:
        self._variable = variable

    def set(self, array: Any, place: Place | None = None) -> None:
        """Overwrite the variable's values, on the variable's own place."""
        self._variable.set_value(np.asarray(array))

    @property
    def _array(self) -> np.ndarray:  # type: ignore[override]
        return self._variable.numpy()

    @property
    def _where(self) -> Place:  # type: ignore[override]
        return self._variable.place

    @property
    def _lod(self) -> list[list[int]]:
        return self._variable.lod()

    @_lod.setter
    def _lod(self, lod: list[list[int]]) -> None:
        self._variable.set_lod(lod)


def wrap(tensor: torch.Tensor) -> VarBase:
    """Turn a tensor into a VarBase in place, number it, and note it for the backward pass."""
    if type(tensor) is _Tensor:
        computed = not tensor.is_leaf  # asked while it is quicker
        tensor.__class__ = VarBase
        tensor._number = tracer.next_number()  # type: ignore[attr-defined]
        if computed:
            tracer.note_result(tensor)
    return tensor  # type: ignore[return-value]


def seen(tensor: torch.Tensor) -> torch.Tensor:
    """Return a variable, or its values alone if the graph ends at it (stop_gradient)."""
    if getattr(tensor, "_cut", False):
        return _Tensor.detach(tensor)
    return tensor


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return what operators see of a variable: a plain tensor on the same memory and graph."""
    try:
        # a new object for a plain tensor too: `wrap` would change the class of the caller's own
        return _Tensor.detach(tensor) if getattr(tensor, "_cut", False) else _plain(tensor, _Tensor)
    except NotImplementedError:
        raise EnforceNotMet(
            "a sparse gradient (SELECTED_ROWS) is no operand; make it dense with "
            "fluid.layers.get_tensor_from_selected_rows, which gives its rows."
        ) from None


def from_numpy(
    array: np.ndarray, place: Place, *, zero_copy: bool = False, name: str = ""
) -> VarBase:
    """Make a variable of an array.

    Args:
        array: of an element type that Paddle has.
        place: where the variable shall live.
        zero_copy: share the array's memory, if it is contiguous and `place` is the CPU.
        name: its name; by default `generated_var_N`.

    Raises:
        TypeError: Paddle has no such element type.
    """
    to_var_type(array.dtype)
    source = torch.from_numpy(_shareable(array))
    if place.device.type != "cpu":
        source = source.to(place.device)
    elif not zero_copy:
        source = source.clone()
    out = wrap(source)
    out._prefix = "generated_var"
    if name:
        out._name = name
    return out


def _shareable(array: np.ndarray) -> np.ndarray:
    if array.flags.c_contiguous and array.flags.writeable and array.dtype.isnative:
        return array
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C", copy=True)


def _kind(value: object) -> str:
    cls = type(value)
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"
