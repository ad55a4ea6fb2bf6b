"""Metrics that add up over batches, computed on NumPy arrays.

Numbers and their types are Paddle's: an array of shape [1] stays one, and sums are kept in double
precision where Paddle's NumPy of 2020 kept them so. `DetectionMAP` is not here: it belongs to the
static graph.
May import: numpy, core_avx.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from refluid.paddle.fluid.core_avx.array import Array

__all__ = [
    "Accuracy",
    "Auc",
    "ChunkEvaluator",
    "CompositeMetric",
    "EditDistance",
    "MetricBase",
    "Precision",
    "Recall",
]


class MetricBase:
    """What metrics have in common: a name, and public attributes that are their state.

    Same as Paddle 1.8.

    Args:
        name: shown by `str`; by default the name of the class.
    """

    def __init__(self, name: str | None) -> None:
        self._name = type(self).__name__ if name is None else str(name)

    def __str__(self) -> str:
        return self._name

    def reset(self) -> None:
        """Set every public attribute to zero: numbers and arrays by their type, others to None."""
        for attr, value in self._states().items():
            if isinstance(value, int):
                setattr(self, attr, 0)
            elif isinstance(value, float):
                setattr(self, attr, 0.0)
            elif isinstance(value, (np.ndarray, np.generic)):
                setattr(self, attr, np.zeros_like(value))
            else:
                setattr(self, attr, None)

    def get_config(self) -> dict[str, Any]:
        """Return the name and a copy of the state, as `{"name": ..., "states": {...}}`."""
        return {"name": self._name, "states": copy.deepcopy(self._states())}

    def update(self, preds: Any, labels: Any) -> None:
        """Add one batch; defined by each metric."""
        raise NotImplementedError(f"`update` is not defined in class {type(self).__name__}.")

    def eval(self) -> Any:
        """Return the metric of all batches since `reset`; defined by each metric."""
        raise NotImplementedError(f"`eval` is not defined in class {type(self).__name__}.")

    def _states(self) -> dict[str, Any]:
        return {attr: value for attr, value in vars(self).items() if not attr.startswith("_")}


class CompositeMetric(MetricBase):
    """Several metrics that are given the same batches.

    Differs from Paddle: `reset` resets the metrics, and not nothing.

    Args:
        name: shown by `str`.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self._metrics: list[MetricBase] = []

    def add_metric(self, metric: MetricBase) -> None:
        """Add a metric.

        Raises:
            ValueError: `metric` is not an instance of MetricBase.
        """
        if not isinstance(metric, MetricBase):
            raise ValueError(
                f"`metric` must be a fluid.metrics.MetricBase, but received {_kind(metric)}."
            )
        self._metrics.append(metric)

    def reset(self) -> None:
        """Reset every metric."""
        for metric in self._metrics:
            metric.reset()

    def update(self, preds: Any, labels: Any) -> None:
        """Give the batch to every metric."""
        for metric in self._metrics:
            metric.update(preds, labels)

    def eval(self) -> list[Any]:
        """Return what every metric gives, in the order in which they were added."""
        return [metric.eval() for metric in self._metrics]


class Precision(MetricBase):
    """Of what was predicted to be 1, the share that is 1.

    Same as Paddle 1.8.

    Args:
        name: shown by `str`.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.tp = 0
        self.fp = 0

    def update(self, preds: np.ndarray, labels: np.ndarray) -> None:
        """Add one batch.

        Args:
            preds: [N] or [N, 1], probabilities of class 1; 0.5 and less count as 0.
            labels: [N] or [N, 1], 0 or 1.

        Raises:
            ValueError: either is not an array, or of another shape.
        """
        positive, true = _binary(preds, labels)
        hits = int(np.sum((positive == 1) & (positive == true)))
        self.tp += hits
        self.fp += int(np.sum(positive == 1)) - hits

    def eval(self) -> float:
        """Return the precision, 0.0 if nothing was predicted to be 1."""
        total = self.tp + self.fp
        return self.tp / total if total else 0.0


class Recall(MetricBase):
    """Of what is 1, the share that was predicted to be 1.

    Same as Paddle 1.8.

    Args:
        name: shown by `str`.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.tp = 0
        self.fn = 0

    def update(self, preds: np.ndarray, labels: np.ndarray) -> None:
        """Add one batch.

        Args:
            preds: [N] or [N, 1], probabilities of class 1; 0.5 and less count as 0.
            labels: [N] or [N, 1], 0 or 1.

        Raises:
            ValueError: either is not an array, or of another shape.
        """
        positive, true = _binary(preds, labels)
        hits = int(np.sum((true == 1) & (positive == true)))
        self.tp += hits
        self.fn += int(np.sum(true == 1)) - hits

    def eval(self) -> float:
        """Return the recall, 0.0 if nothing is 1."""
        total = self.tp + self.fn
        return self.tp / total if total else 0.0


class Accuracy(MetricBase):
    """The average of batch accuracies, weighted by batch size.

    Same as Paddle 1.8; NumPy numbers of every kind are taken too.

    Args:
        name: shown by `str`.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.value: Any = 0.0
        self.weight: Any = 0.0

    def update(self, value: Any, weight: Any) -> None:  # type: ignore[override]
        """Add one batch.

        Args:
            value: a number or array, such as `accuracy.numpy()` of shape [1].
            weight: a number, or an array of shape [1]: how much `value` counts for.

        Raises:
            ValueError: either is something else, or `weight` is negative.
        """
        value, weight = _number_or_array("value", value), _number("weight", weight)
        if weight < 0:
            raise ValueError(f"The `weight` can not be negative, but received {weight}.")
        self.value += value * weight
        self.weight += weight

    def eval(self) -> Any:
        """Return the average: a float, or an array where arrays were added.

        Raises:
            ValueError: nothing was added.
        """
        if self.weight == 0:
            raise ValueError(
                "There is no data in Accuracy Metrics. "
                "Please check layers.accuracy output has added to Accuracy."
            )
        return self.value / self.weight


class ChunkEvaluator(MetricBase):
    """Precision, recall and F1 of chunks, as in tagging words.

    Same as Paddle 1.8.

    Args:
        name: shown by `str`.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.num_infer_chunks: Any = 0
        self.num_label_chunks: Any = 0
        self.num_correct_chunks: Any = 0

    def update(  # type: ignore[override]
        self, num_infer_chunks: Any, num_label_chunks: Any, num_correct_chunks: Any
    ) -> None:
        """Add the counts of one batch, each a number or an array of shape [1].

        Args:
            num_infer_chunks: how many chunks were predicted.
            num_label_chunks: how many there are.
            num_correct_chunks: how many are both.

        Raises:
            ValueError: one of them is something else.
        """
        self.num_infer_chunks += _number("num_infer_chunks", num_infer_chunks)
        self.num_label_chunks += _number("num_label_chunks", num_label_chunks)
        self.num_correct_chunks += _number("num_correct_chunks", num_correct_chunks)

    def eval(self) -> tuple[Any, Any, Any]:
        """Return precision, recall and F1; 0 where there is nothing to divide by."""
        correct = _plain(self.num_correct_chunks)
        precision = correct / self.num_infer_chunks if self.num_infer_chunks else 0
        recall = correct / self.num_label_chunks if self.num_label_chunks else 0
        f1_score = 2 * precision * recall / (precision + recall) if correct else 0
        return precision, recall, f1_score


class EditDistance(MetricBase):
    """The average edit distance of sequences, and the share of them that are wrong.

    Same as Paddle 1.8.

    Args:
        name: shown by `str`.
    """

    def __init__(self, name: str | None) -> None:
        super().__init__(name)
        self.total_distance = 0.0
        self.seq_num: Any = 0
        self.instance_error: Any = 0

    def update(  # type: ignore[override]
        self, distances: np.ndarray, seq_num: Any
    ) -> None:
        """Add one batch.

        Args:
            distances: [N, 1], the edit distance of each sequence.
            seq_num: N, a number or an array of shape [1].

        Raises:
            ValueError: either is something else.
        """
        _check_array("distances", distances)
        seq_num = _number("seq_num", seq_num)
        self.seq_num += seq_num
        self.instance_error += seq_num - int(np.sum(distances == 0))
        # summed in the array's own type, as Paddle does, but added up in double precision
        self.total_distance += float(np.sum(distances))

    def eval(self) -> tuple[Any, Any]:
        """Return the average distance, and the share of sequences with any.

        Raises:
            ValueError: nothing was added.
        """
        if self.seq_num == 0:
            raise ValueError(
                "There is no data in EditDistance Metric. "
                "Please check layers.edit_distance output has been added to EditDistance."
            )
        return self.total_distance / self.seq_num, self.instance_error / self.seq_num


class Auc(MetricBase):
    """The area under the curve of true positives over false positives, from a histogram.

    Differs from Paddle: `reset` empties the histogram, and not nothing.

    Args:
        name: shown by `str`.
        curve: accepted; Paddle computes "ROC" whatever it says.
        num_thresholds: how many steps the histogram has between 0 and 1.
    """

    def __init__(self, name: str | None, curve: str = "ROC", num_thresholds: int = 4095) -> None:
        super().__init__(name)
        self._num_thresholds = num_thresholds
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self._positives = np.zeros(self._num_thresholds + 1)
        self._negatives = np.zeros(self._num_thresholds + 1)

    def update(self, preds: np.ndarray, labels: np.ndarray) -> None:
        """Add one batch.

        Args:
            preds: [N, 2], probabilities of class 0 and 1.
            labels: [N] or [N, 1], 0 or 1.

        Raises:
            ValueError: either is not an array, or a probability of class 1 is not in [0, 1].
        """
        _check_array("labels", labels)
        _check_array("preds", preds)
        scores = preds[: len(labels), 1].astype(np.float64)
        if not np.all((scores >= 0) & (scores <= 1)):
            raise ValueError(
                "`preds` must hold probabilities, but its second column goes from "
                f"{scores.min()} to {scores.max()}."
            )
        bins = (scores * self._num_thresholds).astype(np.int64)
        positive = labels.reshape(len(labels), -1).any(axis=1)
        size = self._num_thresholds + 1
        self._positives += np.bincount(bins[positive], minlength=size)
        self._negatives += np.bincount(bins[~positive], minlength=size)

    @staticmethod
    def trapezoid_area(x1: float, x2: float, y1: float, y2: float) -> float:
        """Return the area under a line from (x1, y1) to (x2, y2)."""
        return abs(x1 - x2) * (y1 + y2) / 2.0

    def eval(self) -> float:
        """Return the area, 0.0 if there are no positives or no negatives."""
        positives = negatives = area = 0.0
        for step in range(self._num_thresholds, -1, -1):
            before = negatives, positives
            positives += float(self._positives[step])
            negatives += float(self._negatives[step])
            area += self.trapezoid_area(negatives, before[0], positives, before[1])
        return area / positives / negatives if positives and negatives else 0.0


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {list(value.shape)}"
    return type(value).__name__


def _check_array(name: str, value: Any) -> None:
    if not isinstance(value, (np.ndarray, np.generic)):
        raise ValueError(f"The `{name}` must be a numpy ndarray, but received {_kind(value)}.")


def _plain(value: Any) -> Any:
    """Return the number in an array of one element, or in a NumPy scalar."""
    return value.item() if isinstance(value, (np.ndarray, np.generic)) else value


def _number(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.shape == (1,):
        return value.view(Array)  # which is printed as a number
    if isinstance(value, (int, float, np.number)):
        # as a Python number it does not widen arrays, as no scalar did in the NumPy of 2020
        return _plain(value)
    raise ValueError(
        f"The `{name}` must be a number(int, float) or an array of shape [1], "
        f"but received {_kind(value)}."
    )


def _number_or_array(name: str, value: Any) -> Any:
    return value.view(Array) if isinstance(value, np.ndarray) else _number(name, value)


def _binary(preds: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions rounded to 0 and 1, and labels, both [N]."""
    _check_array("preds", preds)
    _check_array("labels", labels)
    num_samples = len(labels)
    preds = preds[:num_samples]
    if preds.size != num_samples or labels.size != num_samples:
        raise ValueError(
            "`preds` and `labels` must be of shape [N] or [N, 1] with the same N, "
            f"but received {list(preds.shape)} and {list(labels.shape)}."
        )
    return np.rint(preds).astype(np.int32).reshape(-1), labels.reshape(-1)
