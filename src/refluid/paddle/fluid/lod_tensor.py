"""Making LoDTensors out of arrays, lists and random numbers. May import: numpy, core_avx."""

from __future__ import annotations

from typing import Any

import numpy as np

from refluid.paddle.fluid.core_avx import LoDTensor, Place

__all__ = ["create_lod_tensor", "create_random_int_lodtensor"]


def create_lod_tensor(
    data: np.ndarray | list[Any] | LoDTensor, recursive_seq_lens: list[list[int]], place: Place
) -> LoDTensor:
    """Make a LoDTensor of sequences laid end to end.

    Same as Paddle 1.8.

    Args:
        data: the rows of all sequences; or a list of sequences, whose rows get one more dimension
            of size 1; or another LoDTensor.
        recursive_seq_lens: lengths of the sequences, level by level.
        place: where it is said to live.

    Raises:
        AssertionError: `data` is a list of other lengths.
        EnforceNotMet: the lengths do not fit the rows.
        TypeError: an argument is of another type.
    """
    if isinstance(data, LoDTensor):
        data = np.array(data)
    elif isinstance(data, list):
        lengths = [[len(sequence) for sequence in data]]
        assert lengths == recursive_seq_lens, (
            f"`data` has sequences of the lengths {lengths}, but `recursive_seq_lens` is "
            f"{recursive_seq_lens}."
        )
        data = np.array([row for sequence in data for row in sequence])[..., None]
    if not isinstance(data, np.ndarray):
        raise TypeError(
            f"`data` must be a LoDTensor, an array or a list, but received {type(data).__name__}."
        )
    tensor = LoDTensor()
    tensor.set(data, place)
    tensor.set_recursive_sequence_lengths(recursive_seq_lens)
    return tensor


def create_random_int_lodtensor(
    recursive_seq_lens: list[list[int]], base_shape: list[int], place: Place, low: int, high: int
) -> LoDTensor:
    """Make a LoDTensor of random int64 numbers from `low` to `high`, both included.

    Same as Paddle 1.8, with the same numbers for the same `np.random.seed`.

    Args:
        recursive_seq_lens: lengths of the sequences, level by level.
        base_shape: shape of a row.
        place: where it is said to live.
        low: the least number.
        high: the greatest number.

    Raises:
        AssertionError: `base_shape` is not a list.
        ValueError: `low` is greater than `high`.

    Effects:
        `np.random` advances.
    """
    assert isinstance(base_shape, list), (
        f"`base_shape` must be a list, but received {base_shape!r}."
    )
    shape = [sum(recursive_seq_lens[-1]), *base_shape]
    data = np.random.randint(low, high + 1, shape, np.int64)
    return create_lod_tensor(data, recursive_seq_lens, place)
