"""Metrics give Paddle's numbers; those in hexadecimal were recorded from Paddle 1.8.5."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import metrics
from refluid.paddle.fluid.core_avx.array import Array


@pytest.fixture
def rng():
    return np.random.RandomState(5)


def binary_batches(rng):
    for _ in range(3):
        preds = rng.rand(50, 1).astype("float32")
        yield preds, (rng.rand(50, 1) < 0.4).astype("int64")


def test_precision_recall_and_auc_are_paddles(rng):
    precision, recall = metrics.Precision(), metrics.Recall()
    auc, coarse = metrics.Auc("auc"), metrics.Auc("x", curve="PR", num_thresholds=200)
    for preds, labels in binary_batches(rng):
        precision.update(preds, labels)
        recall.update(preds, labels)
        both = np.concatenate([1 - preds, preds], axis=1)
        auc.update(both, labels)
        coarse.update(both, labels)
    assert precision.eval() == float.fromhex("0x1.5555555555555p-2")
    assert recall.eval() == float.fromhex("0x1.b1e5f75270d04p-2")
    assert auc.eval() == float.fromhex("0x1.cc37e1dd93004p-2")
    assert coarse.eval() == float.fromhex("0x1.cc68b53034a3ep-2")
    assert precision.get_config() == {"name": "Precision", "states": {"tp": 25, "fp": 50}}
    assert (str(precision), str(auc)) == ("Precision", "auc")


def skip_binary_batches(rng):
    list(binary_batches(rng))


def test_accuracy_of_arrays_is_paddles(rng):
    skip_binary_batches(rng)
    accuracy = metrics.Accuracy()
    for n in (7, 64, 3):
        accuracy.update(rng.rand(1).astype("float32").view(Array), n)
    value = accuracy.eval()
    assert (value.dtype, value.shape) == (np.float32, (1,))
    assert float(value[0]) == float.fromhex("0x1.d6ac420000000p-1")
    accuracy.reset()
    assert (accuracy.value, accuracy.weight) == ([0], 0)
    accuracy = metrics.Accuracy()
    for n in (7, 64, 3):
        accuracy.update(rng.rand(1).astype("float32"), np.int64(n))
    value = accuracy.eval()
    assert value.dtype == np.float32  # a NumPy integer does not make it float64
    assert float(value[0]) == float.fromhex("0x1.1e6ac00000000p-1")
    accuracy = metrics.Accuracy()
    for n in (7, 64, 3):
        accuracy.update(float(rng.rand()), n)
    assert accuracy.eval() == float.fromhex("0x1.6923788e0487ep-2")
    accuracy = metrics.Accuracy()
    for n in (7, 64, 3):
        accuracy.update(np.float64(rng.rand()), n)
    assert repr(accuracy.eval()) == repr(float.fromhex("0x1.59c35f7d796fbp-1"))
    accuracy = metrics.Accuracy()
    for n in (7, 64, 3):
        accuracy.update(rng.rand(1).astype("float32"), np.array([n]))
    value = accuracy.eval()
    assert value.dtype == np.float64
    assert float(value[0]) == float.fromhex("0x1.8992adec1bad0p-1")


def test_accuracy_prints_as_in_paddle():
    accuracy = metrics.Accuracy()
    accuracy.update(0.5, 10)
    accuracy.update(np.array([1.0]), 30)
    assert str(accuracy.eval()) == "[0.875]"


def test_accuracy_does_not_write_to_the_callers_array():
    first = np.ones(1, np.float32)
    accuracy = metrics.Accuracy()
    accuracy.update(first, 1)
    accuracy.update(first, 1)
    assert first.tolist() == [1]


@pytest.mark.parametrize(
    ("value", "weight", "text"),
    [
        ("x", 1, "`value` must be a number.*str"),
        (1.0, None, "`weight` must be a number.*NoneType"),
        (1.0, np.ones(2), r"`weight` must be.*shape \[2\]"),
        (1.0, -1, "`weight` can not be negative.*-1"),
    ],
)
def test_accuracy_refuses_other_types(value, weight, text):
    with pytest.raises(ValueError, match=text):
        metrics.Accuracy().update(value, weight)


def test_metrics_without_data():
    with pytest.raises(ValueError, match="no data in Accuracy"):
        metrics.Accuracy().eval()
    with pytest.raises(ValueError, match="no data in EditDistance"):
        metrics.EditDistance("x").eval()
    assert metrics.Precision().eval() == metrics.Recall().eval() == metrics.Auc("a").eval() == 0.0
    assert metrics.ChunkEvaluator().eval() == (0, 0, 0)


def test_results_of_arrays_are_printed_as_numbers():
    chunks = metrics.ChunkEvaluator()
    chunks.update(*(np.array([n]) for n in (4, 5, 2)))
    assert "%.3f %.3f %.3f" % chunks.eval() == "0.500 0.400 0.444"
    accuracy = metrics.Accuracy()
    accuracy.update(np.array([0.5], "float32"), 2)
    assert f"{float(accuracy.eval()):.3f}" == "%.3f" % accuracy.eval() == "0.500"


def test_chunks_are_paddles():
    chunks = metrics.ChunkEvaluator()
    chunks.update(10, 9, 8)
    chunks.update(10, 9, np.int64(8))
    assert [float(x).hex() for x in chunks.eval()] == [
        "0x1.999999999999ap-1",
        "0x1.c71c71c71c71cp-1",
        "0x1.af286bca1af29p-1",
    ]


def test_chunks_of_arrays_are_arrays():
    chunks = metrics.ChunkEvaluator()
    for _ in range(2):
        chunks.update(*(np.array([n]).view(Array) for n in (10, 9, 7)))
    result = chunks.eval()
    assert [x.shape for x in result] == [(1,)] * 3
    assert [float(x[0]).hex() for x in result] == [
        "0x1.6666666666666p-1",
        "0x1.8e38e38e38e39p-1",
        "0x1.79435e50d7942p-1",
    ]


def test_edit_distance_is_paddles():
    distance = metrics.EditDistance("ed")
    distance.update(np.array([[0.1], [0.0], [0.1], [0.2], [0.0], [0.2]], "float32"), 6)
    distance.update(np.array([[0.2], [0.2], [0.2], [0.1]], "float32"), 4)
    average, wrong = distance.eval()
    assert average.hex() == "0x1.0a3d71999999ap-3"
    assert wrong == 0.8
    distance.reset()
    distance.update(np.array([[2.0], [0.0], [1.0], [1.0]], "float32"), np.array([4]))
    average, wrong = distance.eval()
    assert (average.tolist(), wrong.tolist()) == ([1.0], [0.75])


def test_composite_gives_every_metric_and_resets_it():
    both = metrics.CompositeMetric()
    both.add_metric(metrics.Precision())
    both.add_metric(metrics.Recall())
    preds, labels = np.array([[0.1], [0.7], [0.8], [0.9]]), np.array([[0], [1], [1], [0]])
    both.update(preds, labels)
    assert both.eval() == [2 / 3, 1.0]
    both.reset()
    assert both.eval() == [0.0, 0.0]
    with pytest.raises(ValueError, match=r"`metric` must be .*MetricBase, but received int"):
        both.add_metric(1)


def test_auc_reset_empties_the_histogram():
    auc = metrics.Auc("a", num_thresholds=10)
    auc.update(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 0]))
    assert auc.eval() == 1.0
    auc.reset()
    assert auc.eval() == 0.0
    with pytest.raises(ValueError, match=r"must hold probabilities, .* from -0.5 to 1.5"):
        auc.update(np.array([[0, 1.5], [0, -0.5]]), np.array([1, 0]))


def test_predictions_are_rounded_to_even():
    precision = metrics.Precision()
    precision.update(np.array([0.5, 1.5, 2.5, 0.6]), np.array([1, 2, 1, 1]))
    assert (precision.tp, precision.fp) == (1, 0)


@pytest.mark.parametrize("metric", [metrics.Precision, metrics.Recall])
def test_binary_metrics_refuse_other_shapes_and_types(metric):
    with pytest.raises(ValueError, match=r"shape \[N\] or \[N, 1\].*\[1, 2\] and \[1, 1\]"):
        metric().update(np.array([[0.1, 0.9]]), np.array([[1]]))
    with pytest.raises(ValueError, match="`preds` must be a numpy ndarray, but received list"):
        metric().update([0.1], np.array([[1]]))
    with pytest.raises(ValueError, match="`labels` must be a numpy ndarray, but received list"):
        metric().update(np.array([0.1]), [1])


def test_reset_of_a_users_metric_zeroes_by_type():
    class Mine(metrics.MetricBase):
        def __init__(self) -> None:
            super().__init__(None)
            self.count, self.total, self.parts, self.names = 3, 2.5, np.ones(2), ["a"]
            self._kept = 7

    mine = Mine()
    config = mine.get_config()
    mine.reset()
    assert (mine.count, mine.total, mine.parts.tolist(), mine.names) == (0, 0.0, [0, 0], None)
    assert type(mine.total) is float
    assert mine._kept == 7
    assert config["states"]["names"] == ["a"]
    with pytest.raises(NotImplementedError, match="`update` is not defined in class Mine"):
        mine.update(1, 2)
    with pytest.raises(NotImplementedError, match="`eval` is not defined in class Mine"):
        mine.eval()
