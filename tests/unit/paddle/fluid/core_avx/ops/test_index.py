"""The check of numbers that select rows or classes."""

from __future__ import annotations

import pytest
import torch

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops.index import check_index


def test_numbers_inside_and_none_at_all_pass():
    check_index("op", "ids", torch.tensor([[0, 4], [2, 3]]), 5)
    check_index("op", "ids", torch.empty(0, dtype=torch.int64), 5)


@pytest.mark.parametrize("wrong", [-1, 5, 2**40])
def test_the_number_outside_is_named(wrong):
    with pytest.raises(EnforceNotMet, match=f"op: `ids` must be from 0 to 4, but received {wrong}"):
        check_index("op", "ids", torch.tensor([1, wrong, 2]), 5)


def test_only_the_ignored_number_may_lie_outside():
    check_index("op", "label", torch.tensor([1, -100]), 5, ignored=-100)
    with pytest.raises(EnforceNotMet, match="received 7"):
        check_index("op", "label", torch.tensor([7, -100]), 5, ignored=-100)
