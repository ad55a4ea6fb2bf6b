"""A model is cut so that its largest stage is as small as it can be."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from refluid.distributed.pipeline.boundary import balanced, check


def largest(sizes, boundaries):
    return max(sum(sizes[a:b]) for a, b in pairwise([0, *boundaries, len(sizes)]))


@pytest.mark.parametrize("num_stages", [1, 2, 3, 4, 6])
@pytest.mark.parametrize(
    "sizes",
    [[5, 0, 4, 3, 0, 0, 1, 1, 2], [1, 1, 1, 1, 1, 100], [100, 1, 1, 1, 1, 1], [7] * 8],
)
def test_no_other_cut_has_a_smaller_largest_stage(sizes, num_stages):
    found = balanced(sizes, num_stages)
    assert len(found) == num_stages - 1
    best = min(
        largest(sizes, cut)
        for cut in combinations(range(1, len(sizes)), num_stages - 1)
        if all(sum(sizes[a:b]) for a, b in pairwise([0, *cut, len(sizes)]))
    )
    assert largest(sizes, found) == best


def test_a_layer_without_parameters_stays_with_the_one_before():
    assert balanced([4, 0, 0, 4, 0], 2) == [3]


def test_more_stages_than_layers_with_parameters_are_refused():
    with pytest.raises(ValueError, match="`num_stages` must be at most 2, as only so many of the"):
        balanced([1, 0, 1, 0], 3)


@pytest.mark.parametrize("given", [[0], [2, 2], [3, 1], [1.5], [True], [-1]])
def test_boundaries_that_do_not_rise_from_one_are_refused(given):
    with pytest.raises(ValueError, match="`boundaries` must be the number of the first layer"):
        check(given)


def test_boundaries_are_taken_as_they_are():
    assert check((1, 4, 9)) == [1, 4, 9]
