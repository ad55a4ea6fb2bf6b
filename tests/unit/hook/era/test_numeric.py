"""What stands in for names of NumPy and pandas; the numbers are those of 1.18.5 and 0.25.3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from refluid.hook.era import numeric


def test_a_single_element_becomes_a_number() -> None:
    assert numeric.asscalar(np.array([3.5])) == 3.5
    assert type(numeric.asscalar(np.float32(2))) is float
    with pytest.raises(ValueError, match="size 1"):
        numeric.asscalar(np.array([1, 2]))


@pytest.mark.parametrize(
    ("values", "options", "dtype"),
    [
        ([1, 2], {}, "float64"),
        (np.float32([1, 2]), {}, "float64"),
        ([1, 2], {"dtype": np.int32}, "float64"),
        ([1, 2], {"dtype": np.float32}, "float32"),
        ([1, 2], {"dtype": "float16"}, "float16"),
    ],
)
def test_numbers_become_floats(values: Any, options: dict[str, Any], dtype: str) -> None:
    made = numeric.asfarray(values, **options)
    assert (made.dtype, made.tolist()) == (dtype, [1, 2])


def test_elements_are_looked_for_flat() -> None:
    assert numeric.in1d([[1, 2], [3, 4]], [2, 3]).tolist() == [False, True, True, False]
    assert numeric.in1d([1, 2, 2], [2], invert=True).tolist() == [True, False, False]
    assert numeric.in1d(3, [3]).tolist() == [True]


def test_an_assignment_is_a_table_of_pairs() -> None:
    pytest.importorskip("scipy")
    pairs = numeric.linear_assignment(np.array([[4.0, 1, 3], [2, 0, 5], [3, 2, 2]]))
    assert pairs.tolist() == [[0, 1], [1, 0], [2, 2]]


def frames() -> Any:
    pd = pytest.importorskip("pandas")
    return pd, pd.DataFrame({"a": [1, 2], "b": [3.0, 4.0]})


def test_a_row_is_appended_as_a_dictionary() -> None:
    pd, frame = frames()
    longer = numeric.append(frame, {"a": 5, "b": 6}, ignore_index=True)
    assert longer.values.tolist() == [[1, 3], [2, 4], [5, 6]]
    assert [kind.kind for kind in longer.dtypes] == ["i", "f"]
    assert frame.shape == (2, 2)
    log = numeric.append(pd.DataFrame(columns=["epoch", "loss"]), {"epoch": 1, "loss": 2.5}, True)
    assert log.to_dict("list") == {"epoch": [1], "loss": [2.5]}
    assert log.loss.dtype == np.float64


def test_a_row_with_other_columns_leaves_gaps() -> None:
    _, frame = frames()
    longer = numeric.append(frame, {"a": 5, "c": "x"}, ignore_index=True)
    assert list(longer.columns) == ["a", "b", "c"]
    assert np.isnan(longer.b[2])
    assert longer.c.tolist()[2] == "x"


def test_a_named_series_is_a_row_with_a_label() -> None:
    pd, frame = frames()
    row = pd.Series([7, 8.0], index=["a", "b"], name="last")
    assert list(numeric.append(frame, row).index) == [0, 1, "last"]
    assert list(numeric.append(frame, [row, row], ignore_index=True).index) == [0, 1, 2, 3]


def test_a_row_without_a_label_is_refused() -> None:
    pd, frame = frames()
    for row in ({"a": 1, "b": 2}, pd.Series([7, 8.0], index=["a", "b"])):
        with pytest.raises(TypeError, match="`ignore_index=True`"):
            numeric.append(frame, row)


def test_frames_are_appended() -> None:
    pd, frame = frames()
    assert list(numeric.append(frame, frame).index) == [0, 1, 0, 1]
    assert len(numeric.append(frame, [frame, frame], ignore_index=True)) == 6
    other = pd.DataFrame({"z": [2], "b": [1.0]})
    assert list(numeric.append(frame, other).columns) == ["a", "b", "z"]
    assert list(numeric.append(other, frame, sort=True).columns) == ["a", "b", "z"]
    assert list(numeric.append(other, frame).columns) == ["z", "b", "a"]
    with pytest.raises(ValueError, match="overlapping"):
        numeric.append(frame, frame, verify_integrity=True)
    rows = numeric.append(frame, [{"a": 1, "b": 2.0}], ignore_index=True)
    assert [kind.kind for kind in rows.dtypes] == ["i", "f"]
    assert numeric.append(frame, pd.DataFrame()).equals(frame)
    assert numeric.append(frame, []).equals(frame)


def test_series_are_appended() -> None:
    pd, _ = frames()
    series = pd.Series([1, 2])
    assert list(numeric.append(series, pd.Series([3])).index) == [0, 1, 0]
    assert numeric.append(series, [series, pd.Series([4.5])], True).tolist() == [1, 2, 1, 2, 4.5]


def test_columns_and_values_are_told() -> None:
    _, frame = frames()
    assert [(name, column.tolist()) for name, column in numeric.iteritems(frame)] == [
        ("a", [1, 2]),
        ("b", [3, 4]),
    ]
    assert list(numeric.iteritems(frame.a)) == [(0, 1), (1, 2)]
    assert numeric.as_matrix(frame).tolist() == [[1, 3], [2, 4]]
    assert numeric.as_matrix(frame, ["b"]).tolist() == [[3], [4]]


def test_methods_that_arrays_had() -> None:
    array = np.arange(6.0).reshape(2, 3)
    numeric.itemset(array, 4, -1)
    numeric.itemset(array, (0, 2), 7)
    numeric.itemset(array, 1, 0, 8)
    assert array.tolist() == [[0, 1, 7], [8, -1, 5]]
    single = np.zeros(1)
    numeric.itemset(single, 3)
    assert single.tolist() == [3]
    assert numeric.ptp(array) == 9
    assert numeric.ptp(array, 0, keepdims=True).tolist() == [[8, 2, 2]]
    assert numeric.tostring(array) == array.tobytes()
    assert numeric.tostring(array, "F") == array.tobytes("F")
