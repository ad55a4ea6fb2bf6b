"""Images as programs of 2018 prepared them: loaded, resized, cropped, flipped, transposed.

A color image is [H, W, C] with its channels in OpenCV's order, blue, green, red, until `to_chw`.
Shapes: H, W the size of an image, C = 3 channels.
May import: numpy, refluid.checkpoint, refluid.errors, dataset.archive, dataset.picture.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from refluid.checkpoint.atomic import replacing
from refluid.errors import DataError
from refluid.paddle.dataset.archive import open_tar
from refluid.paddle.dataset.picture import decode, resize_cubic

__all__ = [
    "batch_images_from_tar",
    "center_crop",
    "left_right_flip",
    "load_and_transform",
    "load_image",
    "load_image_bytes",
    "random_crop",
    "resize_short",
    "simple_transform",
    "to_chw",
]


def batch_images_from_tar(
    data_file: str, dataset_name: str, img2label: Mapping[str, Any], num_per_batch: int = 1024
) -> str:
    """Collect images of an archive in files of many, beside the archive; once, and keep them.

    Differs from Paddle: the files are listed in the order of the archive, and what a killed
    process left behind is not taken for whole.

    Args:
        data_file: a tar archive, compressed or not.
        dataset_name: name for this selection.
        img2label: the label of each image to take, by its path in the archive.
        num_per_batch: images in a file.

    Returns:
        The path of a text that lists the files, each a pickle of a dictionary of two lists:
        `data`, the images as bytes, and `label`.

    Raises:
        DataError: the archive is missing or damaged, or has none of the images.
        ValueError: `num_per_batch` is less than 1.

    Effects:
        Writes into the folder `data_file` + `_batch`, unless it has this selection.
    """
    if num_per_batch < 1:
        raise ValueError(f"`num_per_batch` must be at least 1, but received {num_per_batch!r}.")
    folder = Path(f"{data_file}_batch", dataset_name).absolute()
    listing = folder.with_name(f"{dataset_name}.txt")
    if listing.is_file():
        return f"{data_file}_batch/{dataset_name}.txt"
    names = []
    pairs = _images(data_file, img2label)
    while batch := list(islice(pairs, num_per_batch)):
        path = folder / f"batch_{len(names)}"
        with replacing(path) as file:
            data, labels = map(list, zip(*batch, strict=True))
            pickle.dump({"label": labels, "data": data}, file, protocol=2)
        names.append(f"{path}\n")
    if not names:
        raise DataError(f"{data_file} has none of the {len(img2label)} images in `img2label`.")
    with replacing(listing) as file:
        file.write("".join(names).encode())
    return f"{data_file}_batch/{dataset_name}.txt"


def _images(data_file: str, img2label: Mapping[str, Any]) -> Iterator[tuple[bytes, Any]]:
    with open_tar(data_file) as tar:
        for member in tar:
            if member.name in img2label:
                yield tar.read(member), img2label[member.name]


def load_image_bytes(bytes: bytes, is_color: bool = True) -> np.ndarray:
    """Decode an image.

    Differs from Paddle: Pillow decodes, to the same bytes for JPEG and PNG.

    Args:
        bytes: JPEG, PNG or another format.
        is_color: three channels whatever the image has; if False, its brightness.

    Returns:
        uint8 [H, W, C] or [H, W].

    Raises:
        DataError: it cannot be decoded; Paddle returns None.
        ImportError: Pillow is not installed.
    """
    return decode(bytes, is_color, "the data")


def load_image(file: str | os.PathLike[str], is_color: bool = True) -> np.ndarray:
    """Load an image from a file.

    Differs from Paddle: Pillow decodes, to the same bytes for JPEG and PNG.

    Args:
        file: its path.
        is_color: three channels whatever the image has; if False, its brightness.

    Returns:
        uint8 [H, W, C] or [H, W].

    Raises:
        DataError: it cannot be read or decoded; Paddle returns None.
        ImportError: Pillow is not installed.
    """
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise DataError(f"the image {file} cannot be read: {error}.") from None
    return decode(data, is_color, str(file))


def resize_short(im: np.ndarray, size: int) -> np.ndarray:
    """Resize an image so that its shorter side has `size` pixels.

    Differs from Paddle: one byte in 100,000 is different by 1.

    Args:
        im: uint8 or floating [H, W, C] or [H, W].
        size: at least 1.

    Raises:
        ValueError: `im` is no such image, or `size` is less than 1.
    """
    _check_image(im)
    if im.dtype != np.uint8 and im.dtype.kind != "f":
        raise ValueError(f"`im` must be of uint8 or floating, but is of {im.dtype}.")
    if size < 1:
        raise ValueError(f"`size` must be at least 1, but received {size!r}.")
    height, width = im.shape[:2]
    if height > width:
        return resize_cubic(im, size, size * height // width)
    return resize_cubic(im, size * width // height, size)


def to_chw(im: np.ndarray, order: Sequence[int] = (2, 0, 1)) -> np.ndarray:
    """Transpose an image [H, W, C] to [C, H, W].

    Same as Paddle 1.8.

    Args:
        im: the image.
        order: which dimension comes first, second, third.

    Raises:
        AssertionError: `order` has another number of dimensions than `im`.
    """
    assert im.ndim == len(order), (
        f"`order` must have {im.ndim} numbers, one for each dimension of `im`, but is {order!r}."
    )
    return im.transpose(order)


def center_crop(im: np.ndarray, size: int, is_color: bool = True) -> np.ndarray:
    """Cut a square of `size` pixels from the middle of an image.

    Same as Paddle 1.8.

    Args:
        im: [H, W, C], or [H, W] if `is_color` is False.
        size: at most the shorter side.
        is_color: whether `im` has channels.

    Raises:
        ValueError: `im` is no such image, or is smaller.
    """
    height, width = _check_crop(im, size, is_color)
    return _cut(im, (height - size) // 2, (width - size) // 2, size)


def random_crop(im: np.ndarray, size: int, is_color: bool = True) -> np.ndarray:
    """Cut a square of `size` pixels from somewhere in an image.

    Same as Paddle 1.8, with the same squares for the same `np.random.seed`.

    Args:
        im: [H, W, C], or [H, W] if `is_color` is False.
        size: at most the shorter side.
        is_color: whether `im` has channels.

    Raises:
        ValueError: `im` is no such image, or is smaller.

    Effects:
        `np.random` advances twice.
    """
    height, width = _check_crop(im, size, is_color)
    top = np.random.randint(0, height - size + 1)
    left = np.random.randint(0, width - size + 1)
    return _cut(im, top, left, size)


def _cut(im: np.ndarray, top: int, left: int, size: int) -> np.ndarray:
    return im[top : top + size, left : left + size]


def _check_image(im: np.ndarray) -> None:
    if not isinstance(im, np.ndarray) or im.ndim not in (2, 3) or 0 in im.shape:
        shape = im.shape if isinstance(im, np.ndarray) else type(im).__name__
        raise ValueError(f"`im` must be an image [H, W, C] or [H, W], but received {shape}.")


def _check_crop(im: np.ndarray, size: int, is_color: bool) -> tuple[int, int]:
    _check_image(im)
    if is_color and im.ndim != 3:
        raise ValueError(f"`im` must be [H, W, C] unless `is_color` is False, but is {im.shape}.")
    height, width = im.shape[:2]
    if not 1 <= size <= min(height, width):
        raise ValueError(f"`size` must be from 1 to the shorter side of {im.shape}, but is {size}.")
    return height, width


def left_right_flip(im: np.ndarray, is_color: bool = True) -> np.ndarray:
    """Mirror an image, its left side to the right.

    Same as Paddle 1.8.

    Args:
        im: [H, W, C] or [H, W].
        is_color: accepted; the second dimension is reversed in either case.
    """
    return im[:, ::-1]


def simple_transform(
    im: np.ndarray,
    resize_size: int,
    crop_size: int,
    is_train: bool,
    is_color: bool = True,
    mean: Any = None,
) -> np.ndarray:
    """Resize, crop, in training flip every other time, transpose, and subtract a mean.

    Same as Paddle 1.8, with the same draws from `np.random`.

    Args:
        im: [H, W, C], or [H, W] if `is_color` is False.
        resize_size: length of the shorter side before cropping.
        crop_size: side of the square that is cut.
        is_train: cut anywhere and flip; if False, cut from the middle.
        is_color: whether `im` has channels.
        mean: one number for each channel, or an array of the result's shape.

    Returns:
        float32 [C, crop_size, crop_size], or [crop_size, crop_size].

    Raises:
        ValueError: `im` is no such image, a size is out of range, or `mean` does not fit.
    """
    im = resize_short(im, resize_size)
    if is_train:
        im = random_crop(im, crop_size, is_color=is_color)
        if np.random.randint(2) == 0:
            im = left_right_flip(im, is_color)
    else:
        im = center_crop(im, crop_size, is_color=is_color)
    if im.ndim == 3:
        im = to_chw(im)
    im = im.astype(np.float32)
    if mean is not None:
        mean = np.array(mean, dtype=np.float32)
        im -= mean[:, None, None] if mean.ndim == 1 and is_color else mean
    return im


def load_and_transform(
    filename: str | os.PathLike[str],
    resize_size: int,
    crop_size: int,
    is_train: bool,
    is_color: bool = True,
    mean: Any = None,
) -> np.ndarray:
    """Load an image and prepare it; see `load_image` and `simple_transform`.

    As in Paddle 1.8.

    Args:
        filename: path of the image.
        resize_size: length of the shorter side before cropping.
        crop_size: side of the square that is cut.
        is_train: cut anywhere and flip; if False, cut from the middle.
        is_color: three channels; if False, brightness.
        mean: one number for each channel, or an array of the result's shape.
    """
    im = load_image(filename, is_color)
    return simple_transform(im, resize_size, crop_size, is_train, is_color, mean)
