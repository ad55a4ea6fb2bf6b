"""What a record holds, of each kind, as its field.

The formulas are VisualDL's: how thresholds divide predictions, what a label is where none is given.
May import: errors, observe.png, visualdl.argument, visualdl.wire.
"""

from __future__ import annotations

import io
import warnings
import wave
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from refluid.errors import RefluidWarning
from refluid.observe.png import encode_png
from refluid.visualdl import argument
from refluid.visualdl.wire import Kind, block, double, integer, packed, single

__all__ = [
    "audio",
    "curve",
    "embeddings",
    "histogram",
    "hparam",
    "image",
    "meta_data",
    "tag_value",
    "text",
]

_MOST_THRESHOLDS = 127
_SMALLEST_COUNT = 1e-7


def meta_data(display_name: str) -> bytes:
    """Return the name that a folder is shown under."""
    return block(Kind.META_DATA, block(1, _utf8(display_name)))


def tag_value(sub_tag: bytes, value: float) -> bytes:
    """Return one of several numbers that share a tag."""
    return block(Kind.TAG_VALUE, block(1, sub_tag) + single(2, value))


def text(content: str) -> bytes:
    """Return a text."""
    return block(Kind.TEXT, block(1, _utf8(content)))


def image(picture: np.ndarray) -> bytes:
    """Return a picture, uint8 [H, W, 3]."""
    return block(Kind.IMAGE, block(4, encode_png(picture)))


def audio(samples: np.ndarray, sample_rate: int) -> bytes:
    """Return one channel of sound as a WAV file of 16 bits.

    Args:
        samples: numbers, [T] but for axes of length 1; from -1 to 1, others are clipped.
        sample_rate: samples in a second.

    Raises:
        ValueError: there are several channels or no samples, or the rate is not positive.
    """
    samples = np.nan_to_num(samples.astype(np.float64), nan=0.0)
    if samples.ndim > 1:
        samples = samples.squeeze()
    if samples.ndim != 1 or not samples.size:
        raise ValueError(
            f"`audio_array` must have one axis, but is of shape {list(samples.shape)}."
        )
    if sample_rate < 1:
        raise ValueError(f"`sample_rate` must be at least 1, but is {sample_rate}.")
    if np.abs(samples).max() > 1:
        warnings.warn(
            "`audio_array` has values outside of -1 to 1, which are clipped: divide it by its "
            "largest possible value.",
            RefluidWarning,
            stacklevel=3,
        )
        samples = samples.clip(-1, 1)
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((32767 * samples).astype("<i2").tobytes())
    return block(
        Kind.AUDIO,
        single(1, sample_rate)
        + integer(2, 1)
        + integer(3, len(samples))
        + block(4, stream.getvalue())
        + block(5, b"audio/wav"),
    )


def histogram(values: np.ndarray, buckets: int) -> bytes:
    """Return how many of the finite values fall into each of `buckets` equal parts."""
    if buckets < 1:
        raise ValueError(f"`buckets` must be at least 1, but is {buckets}.")
    values = values.astype(np.float64).ravel()
    counts, edges = np.histogram(values[np.isfinite(values)], bins=buckets)
    return block(Kind.HISTOGRAM, packed(1, "d", counts) + packed(2, "d", edges))


def embeddings(vectors: np.ndarray, labels: Sequence[Any] | None, header: Any) -> bytes:
    """Return points in a space of many dimensions, with their labels.

    Args:
        vectors: numbers [N, D].
        labels: of each point, [N]; or several kinds of them, [K, N]. By default the index.
        header: names of the kinds, [K].

    Raises:
        ValueError: shapes do not fit.
    """
    if vectors.ndim != 2 or not vectors.size:
        raise ValueError(
            f"`mat` must have rows and columns, but is of shape {list(vectors.shape)}."
        )
    kinds: list[Sequence[Any]] = [range(len(vectors))] if labels is None else [labels]
    if labels is not None and len(labels) and isinstance(labels[0], list | tuple):
        kinds = list(labels)
        header = header or [f"label_{index}" for index in range(len(kinds))]
    if any(len(kind) != len(vectors) for kind in kinds):
        raise ValueError(
            f"`metadata` must have a label for each of the {len(vectors)} rows of `mat`, but has "
            f"{[len(kind) for kind in kinds]}."
        )
    if header is not None and len(header) != len(kinds):
        raise ValueError(
            f"`metadata_header` must name {len(kinds)} kinds of labels, but names {len(header)}."
        )
    rows = vectors.astype(np.float32)
    points = (
        block(1, _texts(1, (kind[index] for kind in kinds)) + packed(2, "f", row.tolist()))
        for index, row in enumerate(rows)
    )
    return block(Kind.EMBEDDINGS, b"".join(points) + _texts(2, header or ()))


def hparam(name: str, values: Mapping[str, Any], metrics: Iterable[str]) -> bytes:
    """Return hyperparameters, and the tags of the scalars that they are judged by."""
    entries = b"".join(
        block(1, _typed(value) + block(4, _utf8(str(key))))
        for key, value in values.items()
        if value is not None
    )
    judged = b"".join(block(2, double(2, 0.0) + block(4, _utf8(tag))) for tag in metrics)
    return block(Kind.HPARAM, entries + judged + block(3, _utf8(name)))


def curve(
    kind: Kind, labels: np.ndarray, predictions: np.ndarray, num_thresholds: int, weights: Any
) -> bytes:
    """Return a precision-recall or a ROC curve.

    Args:
        kind: `PR_CURVE` or `ROC_CURVE`.
        labels: 0 or 1.
        predictions: probabilities of 1, of the same shape.
        num_thresholds: points of the curve, at most 127.
        weights: of each element, or one for all; by default 1.

    Raises:
        ValueError: values are out of range, or shapes do not fit.
    """
    labels, predictions = labels.astype(np.float64).ravel(), predictions.astype(np.float64).ravel()
    if len(labels) != len(predictions) or not len(labels):
        raise ValueError(
            f"`predictions` must be as many as `labels`, but there are {len(predictions)} and "
            f"{len(labels)}."
        )
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("`labels` must be 0 or 1.")
    if not ((predictions >= 0) & (predictions <= 1)).all():
        raise ValueError("`predictions` must be probabilities, from 0 to 1.")
    if num_thresholds < 2:
        raise ValueError(f"`num_thresholds` must be at least 2, but is {num_thresholds}.")
    num = min(num_thresholds, _MOST_THRESHOLDS)
    share = np.ones(len(labels)) if weights is None else argument.array(weights, "weights").ravel()
    if len(share) not in (1, len(labels)):
        raise ValueError(f"`weights` must be one, or {len(labels)}, but are {len(share)}.")
    bucket = np.floor(predictions * (num - 1)).astype(np.int64)
    hits, misses = (
        np.bincount(bucket, weights=each * share, minlength=num)[::-1].cumsum()[::-1]
        for each in (labels, 1 - labels)
    )
    left_out, rightly_left_out = hits[0] - hits, misses[0] - misses
    recall = hits / np.maximum(_SMALLEST_COUNT, hits + left_out)
    if kind is Kind.PR_CURVE:
        rates = (hits / np.maximum(_SMALLEST_COUNT, hits + misses), recall)
    else:
        rates = (recall, misses / np.maximum(_SMALLEST_COUNT, rightly_left_out + misses))
    counts = (hits, misses, rightly_left_out, left_out)
    fields = [packed(number, "q", each) for number, each in enumerate(counts, 1)]
    fields += [packed(number, "d", each) for number, each in enumerate(rates, 5)]
    return block(kind, b"".join(fields))


def _texts(number: int, texts: Iterable[Any]) -> bytes:
    return b"".join(block(number, _utf8(str(each))) for each in texts)


def _typed(value: Any) -> bytes:
    """Return the value of a hyperparameter; what is no number is shown as a text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return integer(1, value)
    if isinstance(value, float):
        return double(2, value)
    return block(3, _utf8(str(value)))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
