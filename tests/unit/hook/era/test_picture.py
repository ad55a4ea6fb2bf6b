"""What stands in for SciPy's, Pillow's and scikit-image's; the numbers are those of their day.

SciPy 1.1.0, Pillow 7.2.0 and scikit-image 0.15.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")
picture = pytest.importorskip("refluid.hook.era.picture")

GREY = np.arange(12.0).reshape(3, 4) - 5
BYTES = (np.arange(24).reshape(4, 6) * 10).astype(np.uint8)
COLOUR = (np.arange(36).reshape(3, 4, 3) * 7).astype(np.uint8)
STRETCHED = [[0, 23, 46, 70], [93, 116, 139, 162], [185, 209, 232, 255]]


def values(image: Any) -> list[Any]:
    return np.array(image).tolist()


def test_numbers_are_stretched_to_bytes() -> None:
    assert values(picture.toimage(GREY)) == STRETCHED
    assert values(picture.toimage(GREY, cmin=0, cmax=10, high=200, low=10)) == [
        [10, 10, 10, 10],
        [10, 10, 29, 48],
        [67, 86, 105, 124],
    ]
    assert values(picture.toimage(np.ones((2, 2)))) == [[0, 0], [0, 0]]


def test_bytes_stay_as_they_are() -> None:
    assert values(picture.toimage(BYTES)) == BYTES.tolist()
    assert values(picture.toimage(COLOUR, channel_axis=2)) == COLOUR.tolist()


@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        ("I", [[0, 23, 46, 69], [92, 115, 139, 162], [185, 208, 231, 255]]),
        ("F", [[-5, -4, -3, -2], [-1, 0, 1, 2], [3, 4, 5, 6]]),
        ("P", STRETCHED),
    ],
)
def test_a_mode_is_followed(mode: str, rows: list[list[int]]) -> None:
    image = picture.toimage(GREY, mode=mode)
    assert (image.mode, values(image)) == (mode, rows)


@pytest.mark.parametrize(
    ("shape", "options", "size", "mode"),
    [
        ((3, 5, 7), {}, (7, 5), "RGB"),
        ((3, 5, 3), {}, (3, 5), "RGB"),
        ((3, 5, 3), {"channel_axis": 2}, (5, 3), "RGB"),
        ((2, 5, 4), {}, (5, 2), "RGBA"),
    ],
)
def test_channels_are_found(
    shape: tuple[int, ...], options: dict[str, int], size: tuple[int, int], mode: str
) -> None:
    image = picture.toimage(np.zeros(shape), **options)
    assert (image.size, image.mode) == (size, mode)


@pytest.mark.parametrize(
    ("arr", "options", "words"),
    [
        (np.zeros(3), {}, "`arr` must be"),
        (np.zeros((5, 5, 5)), {}, r"but has shape \(5, 5, 5\)"),
        (np.zeros((3, 5, 5)), {"channel_axis": 2}, "`channel_axis` must be 3 or 4 long"),
        (np.zeros((2, 2), complex), {}, "holds complex ones"),
        (np.zeros((2, 2)), {"mode": "RGB"}, "`mode` must be L, P, F or I"),
        (np.zeros((2, 2, 3)), {"mode": "CMYK"}, "`mode` must fit 3 channels, but is 'CMYK'"),
        (np.zeros((2, 2)), {"cmin": 2, "cmax": 1}, "`cmin` <= `cmax`"),
        (np.zeros((2, 2)), {"high": 300}, "in 0..255"),
    ],
)
def test_what_is_no_picture_is_refused(arr: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        picture.toimage(arr, **options)


def test_a_picture_gets_another_size() -> None:
    assert picture.imresize(BYTES, 50).tolist() == [[50, 68, 86], [144, 162, 180]]
    assert picture.imresize(GREY, (2, 2), "nearest").tolist() == [[23, 70], [209, 255]]
    cubic = picture.imresize(BYTES, (2, 3), "bicubic")
    assert cubic.tolist() == [[40, 60, 80], [150, 170, 190]]
    assert picture.imresize(COLOUR, 0.5).tolist() == [[[22, 106, 190]], [[55, 139, 223]]]
    assert picture.imresize(BYTES, np.float32(2)).shape == (8, 12)
    with pytest.raises(ValueError, match="`interp` must be one of nearest, .*, but is 'best'"):
        picture.imresize(BYTES, 50, "best")


def test_a_picture_is_turned() -> None:
    assert picture.imrotate(BYTES, 90.0).tolist() == [
        [0, 40, 100, 160, 220, 0],
        [0, 30, 90, 150, 210, 0],
        [0, 20, 80, 140, 200, 0],
        [0, 10, 70, 130, 190, 0],
    ]


def test_a_picture_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    picture.imsave(path, GREY)
    assert picture.imread(path).tolist() == STRETCHED
    with open(path, "wb") as opened:
        picture.imsave(opened, COLOUR, "png")
    assert picture.imread(str(path)).tolist() == COLOUR.tolist()
    assert picture.imread(path, mode="L").tolist() == [
        [6, 27, 48, 69],
        [90, 111, 132, 153],
        [174, 195, 216, 237],
    ]
    assert picture.imread(path, flatten=True).dtype == np.float32
    with open(path, "rb") as opened:
        assert picture.imread(opened).shape == (3, 4, 3)


def test_palettes_and_bits_are_looked_up(tmp_path: Path) -> None:
    image = Image.fromarray(COLOUR)
    image.quantize(4).save(tmp_path / "p.png")
    assert picture.imread(tmp_path / "p.png").shape == (3, 4, 3)
    image.convert("1").save(tmp_path / "one.png")
    assert set(picture.imread(tmp_path / "one.png").ravel().tolist()) == {0, 255}


def test_text_has_a_size() -> None:
    pytest.importorskip("PIL", minversion="10.1")  # whose own font has any size
    font = pytest.importorskip("PIL.ImageFont").load_default(15)
    draw = pytest.importorskip("PIL.ImageDraw").Draw(Image.new("RGB", (9, 9)))
    left, top, right, bottom = font.getbbox("Agy")
    assert (left >= 0, top > 0) == (True, True)
    assert picture.getsize(font, "Agy") == (right, bottom)
    assert picture.textsize(draw, "Agy", font) == (right, bottom)
    width, height = picture.getsize(font, "Agy", stroke_width=2)
    assert (width - right, height - bottom) == (4, 4)
    line = picture.getsize(font, "A")[1]
    assert picture.textsize(draw, "Agy\nA\n", font=font, spacing=7) == (right, 3 * line + 2 * 7)
    assert picture.textsize(draw, "a") == picture.getsize(draw.getfont(), "a")


def test_pictures_are_compared() -> None:
    pytest.importorskip("skimage")
    X = (np.arange(256).reshape(16, 16) * 7 % 256).astype(np.uint8)
    Y = (np.arange(256).reshape(16, 16) * 11 % 256).astype(np.uint8)
    assert picture.compare_mse(X, Y) == 11080.0
    assert picture.compare_psnr(X, Y) == pytest.approx(7.685406004754994, rel=1e-12)
    assert picture.compare_ssim(X, Y) == pytest.approx(-0.0553916510669317, rel=1e-9)
    both = np.dstack([X, Y, X]), np.dstack([Y, Y, X])
    similar = picture.compare_ssim(*both, multichannel=True)
    assert similar == pytest.approx(0.6482027829776894, rel=1e-9)
    # floats are taken to lie in -1..1
    assert picture.compare_ssim(X / 255, Y / 255) == pytest.approx(-0.03909409058677236, rel=1e-9)
