"""`LogWriter`: VisualDL's methods, in its order of arguments, over a file that is always whole.

May import: errors, and of visualdl all but viewer.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import numpy as np

from refluid.errors import RefluidWarning, RunError, UnsupportedFluidAPI
from refluid.visualdl import argument, content, picture
from refluid.visualdl.record_file import RecordFile, open_in, open_named
from refluid.visualdl.wire import Kind, record, single

__all__ = ["LogWriter"]

_META = "meta_data_tag"


class LogWriter:
    """Write scalars, pictures, texts and more for VisualDL; a context manager.

    When a method returns, no kill of the process loses what it was given. A writer goes on in the
    newest file of `logdir` that nobody else writes, so that a viewer shows one curve: the first
    record of a tag takes back what an earlier program has written from that step on. If that is
    the whole curve, the file is copied to `replaced.*` first.

    Differs from VisualDL: nothing waits in memory, so `max_queue` and `flush_secs` mean nothing;
    arrays and tensors of one number are numbers; a wrong argument is an error that names it.

    Args:
        logdir: a folder, made where it is missing; by default `runs/<time>.<comment>`.
        comment: the end of the default's name.
        max_queue: has no effect.
        flush_secs: has no effect.
        filename_suffix: what the file's name ends with. A writer goes on in files of its suffix.
        write_to_disk: if false, nothing is written.
        display_name: what a viewer shows in place of the folder's name.
        file_name: the file to write, in `logdir`; its name has `vdlrecords` in it.

    Raises:
        ValueError: `logdir` is not a folder of this machine.
        RunError: another writer has the file `file_name`, or it cannot be gone on with.
        OSError: the system refuses.

    Effects:
        Makes or opens a file, and takes off a record that is cut at its end.
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str] | None = None,
        comment: str = "",
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
        write_to_disk: bool = True,
        display_name: str = "",
        file_name: str = "",
        **kwargs: Any,
    ) -> None:
        # VisualDL 1 had `sync_cycle`, how many records wait
        unknown = sorted(kwargs.keys() - {"sync_cycle"})
        if unknown:
            warnings.warn(
                f"LogWriter has no argument {', '.join(unknown)}: left out.",
                RefluidWarning,
                stacklevel=2,
            )
        if not logdir:
            name = datetime.now().strftime("%b%d_%H-%M-%S") + (f".{comment}" if comment else "")
            logdir = os.path.join("runs", name)
        self._logdir = _checked_folder(logdir)
        self._suffix = _checked_name(filename_suffix, "filename_suffix")
        self._file_name = _checked_name(file_name, "file_name")
        if self._file_name and "vdlrecords" not in self._file_name:
            warnings.warn(
                f"`file_name` must have vdlrecords in it, or VisualDL does not find the file, but "
                f"is {file_name!r}: another name is chosen.",
                RefluidWarning,
                stacklevel=2,
            )
            self._file_name = ""
        self._lock = threading.Lock()
        self._tags: dict[str, bytes] = {}
        self._path: Path | None = None
        self._file: RecordFile | None = None
        self._writes = bool(write_to_disk)
        if self._writes:
            self._file = self._opened()
            if display_name or self._file.is_empty:
                self.add_meta(display_name=display_name)

    @property
    def logdir(self) -> str:
        """The folder."""
        return self._logdir

    @property
    def file_name(self) -> str:
        """The path of the file, empty if nothing is written."""
        return "" if self._path is None else str(self._path)

    def add_meta(
        self,
        tag: str = _META,
        display_name: str = "",
        step: int = 0,
        walltime: int | None = None,
    ) -> None:
        """Give the folder the name that a viewer shows."""
        if not isinstance(display_name, str):
            raise TypeError(f"`display_name` must be a string, but is {display_name!r}.")
        self._add(Kind.META_DATA, tag, step, walltime, content.meta_data(display_name))

    def add_scalar(self, tag: str, value: Any, step: int, walltime: int | None = None) -> None:
        """Add a point to a curve.

        Args:
            tag: the curve; a `/` groups curves.
            value: a number, or an array, tensor or variable that holds one. Kept as float32.
            step: where the point lies.
            walltime: when it was made, in milliseconds; by default now. So in every method.

        Raises:
            TypeError: an argument is of the wrong type, and is named. So in every method.
            ValueError: an argument is out of range, and is named. So in every method.
            OSError: the system refuses, as on a full disk. So in every method.
        """
        found = argument.number(value, "value")
        self._add(Kind.SCALAR, tag, step, walltime, single(Kind.SCALAR, found))

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        step: int,
        walltime: int | None = None,
    ) -> None:
        """Add a point to each of several curves that are shown together.

        Args:
            main_tag: what they have in common.
            tag_scalar_dict: the value of each, by its name.
            step: where the points lie.
            walltime: in milliseconds.
        """
        if not isinstance(tag_scalar_dict, Mapping):
            raise TypeError(f"`tag_scalar_dict` must be a dict, but is {tag_scalar_dict!r}.")
        points = {
            argument.bytes_of_tag(name, "tag_scalar_dict"): argument.number(value, name)
            for name, value in tag_scalar_dict.items()
        }
        for name, value in points.items():
            field = content.tag_value(name, value)
            self._add(Kind.TAG_VALUE, main_tag, step, walltime, field, name)

    def add_image(
        self,
        tag: str,
        img: Any,
        step: int,
        walltime: int | None = None,
        dataformats: str = "HWC",
    ) -> None:
        """Add a picture.

        Args:
            tag: its name.
            img: numbers; from 0 to 1, or else brightness from 0 to 255. It is not changed.
            step: which one of its name it is.
            walltime: in milliseconds.
            dataformats: the axes of `img`: HW, HWC or NCHW, in any order.
        """
        pixels = picture.to_hwc(argument.array(img, "img"), dataformats)
        self._add(Kind.IMAGE, tag, step, walltime, content.image(pixels))

    def add_figure(self, tag: str, figure: Any, step: int, walltime: int | None = None) -> None:
        """Add a figure of Matplotlib as a picture, and close it.

        Raises:
            TypeError: `figure` is none of Matplotlib's.
        """
        # only programs that have Matplotlib have a figure
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        if not isinstance(figure, Figure):
            raise TypeError(f"`figure` must be a figure of Matplotlib, but is {figure!r}.")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
        self._add(Kind.IMAGE, tag, step, walltime, content.image(pixels))
        # a figure that was made without pyplot has nothing to be closed
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.close(figure)

    def add_text(
        self, tag: str, text_string: str, step: int | None = None, walltime: int | None = None
    ) -> None:
        """Add a text. Without a step it stays, whatever a later program writes."""
        if not isinstance(text_string, str):
            raise TypeError(f"`text_string` must be a string, but is {text_string!r}.")
        self._add(Kind.TEXT, tag, step, walltime, content.text(text_string))

    def add_image_matrix(
        self,
        tag: str,
        imgs: Any,
        step: int,
        rows: int = -1,
        scale: float = 1.0,
        walltime: int | None = None,
        dataformats: str = "HWC",
    ) -> None:
        """Add several pictures as one.

        Differs from VisualDL: at scale 1 every picture keeps its size, as it does there without
        OpenCV; with it, VisualDL shrinks the whole to the size of one.

        Args:
            tag: the name of the whole.
            imgs: pictures, each as for `add_image`.
            step: which one of its name it is.
            rows: how many; -1 for about as many as columns.
            scale: of the whole.
            walltime: in milliseconds.
            dataformats: the axes of each picture.
        """
        if not isinstance(imgs, list | tuple):
            imgs = argument.array(imgs, "imgs")
            imgs = imgs if imgs.ndim else []
        arrays = [argument.array(each, "imgs") for each in imgs]
        scale = argument.number(scale, "scale")
        pixels = picture.grid(arrays, dataformats, argument.whole(rows, "rows"), scale)
        self._add(Kind.IMAGE, tag, step, walltime, content.image(pixels))

    def add_embeddings(
        self,
        tag: str,
        mat: Any = None,
        metadata: Any = None,
        metadata_header: Any = None,
        walltime: int | None = None,
        labels: Any = None,
        hot_vectors: Any = None,
        labels_meta: Any = None,
    ) -> None:
        """Add points of a space of many dimensions.

        Args:
            tag: the name of the whole.
            mat: one row for each point.
            metadata: a label for each point; or several lists of labels.
            metadata_header: what each list of labels says.
            walltime: in milliseconds.
            labels: the older name of `metadata`.
            hot_vectors: the older name of `mat`.
            labels_meta: the older name of `metadata_header`.
        """
        mat = hot_vectors if mat is None else mat
        metadata = labels if metadata is None else metadata
        header = labels_meta if metadata_header is None else metadata_header
        if mat is None:
            raise TypeError("`mat` must be a matrix, but is missing.")
        metadata, header = (
            each.tolist() if hasattr(each, "tolist") else each for each in (metadata, header)
        )
        for name, each in (("metadata", metadata), ("metadata_header", header)):
            if each is not None and not isinstance(each, list | tuple):
                raise TypeError(f"`{name}` must be a list, but is {each!r}.")
        field = content.embeddings(argument.array(mat, "mat"), metadata, header)
        self._add(Kind.EMBEDDINGS, tag, 0, walltime, field)

    def add_audio(
        self,
        tag: str,
        audio_array: Any,
        step: int,
        sample_rate: int = 8000,
        walltime: int | None = None,
    ) -> None:
        """Add sound of one channel.

        Args:
            tag: its name.
            audio_array: samples from -1 to 1; others are clipped, with a warning.
            step: which one of its name it is.
            sample_rate: samples in a second.
            walltime: in milliseconds.
        """
        rate = argument.whole(sample_rate, "sample_rate")
        field = content.audio(argument.array(audio_array, "audio_array"), rate)
        self._add(Kind.AUDIO, tag, step, walltime, field)

    def add_histogram(
        self, tag: str, values: Any, step: int, walltime: int | None = None, buckets: int = 10
    ) -> None:
        """Add how many of `values` fall into each of `buckets`; those not finite are left out."""
        number = argument.whole(buckets, "buckets")
        field = content.histogram(argument.array(values, "values"), number)
        self._add(Kind.HISTOGRAM, tag, step, walltime, field)

    def add_hparams(
        self, hparams_dict: dict[str, Any], metrics_list: list[str], walltime: int | None = None
    ) -> None:
        """Add hyperparameters, and name the scalars that they are judged by.

        Args:
            hparams_dict: numbers and texts by name; None is left out, others become texts.
            metrics_list: tags of scalars, which `add_scalar` adds.
            walltime: in milliseconds.
        """
        if not isinstance(hparams_dict, dict):
            raise TypeError(f"`hparams_dict` must be a dict, but is {hparams_dict!r}.")
        if not isinstance(metrics_list, list | tuple):
            raise TypeError(f"`metrics_list` must be a list, but is {metrics_list!r}.")
        for tag in metrics_list:
            argument.bytes_of_tag(tag, "metrics_list")
        name = hashlib.md5(self.file_name.encode(), usedforsecurity=False).hexdigest()
        field = content.hparam(name, hparams_dict, metrics_list)
        self._add(Kind.HPARAM, "hparam", 1, walltime, field)

    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: int,
        num_thresholds: int = 10,
        weights: Any = None,
        walltime: int | None = None,
    ) -> None:
        """Add a curve of precision over recall.

        Args:
            tag: its name.
            labels: 0 or 1, of each element.
            predictions: the probability that it is 1.
            step: which one of its name it is.
            num_thresholds: points of the curve, at most 127.
            weights: of each element, or one for all.
            walltime: in milliseconds.
        """
        field = _curve(Kind.PR_CURVE, labels, predictions, num_thresholds, weights)
        self._add(Kind.PR_CURVE, tag, step, walltime, field)

    def add_roc_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: int,
        num_thresholds: int = 10,
        weights: Any = None,
        walltime: int | None = None,
    ) -> None:
        """Add a curve of true over false positives; its arguments are those of `add_pr_curve`."""
        field = _curve(Kind.ROC_CURVE, labels, predictions, num_thresholds, weights)
        self._add(Kind.ROC_CURVE, tag, step, walltime, field)

    def add_graph(self, model: Any, input_spec: Any, verbose: bool = False) -> NoReturn:
        """Raise an error: VisualDL draws the static graph of Paddle 2, which is not here.

        Raises:
            UnsupportedFluidAPI: always.
        """
        raise UnsupportedFluidAPI(
            "`add_graph` draws a graph that Paddle 2 has compiled, and refluid compiles none. "
            "Instead: `with refluid.inspect(model) as look: model(x)` lists the layers."
        )

    def flush(self) -> None:
        """Have the system write to the disk; a kill of the process loses nothing without it."""
        with self._lock:
            if self._file is not None and self._file.is_open:
                self._file.sync()

    def close(self) -> None:
        """Close the file. It may be called again, and a later `add_*` opens the file again."""
        with self._lock:
            if self._file is not None:
                self._file.close()

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _add(
        self,
        kind: Kind,
        tag: str,
        step: int | None,
        walltime: int | None,
        field: bytes,
        sub_tag: bytes = b"",
    ) -> None:
        name = self._tags.get(tag) if isinstance(tag, str) else None
        if name is None:
            name = self._tags[tag] = argument.bytes_of_tag(tag)
        step = None if step is None else argument.whole(step, "step")
        if walltime is None:
            milliseconds = time.time_ns() // 1_000_000
        else:
            milliseconds = argument.milliseconds(walltime)
        body = record(name, step or 0, milliseconds, field)
        if not self._writes:
            return
        with self._lock:
            if self._file is None or not self._file.is_open:
                self._file = self._opened()
            self._file.add((kind, name, sub_tag), step, body)

    def _opened(self) -> RecordFile:
        """Open the file: the same as before, unless another process has it now."""
        folder = Path(self._logdir)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise ValueError(
                f"`logdir` must be a folder, but {self._logdir!r} is a file or lies in one: choose "
                "another."
            ) from None
        file = self._opened_again()
        if file is None:
            file = open_named(folder / self._file_name) if self._file_name else None
            file = file or open_in(folder, self._suffix)
        self._path = file.path
        return file

    def _opened_again(self) -> RecordFile | None:
        if self._path is None:
            return None
        try:
            file = open_named(self._path)
        except RunError:
            # a forked process: the file is its parent's
            return None
        file.forget_earlier()
        return file


def _curve(kind: Kind, labels: Any, predictions: Any, num_thresholds: int, weights: Any) -> bytes:
    return content.curve(
        kind,
        argument.array(labels, "labels"),
        argument.array(predictions, "predictions"),
        argument.whole(num_thresholds, "num_thresholds"),
        weights,
    )


def _checked_folder(logdir: str | os.PathLike[str]) -> str:
    try:
        folder = os.fspath(logdir)
    except TypeError:
        raise TypeError(f"`logdir` must be a path, but is {logdir!r}.") from None
    if not isinstance(folder, str) or "\0" in folder or "://" in folder:
        raise ValueError(f"`logdir` must be a folder of this machine, but is {logdir!r}.")
    return folder


def _checked_name(name: str, argument_name: str) -> str:
    if not isinstance(name, str) or "\0" in name or "/" in name:
        raise ValueError(f"`{argument_name}` must be part of a file's name, but is {name!r}.")
    return name
