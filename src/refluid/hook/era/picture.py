"""What stands in for names of SciPy, Pillow and scikit-image that deal with pictures.

SciPy's functions took arrays of any numbers as pictures by stretching these to 0..255, and so do
they here: an array of bytes is taken as it is. Only loaded when one is used, by a program that has
the library. Shapes: H height, W width, C channels.
May import: nothing of refluid.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from PIL import Image

__all__ = [
    "compare_mse",
    "compare_psnr",
    "compare_ssim",
    "getsize",
    "imread",
    "imresize",
    "imrotate",
    "imsave",
    "textsize",
    "toimage",
]

_FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}
_COLOUR = ("RGB", "RGBA", "YCbCr", "CMYK")


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    """Return the picture in a file as an array: [H, W] or [H, W, C].

    Args:
        name: a path or an open file.
        flatten: make it grey, float32.
        mode: Pillow's mode to convert it to, such as "RGB" or "L".
    """
    with Image.open(name) as image:
        return _array(image, flatten, mode)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:
    """Write an array as a picture, stretched to 0..255 unless it holds bytes."""
    toimage(arr, channel_axis=2).save(name, format)


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> np.ndarray:
    """Return an array as a picture of another size: uint8.

    Args:
        arr: [H, W] or [H, W, 3 or 4], stretched to 0..255 unless it holds bytes.
        size: an int as a percentage, a float as a factor, or (height, width).
        interp: "nearest", "lanczos", "bilinear", "bicubic" or "cubic".
        mode: Pillow's mode of the picture.
    """
    image = toimage(arr, mode=mode)
    if isinstance(size, int | float | np.number):
        factor = size / 100.0 if isinstance(size, int | np.integer) else float(size)
        width, height = (int(each * factor) for each in image.size)
    else:
        height, width = size
    return _array(image.resize((width, height), resample=_filter(interp)))


def imrotate(arr: Any, angle: float, interp: str = "bilinear") -> np.ndarray:
    """Return an array as a picture, turned by `angle` degrees against the clock: uint8."""
    return _array(toimage(arr).rotate(angle, resample=_filter(interp)))


def toimage(
    arr: Any,
    high: float = 255,
    low: float = 0,
    cmin: float | None = None,
    cmax: float | None = None,
    pal: Any = None,
    mode: str | None = None,
    channel_axis: int | None = None,
) -> Image.Image:
    """Return an array as a picture of Pillow's.

    Args:
        arr: [H, W], or three axes of which one, the first of that length, is 3 or 4 long.
        high: the byte for `cmax`.
        low: the byte for `cmin`.
        cmin: the number that becomes `low`, by default the smallest.
        cmax: the number that becomes `high`, by default the largest.
        pal: a palette for mode "P".
        mode: Pillow's mode, by default "L", "RGB" or "RGBA".
        channel_axis: the axis of the channels.

    Raises:
        ValueError: the shape or the mode is no picture's.
    """
    data = np.asarray(arr)
    if np.iscomplexobj(data):
        raise ValueError("`arr` must hold real numbers, but holds complex ones.")
    scale = (cmin, cmax, high, low)
    if data.ndim == 2:
        return _grey(data, scale, pal, mode)
    if data.ndim != 3 or not {3, 4}.intersection(data.shape):
        raise ValueError(
            f"`arr` must be [H, W] or have three axes, one of them 3 or 4 long, but has shape "
            f"{data.shape}."
        )
    if channel_axis is None:
        channel_axis = data.shape.index(3 if 3 in data.shape else 4)
    channels = data.shape[channel_axis]
    if channels not in (3, 4):
        raise ValueError(f"`channel_axis` must be 3 or 4 long, but is {channels} long.")
    mode = mode or ("RGB" if channels == 3 else "RGBA")
    if mode not in _COLOUR or (channels == 4) != (mode in ("RGBA", "CMYK")):
        raise ValueError(f"`mode` must fit {channels} channels, but is {mode!r}.")
    data = np.moveaxis(_bytes(data, *scale), channel_axis, 2)
    return Image.frombytes(mode, (data.shape[1], data.shape[0]), data.tobytes())


def _grey(data: np.ndarray, scale: tuple[Any, ...], pal: Any, mode: str | None) -> Image.Image:
    """Return an array [H, W] as a picture."""
    size = (data.shape[1], data.shape[0])
    if mode == "F":
        return Image.frombytes("F", size, data.astype(np.float32).tobytes())
    if mode == "I":
        return Image.frombytes("I", size, _stretched(data, *scale).astype(np.uint32).tobytes())
    if mode not in (None, "L", "P"):
        raise ValueError(f"`mode` must be L, P, F or I for an array [H, W], but is {mode!r}.")
    image = Image.frombytes("L", size, _bytes(data, *scale).tobytes())
    if pal is not None or mode == "P":
        grey = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
        image.putpalette(np.asarray(grey if pal is None else pal, dtype=np.uint8).tobytes())
    return image


def _bytes(
    data: np.ndarray, cmin: float | None, cmax: float | None, high: float, low: float
) -> np.ndarray:
    """Return numbers stretched to bytes, bytes as they are."""
    if data.dtype == np.uint8:
        return data
    return (_stretched(data, cmin, cmax, high, low).clip(low, high) + 0.5).astype(np.uint8)


def _stretched(
    data: np.ndarray, cmin: float | None, cmax: float | None, high: float, low: float
) -> np.ndarray:
    """Return numbers with `cmin` at `low` and `cmax` at `high`."""
    lowest = float(data.min() if cmin is None else cmin)
    highest = float(data.max() if cmax is None else cmax)
    if not 0 <= low <= high <= 255 or highest < lowest:
        raise ValueError(
            "`low` <= `high` must lie in 0..255 and `cmin` <= `cmax`, but they are "
            f"{low}, {high}, {lowest} and {highest}."
        )
    return (data - lowest) * ((high - low) / (highest - lowest or 1.0)) + low


def _array(image: Image.Image, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    """Return a picture as an array, its palette looked up."""
    if mode is not None:
        image = image.convert(mode)
    elif image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if flatten:
        image = image.convert("F")
    elif image.mode == "1":
        image = image.convert("L")
    return np.array(image)


def _filter(interp: str) -> Image.Resampling:
    if interp not in _FILTERS:
        raise ValueError(f"`interp` must be one of {', '.join(_FILTERS)}, but is {interp!r}.")
    return Image.Resampling(_FILTERS[interp])


def getsize(
    font: Any,
    text: str,
    direction: str | None = None,
    features: list[str] | None = None,
    language: str | None = None,
    stroke_width: int = 0,
) -> tuple[int, int]:
    """Return how far a line of text reaches to the right and down, as fonts told it.

    Args:
        font: one of Pillow's fonts.
        text: the line.
        direction: "rtl", "ltr" or "ttb".
        features: features of OpenType, such as "-kern".
        language: a language's code.
        stroke_width: the width of the outline, which counts on both sides.
    """
    given = {"direction": direction, "features": features, "language": language}
    named = {name: value for name, value in given.items() if value is not None}
    if stroke_width:
        named["stroke_width"] = stroke_width
    _, _, right, bottom = font.getbbox(text, **named)
    return int(right) + stroke_width, int(bottom) + stroke_width


def textsize(
    draw: Any, text: str, font: Any = None, spacing: int = 4, **named: Any
) -> tuple[int, int]:
    """Return how far text reaches to the right and down, line by line if it has several."""
    font = font or draw.getfont()
    sizes = [getsize(font, line, **named) for line in text.split("\n")]
    if len(sizes) == 1:
        return sizes[0]
    # each line is as high as an A
    height = (getsize(font, "A")[1] + spacing) * len(sizes) - spacing
    return max(width for width, _ in sizes), height


def compare_mse(im1: Any, im2: Any) -> float:
    """Return the mean squared difference of two pictures."""
    return _skimage("metrics").mean_squared_error(im1, im2)


def compare_psnr(im_true: Any, im_test: Any, data_range: float | None = None) -> float:
    """Return the ratio of signal to noise in decibels."""
    return _skimage("metrics").peak_signal_noise_ratio(im_true, im_test, data_range=data_range)


def compare_ssim(
    X: Any,
    Y: Any,
    win_size: int | None = None,
    gradient: bool = False,
    data_range: float | None = None,
    multichannel: bool = False,
    **named: Any,
) -> Any:
    """Return the structural similarity of two pictures; channels are the last axis.

    Args:
        X: a picture: [H, W], or with `multichannel` [H, W, C].
        Y: another of its shape and type.
        win_size: the side of the window, odd.
        gradient: return the gradient as well.
        data_range: from the smallest number possible to the largest, by default that of the type.
        multichannel: treat the channels one by one.
        **named: `gaussian_weights`, `full`, `K1` and what else is called as it was.
    """
    if data_range is None:
        lowest, highest = _skimage("util.dtype").dtype_range[np.asarray(X).dtype.type]
        data_range = highest - lowest
    return _skimage("metrics").structural_similarity(
        X,
        Y,
        win_size=win_size,
        gradient=gradient,
        data_range=data_range,
        channel_axis=-1 if multichannel else None,
        **named,
    )


def _skimage(name: str) -> Any:
    """Return a module of scikit-image: a program that asked for its functions has it."""
    return importlib.import_module(f"skimage.{name}")
