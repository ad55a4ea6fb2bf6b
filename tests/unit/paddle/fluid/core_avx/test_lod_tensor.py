"""LoDTensors hold what Paddle 1.8.5's hold; texts and numbers were recorded from it."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import CPUPlace, EnforceNotMet, LoDTensor, LoDTensorArray
from refluid.paddle.fluid.core_avx.dtype import VarType


@pytest.fixture
def tensor() -> LoDTensor:
    made = LoDTensor()
    made.set(np.arange(6, dtype=np.float32).reshape(2, 3), CPUPlace())
    return made


def test_empty_tensor():
    empty = LoDTensor()
    assert (empty.shape(), empty.lod(), np.array(empty).tolist()) == ([0], [], [])
    assert not empty._is_initialized()
    for ask in (empty._dtype, empty.__str__, lambda: empty[0]):
        with pytest.raises(EnforceNotMet, match="is empty: set"):
            ask()


def test_array_is_copied(tensor):
    array = np.ones(2, np.float32)
    tensor.set(array, CPUPlace())
    array[:] = 5
    assert np.array(tensor).tolist() == [1, 1]
    np.array(tensor)[:] = 7
    assert np.asarray(tensor).tolist() == [1, 1]
    tensor.set([1, 2], CPUPlace())
    assert (tensor._dtype(), tensor.shape(), tensor._place()) == (VarType.INT64, [2], CPUPlace())


def test_text_is_paddles(tensor):
    rest = "\tdim: 2, 3\n\tlayout: NCHW\n\tdtype: float\n\tdata: [0 1 2 3 4 5]\n"
    assert str(tensor) == "\tlod: {}\n" + rest
    tensor.set_lod([[0, 1, 2], [0, 1, 2]])
    assert str(tensor) == "\tlod: {{0, 1, 2}{0, 1, 2}}\n" + rest
    assert repr(tensor).startswith("<paddle.fluid.core_avx.LoDTensor object")


def test_lengths_and_offsets_are_two_ways_of_saying_the_same(tensor):
    tensor.set_recursive_sequence_lengths([[2, 1], [1, 0, 1]])
    assert tensor.lod() == [[0, 2, 3], [0, 1, 1, 2]]
    assert tensor.recursive_sequence_lengths() == [[2, 1], [1, 0, 1]]
    tensor.set_lod([])
    assert (tensor.lod(), tensor.has_valid_recursive_sequence_lengths()) == ([], True)
    assert LoDTensor([[0, 1, 2]]).lod() == [[0, 0, 1, 3]]


@pytest.mark.parametrize("lod", [[[1, 2]], [[0, 5]], [[0, 2, 1]], [[0]], [[0, 1], [0, 1, 2]]])
def test_offsets_that_do_not_fit_are_refused(tensor, lod):
    tensor.set_lod([[0, 2]])
    with pytest.raises(EnforceNotMet, match=r"do not fit each other or the shape \[2, 3\]"):
        tensor.set_lod(lod)
    assert tensor.lod() == [[0, 2]]
    assert tensor.has_valid_recursive_sequence_lengths()
    tensor.set(np.zeros((3, 3)), CPUPlace())  # it keeps the lengths, as Paddle's
    assert (tensor.lod(), tensor.has_valid_recursive_sequence_lengths()) == ([[0, 2]], False)


@pytest.mark.parametrize("value", [3, [0, 2], [[-1]], [["a"]], [[0.5]], None, np.ones((1, 2))])
def test_other_things_than_lists_of_lists_are_refused(tensor, value):
    for method in (tensor.set_lod, tensor.set_recursive_sequence_lengths, LoDTensor):
        with pytest.raises(TypeError, match="must be a list of lists of ints from 0"):
            method(value)


def test_arrays_and_places_of_other_kinds_are_refused(tensor):
    for array in (np.ones(2, np.complex64), ["x"], [None]):
        with pytest.raises(EnforceNotMet, match=r"LoDTensor.set: `dtype` must be one of"):
            tensor.set(array, CPUPlace())
    with pytest.raises(TypeError, match=r"`place` must be a place"):
        tensor.set(np.ones(2), "cpu")
    assert tensor.shape() == [2, 3]


def test_index_keeps_every_dimension(tensor):
    assert np.array(tensor[1]).tolist() == [[3, 4, 5]]
    assert np.array(tensor[-1, 1]).tolist() == [[4]]
    assert np.array(tensor[:, 1:2]).tolist() == [[1], [4]]
    with pytest.raises(IndexError, match="the index 2 is out of range"):
        tensor[2]


def test_array_of_tensors_shares_values_and_copies_lengths(tensor):
    tensors = LoDTensorArray()
    tensors.append(tensor)
    tensors[0].set_lod([[0, 2]])
    tensor.set_lod([[0, 1, 2]])
    tensors.append(tensor)
    assert [each.lod() for each in tensors] == [[[0, 2]], [[0, 1, 2]]]
    tensors[0] = tensor
    assert (len(tensors), tensors[0].lod(), tensors[0].shape()) == (2, [[0, 1, 2]], [2, 3])
    assert [each.shape() for each in tensors._move_to_list()] == [[2, 3], [2, 3]]
    assert len(tensors) == 0


def test_array_refuses_other_things(tensor):
    tensors = LoDTensorArray()
    with pytest.raises(TypeError, match="holds LoDTensors, but received ndarray"):
        tensors.append(np.ones(2))
    with pytest.raises(TypeError, match="indexed by an int from 0, but received -1"):
        tensors[-1]
    with pytest.raises(IndexError):
        tensors[0]


def test_the_tensor_of_a_variable_is_written_and_read_through_it():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        variable = fluid.dygraph.to_variable(np.arange(12.0, dtype="float32").reshape(4, 3))
        tensor = variable.value().get_tensor()
        assert isinstance(tensor, fluid.LoDTensor)
        assert (tensor.shape(), tensor._dtype()) == ([4, 3], fluid.core.VarDesc.VarType.FP32)
        assert tensor._is_initialized()
        assert isinstance(tensor._place(), fluid.CPUPlace)
        assert tensor._get_float_element(7) == 7
        assert np.array(tensor[1:3]).tolist() == [[3, 4, 5], [6, 7, 8]]
        tensor.set(np.zeros((4, 3), "float32"), fluid.CPUPlace())
        assert not variable.numpy().any()
        tensor.set_lod([[0, 1, 4]])
        assert variable.lod() == tensor.lod() == [[0, 1, 4]]
        tensor.set_recursive_sequence_lengths([[2, 2]])
        assert variable.value().get_tensor().recursive_sequence_lengths() == [[2, 2]]
        with pytest.raises(fluid.core.EnforceNotMet, match="do not fit"):
            tensor.set_lod([[0, 9]])
        with pytest.raises(AssertionError, match="set_value"):
            tensor.set(np.zeros(2, "float32"), fluid.CPUPlace())
