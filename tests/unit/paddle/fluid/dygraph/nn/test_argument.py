"""The checks that layers share."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph.nn.argument import one_of, per_axis, positive


def test_one_number_stands_for_all_axes():
    assert per_axis(2, 3, "stride") == [2, 2, 2]
    assert per_axis((1, 2), 2, "stride") == [1, 2]
    assert per_axis(np.int64(2), 2, "stride") == [2, 2]


@pytest.mark.parametrize("bad", [[2], [1, 2, 3], 2.5, "22", None, [1, 2.0]])
def test_other_forms_are_refused(bad):
    with pytest.raises(ValueError, match="`stride` must be an int or a list of 2 ints"):
        per_axis(bad, 2, "stride")


def test_sizes_are_ints_above_zero():
    assert positive(np.int32(3), "size") == 3
    with pytest.raises(TypeError, match="`size` must be an int"):
        positive(3.0, "size")
    with pytest.raises(ValueError, match="`size` must be above 0"):
        positive(0, "size")


def test_a_choice_is_one_of_the_given():
    assert one_of("a", ("a", "b"), "mode") == "a"
    with pytest.raises(ValueError, match="`mode` must be one of 'a', 'b', but received 'c'"):
        one_of("c", ("a", "b"), "mode")
