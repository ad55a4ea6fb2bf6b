"""The forms in which padding is given."""

from __future__ import annotations

import pytest

from refluid.paddle.fluid.core_avx.ops.window import pad_pairs, pad_widths


@pytest.mark.parametrize(
    ("padding", "pairs"),
    [
        ([1, 2], [(1, 1), (2, 2)]),
        ([0, 1, 2, 3], [(0, 1), (2, 3)]),
        ([[0, 0], [0, 0], [1, 2], [3, 4]], [(1, 2), (3, 4)]),
        ([[0, 0], [1, 2], [3, 4], [0, 0]], [(1, 2), (3, 4)]),
        ("VALID", [(0, 0), (0, 0)]),
        ("valid", [(0, 0), (0, 0)]),
    ],
)
def test_each_form_gives_pairs(padding, pairs):
    assert pad_pairs(padding, [5, 6], [3, 3], [1, 1]) == pairs


@pytest.mark.parametrize("window", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_gives_one_window_for_each_stride(window, stride):
    for size in range(window, 12):
        [(before, after)] = pad_pairs("SAME", [size], [window], [stride])
        assert 0 <= after - before <= 1
        assert (size + before + after - window) // stride + 1 == -(-size // stride)


@pytest.mark.parametrize(
    "padding", ["same_", [1], [1, 2, 3], [[1, 0], [0, 0], [0, 0], [0, 0]], [[1, 2], [3, 4]], []]
)
def test_other_forms_are_refused(padding):
    with pytest.raises(ValueError, match="`padding` must be"):
        pad_pairs(padding, [5, 6], [3, 3], [1, 1])


def test_widths_begin_with_the_last_axis():
    assert pad_widths([(1, 2), (3, 4)]) == [3, 4, 1, 2]
