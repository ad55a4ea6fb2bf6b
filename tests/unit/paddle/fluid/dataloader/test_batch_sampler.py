"""BatchSampler gives Paddle's order; numbers recorded from Paddle 1.8.5."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.dataloader import BatchSampler, Dataset


class Digits(Dataset):
    def __getitem__(self, idx: int) -> int:
        return idx

    def __len__(self) -> int:
        return 7


def test_batches_in_order_with_and_without_the_last():
    sampler = BatchSampler(Digits(), batch_size=3)
    assert (list(sampler), len(sampler)) == ([[0, 1, 2], [3, 4, 5], [6]], 3)
    sampler = BatchSampler(Digits(), batch_size=3, drop_last=True)
    assert (list(sampler), len(sampler)) == ([[0, 1, 2], [3, 4, 5]], 2)
    assert len(BatchSampler(indices=[4, 5], batch_size=2)) == 1


def test_shuffle_has_paddles_order_in_both_epochs_and_leaves_numpy_where_paddle_does():
    np.random.seed(3)
    sampler = BatchSampler(Digits(), batch_size=3, shuffle=True)
    assert list(sampler) == [[4, 6, 5], [3, 1, 0], [2]]
    assert list(sampler) == [[2, 1, 6], [5, 3, 0], [4]]
    assert np.random.randint(1000) == 650


def test_given_indices_are_copied_and_may_be_a_tuple():
    indices = list(range(50))
    assert sorted(k for (k,) in BatchSampler(indices=indices, shuffle=True)) == indices
    assert indices == list(range(50))
    assert sorted(k for (k,) in BatchSampler(indices=(3, 1), shuffle=True)) == [1, 3]


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({}, "either `dataset` or `indices`"),
        ({"dataset": Digits(), "indices": [1]}, "not both"),
        ({"dataset": [1]}, "`dataset` should be an instance of fluid.io.Dataset.*list"),
        ({"indices": 3}, "`indices` should be a list or tuple.*int"),
        ({"dataset": Digits(), "batch_size": 0}, "`batch_size` should be a positive.*0"),
        ({"dataset": Digits(), "batch_size": 2.0}, "`batch_size` should be a positive.*2.0"),
        ({"dataset": Digits(), "shuffle": 1}, "`shuffle` should be True or False.*1"),
        ({"dataset": Digits(), "drop_last": None}, "`drop_last` should be True or False.*None"),
    ],
)
def test_wrong_arguments_are_named(kwargs, text):
    with pytest.raises(AssertionError, match=text):
        BatchSampler(**kwargs)


def test_a_data_set_without_its_methods_says_which():
    class Bare(Dataset):
        pass

    with pytest.raises(NotImplementedError, match="`__len__` is not defined in class Bare"):
        len(Bare())
    with pytest.raises(NotImplementedError, match="`__getitem__` is not defined in class Bare"):
        Bare()[0]
