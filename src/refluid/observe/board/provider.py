"""What TensorBoard shows, answered from the journals.

| a journal's                       | is shown on the page of |
|-----------------------------------|-------------------------|
| metrics                           | scalars                 |
| Image, Gallery                    | images                  |
| Histogram                         | histograms              |
| Text, Table, Confusion, captions  | text                    |
| settings of the last start        | hyperparameters         |

An Embedding is shown by `projector`. Names of the interface are TensorBoard's.
May import: errors, numpy, tensorboard, observe.board, observe.record.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import numpy as np
from tensorboard import errors
from tensorboard.data import provider

from refluid.errors import RunError
from refluid.observe.board.markup import to_html
from refluid.observe.board.run import BoardRun
from refluid.observe.board.runs import Runs
from refluid.observe.board.settings import SETTINGS, to_content
from refluid.observe.record import Confusion, Gallery, Histogram, Image, Table, Text

__all__ = ["JournalProvider"]

T = TypeVar("T")
Wanted = Collection[str] | None

# its classes say nothing of types
_DataProvider: Any = provider.DataProvider
_TEXTS = (Text, Table, Confusion, Gallery)


class JournalProvider(_DataProvider):
    """TensorBoard's view of `runs`; any thread may use it."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def experiment_metadata(self, ctx: Any = None, *, experiment_id: str) -> Any:
        """Say where the data are."""
        return provider.ExperimentMetadata(data_location=str(self._runs.folder))

    def list_plugins(self, ctx: Any = None, *, experiment_id: str) -> list[str]:
        """Name the pages that have something to show."""
        listed = {
            "scalars": self.list_scalars,
            "images": self.list_blob_sequences,
            "histograms": self.list_tensors,
            "text": self.list_tensors,
            "hparams": self.list_tensors,
        }
        return [
            name
            for name, of_plugin in listed.items()
            if of_plugin(experiment_id=experiment_id, plugin_name=name)
        ]

    def list_runs(self, ctx: Any = None, *, experiment_id: str) -> list[Any]:
        """Return all runs."""
        return [provider.Run(run.name, run.name, run.start_time) for run in self._runs.current()]

    # --- metrics ------------------------------------------------------------------------------

    def list_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> dict[str, dict[str, Any]]:
        """Return the metrics of each run."""

        def listed(run: BoardRun, wanted: Wanted) -> dict[str, Any]:
            extents = run.outline.extents
            return {
                name: _series(provider.ScalarTimeSeries, run, extents[name].last)
                for name in _chosen(sorted(extents), wanted)
            }

        return self._each(listed, run_tag_filter) if plugin_name == "scalars" else {}

    def read_scalars(
        self,
        ctx: Any = None,
        *,
        experiment_id: str,
        plugin_name: str,
        downsample: int | None = None,
        run_tag_filter: Any = None,
    ) -> dict[str, dict[str, list[Any]]]:
        """Return points of metrics, the last one always among them."""

        def read(run: BoardRun, wanted: Wanted) -> dict[str, list[Any]]:
            found = {}
            for name in _chosen(run.outline.extents, wanted):
                points = run.points(name, max(downsample or 0, 4))
                found[name] = _scalars(run, points)
            return found

        return self._each(read, run_tag_filter) if plugin_name == "scalars" else {}

    def read_last_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> dict[str, dict[str, Any]]:
        """Return the last point of metrics."""

        def read(run: BoardRun, wanted: Wanted) -> dict[str, Any]:
            points = run.last_points(_chosen(run.outline.extents, wanted))
            return {name: _scalars(run, [point])[0] for name, point in points.items()}

        return self._each(read, run_tag_filter) if plugin_name == "scalars" else {}

    # --- texts, histograms, settings ----------------------------------------------------------

    def list_tensors(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> dict[str, dict[str, Any]]:
        """Return the texts, the histograms or the settings of each run."""

        def listed(run: BoardRun, wanted: Wanted) -> dict[str, Any]:
            if plugin_name == "hparams":
                return _settings_of(run, wanted)
            return {
                name: _series(provider.TensorTimeSeries, run, run.outline.until)
                for name in _chosen(_tensors(run, plugin_name), wanted)
            }

        return self._each(listed, run_tag_filter)

    def read_tensors(
        self,
        ctx: Any = None,
        *,
        experiment_id: str,
        plugin_name: str,
        downsample: int | None = None,
        run_tag_filter: Any = None,
    ) -> dict[str, dict[str, list[Any]]]:
        """Return texts as strings, histograms as float64 [N, 3]: left, right, count."""

        def read(run: BoardRun, wanted: Wanted) -> dict[str, list[Any]]:
            kinds = _tensors(run, plugin_name)
            found = {}
            for name in _chosen(kinds, wanted):
                records = run.records(kinds[name], name, max(downsample or 0, 2))
                times = run.times([step for step, _ in records])
                found[name] = [
                    provider.TensorDatum(step, time, _to_tensor(record))
                    for (step, record), time in zip(records, times, strict=True)
                ]
            return found

        return self._each(read, run_tag_filter)

    # --- images -------------------------------------------------------------------------------

    def list_blob_sequences(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> dict[str, dict[str, Any]]:
        """Return the pictures of each run; TensorBoard counts width and height among them."""

        def listed(run: BoardRun, wanted: Wanted) -> dict[str, Any]:
            kinds = run.names(Image, Gallery)
            return {
                name: _series(
                    provider.BlobSequenceTimeSeries,
                    run,
                    run.outline.until,
                    max_length=2 + (run.num_pictures(name) if kinds[name] is Gallery else 1),
                )
                for name in _chosen(kinds, wanted)
            }

        return self._each(listed, run_tag_filter) if plugin_name == "images" else {}

    def read_blob_sequences(
        self,
        ctx: Any = None,
        *,
        experiment_id: str,
        plugin_name: str,
        downsample: int | None = None,
        run_tag_filter: Any = None,
    ) -> dict[str, dict[str, list[Any]]]:
        """Return keys of pictures; the first two of each step stand for width and height."""

        def read(run: BoardRun, wanted: Wanted) -> dict[str, list[Any]]:
            kinds = run.names(Image, Gallery)
            found = {}
            for name in _chosen(kinds, wanted):
                records = run.records(kinds[name], name, max(downsample or 0, 2))
                times = run.times([step for step, _ in records])
                found[name] = [
                    provider.BlobSequenceDatum(step, time, _references(run, name, step, record))
                    for (step, record), time in zip(records, times, strict=True)
                ]
            return found

        return self._each(read, run_tag_filter) if plugin_name == "images" else {}

    def read_blob(self, ctx: Any = None, *, blob_key: str) -> bytes:
        """Return a picture.

        Raises:
            NotFoundError: there is none under this key.
        """
        try:
            name, tag, step, index = json.loads(base64.urlsafe_b64decode(blob_key + "=="))
            (run,) = (run for run in self._runs.current() if run.name == name)
            images = _images(run.record(run.names(Image, Gallery)[tag], tag, step))
            return images[index].png
        except (LookupError, TypeError, ValueError, RunError) as error:
            raise errors.NotFoundError(f"there is no picture of this key: {error}") from None

    # --- all of them --------------------------------------------------------------------------

    def _each(
        self, read: Callable[[BoardRun, Wanted], Mapping[str, T]], run_tag_filter: Any
    ) -> dict[str, dict[str, T]]:
        """Return what `read` finds in each run that is asked for; one that fails has nothing."""
        chosen = run_tag_filter or provider.RunTagFilter()
        result = {}
        for run in self._runs.current():
            if chosen.runs is not None and run.name not in chosen.runs:
                continue
            try:
                found = dict(read(run, chosen.tags))
            except RunError as error:
                self._runs.leave_out(run, error)
                continue
            if found:
                result[run.name] = found
        return result


def _chosen(names: Collection[str], wanted: Wanted) -> list[str]:
    return [name for name in names if wanted is None or name in wanted]


def _series(
    kind: Callable[..., T], run: BoardRun, last: int, content: bytes = b"", **more: Any
) -> T:
    return kind(
        max_step=last,
        max_wall_time=run.times([last])[0],
        # empty stands for the first and only version of what a page keeps here
        plugin_content=content,
        description="",
        display_name="",
        **more,
    )


def _scalars(run: BoardRun, points: list[tuple[int, float]]) -> list[Any]:
    times = run.times([step for step, _ in points])
    return [
        provider.ScalarDatum(step, time, value)
        for (step, value), time in zip(points, times, strict=True)
    ]


def _tensors(run: BoardRun, plugin_name: str) -> Mapping[str, Any]:
    kinds = {"text": _TEXTS, "histograms": (Histogram,)}.get(plugin_name, ())
    return run.names(*kinds)


def _to_tensor(record: Any) -> np.ndarray:
    if isinstance(record, Histogram):
        return np.stack([record.edges[:-1], record.edges[1:], record.counts], axis=1)
    return np.array(to_html(record), dtype=object)


def _images(record: Image | Gallery | None) -> list[Image]:
    if isinstance(record, Gallery):
        return [picture.image for picture in record.pictures]
    return [] if record is None else [record]


def _references(run: BoardRun, name: str, step: int, record: Image | Gallery) -> list[Any]:
    numbers = range(len(_images(record)))
    keys = [json.dumps([run.name, name, step, number]) for number in numbers]
    encoded = [base64.urlsafe_b64encode(key.encode()).decode().rstrip("=") for key in keys]
    return [provider.BlobReference(key) for key in ("width", "height", *encoded)]


def _settings_of(run: BoardRun, wanted: Wanted) -> dict[str, Any]:
    if not run.outline.config or not _chosen([SETTINGS], wanted):
        return {}
    content = to_content(run.outline.config, run.start_time)
    return {SETTINGS: _series(provider.TensorTimeSeries, run, 0, content)}
