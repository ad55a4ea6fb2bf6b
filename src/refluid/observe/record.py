"""Records: what a run keeps beside its numbers, such as pictures, tables and distributions.

Each is a small frozen object that a journal holds as JSON; arrays and pictures are in it as base64.
Reading makes only these classes, and refuses whatever does not fit them.
Shapes: H height, W width, N number, C classes, D dimensions.
May import: numpy, torch when it is given a tensor, observe.png.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from refluid.observe.png import encode_png, size_of_png

__all__ = [
    "Confusion",
    "Embedding",
    "Gallery",
    "Histogram",
    "Image",
    "Picture",
    "Record",
    "Table",
    "Text",
    "from_body",
    "kind_of",
    "to_body",
]

T = TypeVar("T")

Cell = str | int | float | None


@dataclass(frozen=True)
class Text:
    """A text, to be shown as it is."""

    text: str

    def __post_init__(self) -> None:
        _check("text", isinstance(self.text, str), "a string", self.text)
        _check_size("text", len(self.text))


@dataclass(frozen=True)
class Image:
    """A picture, as the bytes of a PNG file."""

    png: bytes
    width: int
    height: int

    def __post_init__(self) -> None:
        _check("png", isinstance(self.png, bytes), "bytes", self.png)
        _check_size("png", len(self.png))
        size = size_of_png(self.png)
        _check("png", size is not None, "a PNG file", self.png)
        _check(
            "width, height", size == (self.width, self.height), f"{size}", (self.width, self.height)
        )

    @classmethod
    def of(cls, pixels: ArrayLike) -> Image:
        """Make a picture of an array or tensor.

        Args:
            pixels: uint8 from 0 to 255, or floats from 0 to 1 (what lies outside is cut off, what
                is not finite is 0); [H, W], [1, H, W] or [H, W, 1] in gray, [3, H, W] or [H, W, 3]
                in red, green, blue.

        Raises:
            ValueError: it has another shape or type.
        """
        array = _array(pixels)
        if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3):
            array = np.moveaxis(array, 0, 2)
        if array.ndim == 3 and array.shape[2] == 1:
            array = array[:, :, 0]
        shape = list(np.shape(array))
        fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
        _check("pixels", fits and array.size > 0, "[H, W], [1, H, W] or [3, H, W]", shape)
        if array.dtype.kind == "f":
            array = np.nan_to_num(array.astype(np.float64), nan=0.0, posinf=1.0, neginf=0.0)
            array = np.rint(255 * array.clip(0, 1)).astype(np.uint8)
        _check("pixels", array.dtype == np.uint8, "uint8 or floats", array.dtype)
        return cls(encode_png(array), array.shape[1], array.shape[0])


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often values lie between two edges.

    Args:
        edges: float64 [N+1], rising.
        counts: int64 [N].
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        _convert(self, "edges", np.float64, 1)
        _convert(self, "counts", np.int64, 1)
        sizes = (len(self.edges), len(self.counts))
        _check("edges, counts", sizes[0] == sizes[1] + 1, "one edge more than counts", sizes)

    @classmethod
    def of(cls, values: ArrayLike, bins: int = 30) -> Histogram:
        """Count values, of any shape; those that are not finite are left out."""
        array = _array(values).astype(np.float64).ravel()
        counts, edges = np.histogram(array[np.isfinite(array)], bins)
        return cls(edges.astype(np.float64), counts.astype(np.int64))


@dataclass(frozen=True)
class Table:
    """Rows under named columns, to be shown as they are."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rows", tuple(tuple(row) for row in self.rows))
        for name in self.columns:
            _check("columns", isinstance(name, str), "strings", name)
        for row in self.rows:
            _check("rows", len(row) == len(self.columns), f"{len(self.columns)} cells", row)
            for cell in row:
                _check("rows", cell is None or isinstance(cell, Cell), "texts and numbers", cell)
        _check_size("rows", sum(len(str(cell)) for row in self.rows for cell in row))


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often samples of each class were taken for each class.

    Args:
        classes: their names, C of them.
        counts: int64 [C, C]; a row is a true class, a column what it was taken for.
    """

    classes: tuple[str, ...]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(map(str, self.classes)))
        _convert(self, "counts", np.int64, 2)
        size = len(self.classes)
        shape = self.counts.shape
        _check("counts", shape == (size, size), f"shape {[size, size]}", list(shape))


@dataclass(frozen=True)
class Picture:
    """A picture with a line of text below."""

    image: Image
    caption: str

    def __post_init__(self) -> None:
        _check("image", isinstance(self.image, Image), "an Image", self.image)
        _check("caption", isinstance(self.caption, str), "a string", self.caption)


@dataclass(frozen=True)
class Gallery:
    """Pictures that belong together, in an order that means something."""

    pictures: tuple[Picture, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "pictures", tuple(self.pictures))
        for picture in self.pictures:
            _check("pictures", isinstance(picture, Picture), "pictures", picture)
        _check_size("pictures", sum(len(each.image.png) for each in self.pictures))


@dataclass(frozen=True, eq=False)
class Embedding:
    """Points in many dimensions.

    Args:
        vectors: float32 [N, D].
        labels: what each is, N of them.
    """

    vectors: NDArray[np.float32]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(map(str, self.labels)))
        _convert(self, "vectors", np.float32, 2)
        sizes = (len(self.vectors), len(self.labels))
        _check("labels", sizes[0] == sizes[1], f"{sizes[0]} of them", sizes[1])


Record = Text | Image | Histogram | Table | Confusion | Gallery | Embedding
R = TypeVar("R", Text, Image, Histogram, Table, Confusion, Gallery, Embedding)

# SQLite takes up to a gigabyte in one place, and what it refuses would keep the run's other rows
# from being written
_MAX_BYTES = 1 << 26

_KINDS: dict[str, type[Record]] = {
    "text": Text,
    "image": Image,
    "histogram": Histogram,
    "table": Table,
    "confusion": Confusion,
    "gallery": Gallery,
    "embedding": Embedding,
}


def kind_of(record: type[Record]) -> str:
    """Return the word for a class of records that a journal keeps it under.

    Raises:
        TypeError: it is none of them.
    """
    for kind, own in _KINDS.items():
        if own is record:
            return kind
    raise TypeError(
        f"a record must be one of {', '.join(own.__name__ for own in _KINDS.values())}, but "
        f"received {record.__name__}."
    )


def to_body(record: Record) -> str:
    """Return what a journal keeps of a record: JSON."""
    return json.dumps(_TO_PLAIN[type(record)](record))


def from_body(kind: str, body: str) -> Any:
    """Return the record that a journal kept as `body` under the word `kind`.

    Raises:
        ValueError: it is none.
    """
    try:
        return _FROM_PLAIN[_KINDS[kind]](json.loads(body))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is no {kind}: {error!r}") from None


# --- as JSON ----------------------------------------------------------------------------------


def _plain_array(array: NDArray[Any]) -> dict[str, Any]:
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"shape": list(array.shape), "data": data}


def _read_array(plain: dict[str, Any], dtype: type[np.generic]) -> NDArray[Any]:
    flat = np.frombuffer(base64.b64decode(plain["data"], validate=True), np.dtype(dtype))
    return flat.reshape([int(size) for size in plain["shape"]])


def _plain_image(image: Image) -> dict[str, Any]:
    png = base64.b64encode(image.png).decode()
    return {"png": png, "width": image.width, "height": image.height}


def _read_image(plain: dict[str, Any]) -> Image:
    png = base64.b64decode(plain["png"], validate=True)
    return Image(png, plain["width"], plain["height"])


def _plain_cell(cell: Cell) -> Any:
    # JSON has no word for these
    is_odd = isinstance(cell, float) and not math.isfinite(cell)
    return {"float": repr(cell)} if is_odd else cell


def _read_cell(plain: Any) -> Cell:
    return float(plain["float"]) if isinstance(plain, dict) else plain


_TO_PLAIN: dict[type, Callable[[Any], Any]] = {
    Text: lambda record: {"text": record.text},
    Image: _plain_image,
    Histogram: lambda record: {
        "edges": _plain_array(record.edges),
        "counts": _plain_array(record.counts),
    },
    Table: lambda record: {
        "columns": record.columns,
        "rows": [[_plain_cell(cell) for cell in row] for row in record.rows],
    },
    Confusion: lambda record: {
        "classes": record.classes,
        "counts": _plain_array(record.counts),
    },
    Gallery: lambda record: [
        {"image": _plain_image(each.image), "caption": each.caption} for each in record.pictures
    ],
    Embedding: lambda record: {
        "vectors": _plain_array(record.vectors),
        "labels": record.labels,
    },
}
_FROM_PLAIN: dict[type, Callable[[Any], Any]] = {
    Text: lambda plain: Text(plain["text"]),
    Image: _read_image,
    Histogram: lambda plain: Histogram(
        _read_array(plain["edges"], np.float64), _read_array(plain["counts"], np.int64)
    ),
    Table: lambda plain: Table(
        plain["columns"], tuple(tuple(map(_read_cell, row)) for row in plain["rows"])
    ),
    Confusion: lambda plain: Confusion(plain["classes"], _read_array(plain["counts"], np.int64)),
    Gallery: lambda plain: Gallery(
        tuple(Picture(_read_image(each["image"]), each["caption"]) for each in plain)
    ),
    Embedding: lambda plain: Embedding(_read_array(plain["vectors"], np.float32), plain["labels"]),
}


# --- arguments --------------------------------------------------------------------------------


def _array(value: ArrayLike) -> NDArray[Any]:
    detach = getattr(value, "detach", None)
    if detach is None:
        return np.asarray(value)
    tensor = detach().cpu()
    # NumPy has no bfloat16
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def _convert(record: object, name: str, dtype: type[np.generic], ndim: int) -> None:
    value = getattr(record, name)
    array = _array(value)
    fits = array.ndim == ndim and array.dtype.kind in "iuf"
    _check(name, fits, f"numbers in {ndim} dimensions", value)
    _check_size(name, array.size * np.dtype(dtype).itemsize)
    object.__setattr__(record, name, array.astype(dtype))


def _check(name: str, fits: bool, expected: str, received: object) -> None:
    if not fits:
        raise ValueError(f"`{name}` must be {expected}, but received {str(received)[:80]}.")


def _check_size(name: str, num_bytes: int) -> None:
    _check(name, num_bytes <= _MAX_BYTES, f"{_MAX_BYTES >> 20} MiB at most", f"{num_bytes:,} bytes")
