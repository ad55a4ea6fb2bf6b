"""`Run`: makes any training loop one that can be killed at any instant and started again.

A step is complete when the loop asks for the next one. There, and only there, everything that
decides about the next steps is captured: the tracked objects, the generators of random numbers,
the position in the data, running means. A thread writes it, while training goes on. The next
process of the same command restores it all and starts with the next step.
May import: checkpoint, data, env, errors, loop, observe, state.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from torch.nn import Module

from refluid import env
from refluid.data.replay import as_source
from refluid.errors import RunError
from refluid.loop.loop import Loop
from refluid.loop.plan import Plan
from refluid.loop.ranks import Ranks
from refluid.loop.recorder import Recorder
from refluid.loop.resume import report
from refluid.loop.signals import Stopped
from refluid.loop.step import Step
from refluid.loop.tracked import OWN
from refluid.loop.validation import evaluate
from refluid.observe.layers.watch import Watch
from refluid.observe.record import Record
from refluid.state.deterministic import deterministic as deterministic_mode

__all__ = ["Run"]


class Run:
    """A training run in a directory, which goes on where the last process of it stopped.

    The same command is started again, and nothing else is needed: a run that was killed at any
    instant, or asked to stop by SIGTERM, SIGINT, SIGUSR1 or its own deadline, continues as if
    nothing had happened, bit for bit. What can break that is listed in docs/exactness.md.

    Args:
        directory: where the run's journal and checkpoints are; made if it does not exist.
        save_every_s: save after so many seconds, None for never. Each epoch's end is saved too.
        save_every_steps: save after so many steps.
        keep_last: how many of the newest checkpoints are kept.
        keep_highest: name of a logged metric; the checkpoint where it was highest is kept as well.
        keep_lowest: the same for the lowest value.
        resume: "auto" goes on if there is something to go on from; "must" refuses to begin anew;
            "never" refuses a directory that holds a run.
        max_time_s: stop as at SIGTERM so many seconds after the start.
        patience: end the loop when the metric of `keep_highest` or `keep_lowest` was logged so many
            times without getting better.
        deterministic: have torch use deterministic algorithms only, and raise where it has none.
        strict: refuse to go on if something has changed that can change the numbers, such as the
            version of torch; otherwise it is only said.
        config: settings to be kept in the journal.

    Raises:
        ValueError: an argument is not one of those described.

    Example:
        with refluid.Run("runs/digits", save_every_s=30) as run:
            run.track(model=model, optimizer=optimizer)
            for step in run.steps(batches, epochs=5):
                run.log(loss=train(step.batch))
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        save_every_s: float | None = 60.0,
        save_every_steps: int | None = None,
        keep_last: int = 2,
        keep_highest: str | None = None,
        keep_lowest: str | None = None,
        resume: str = "auto",
        max_time_s: float | None = None,
        patience: int | None = None,
        deterministic: bool = True,
        strict: bool = False,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self._plan = Plan(
            save_every_s=save_every_s,
            save_every_steps=save_every_steps,
            keep_last=keep_last,
            keep_highest=keep_highest,
            keep_lowest=keep_lowest,
            resume=resume,
            max_time_s=max_time_s,
            patience=patience,
        )
        self.directory = env.run_directory(Path(directory))
        self._deterministic = deterministic
        self._ranks = Ranks()
        self._recorder = Recorder(self.directory, self._plan, config or {}, self._ranks)
        self._loop = Loop(self.directory, self._plan, self._recorder, strict, self._ranks)
        self._stack: contextlib.ExitStack | None = None
        self._active: Generator[Step, None, None] | None = None

    # --- opening and closing ------------------------------------------------------------------

    def __enter__(self) -> Run:
        """Take the directory, and find what there is to go on from.

        Under a launcher all processes meet here, as by `refluid.distributed.join`.

        Raises:
            RunError: the directory cannot be written to or is in use, or `resume` forbids what is
                found in it.
            CheckpointError: a checkpoint is of a newer version of refluid.
            DistributedError: the other processes are not there, or not those they should be.
        """
        if self._stack is not None:
            raise RunError("this Run was opened before: make another one.")
        with contextlib.ExitStack() as stack:
            if self._deterministic:
                stack.enter_context(deterministic_mode())
            self._ranks.meet()
            self._loop.resumed = self._recorder.open()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish writing, and give the directory back."""
        assert self._stack is not None
        loop, recorder = self._loop, self._recorder
        with self._stack:
            self._ranks.leave(error)
            if self._active is not None:
                self._active.close()
            if loop.watch is not None:
                loop.watch.close()
            if error is None and loop.inside and self._ranks.leads:
                report(
                    f"the loop was left in step {loop.step:,}, which is not saved; to end a "
                    "loop early, call run.stop() and let the step come to its end"
                )
            elif error is not None and not isinstance(error, Stopped):
                text = f"{type(error).__name__}: {error}"
                recorder.note(loop.step, "error", text)
            elif error is None and loop.count:
                recorder.note(loop.step, "complete")
            recorder.close()

    # --- what the program calls ---------------------------------------------------------------

    @property
    def step(self) -> int:
        """How many steps are complete, those of earlier processes included."""
        return self._loop.step

    @property
    def means(self) -> dict[str, float]:
        """The mean of each metric over the steps of the current epoch."""
        return self._recorder.metrics.means()

    def track(self, **objects: Any) -> None:
        """Save these objects' state in every checkpoint; `steps` restores it if the run goes on.

        Args:
            **objects: whatever has state, each under a name that stays the same: modules,
                optimizers, schedules and all else with `state_dict` and `load_state_dict` (or
                fluid's `set_dict`), random generators of torch, NumPy and Python, tensors, and
                dictionaries or lists of plain values.

        Raises:
            StateError: an object has no state that can be captured.
            RunError: the run is not open, or the name is taken.

        Effects:
            Of more than two processes, has torch's DistributedDataParallel add gradients in the
            order of the ranks: a collective.
        """
        self._need_open("track")
        for name, obj in objects.items():
            self._recorder.tracked.add(name, obj)
            self._ranks.prepare(obj)

    def steps(self, data: Any, *, epochs: int) -> Iterator[Step]:
        """Go through `data` `epochs` times, beginning where the run stopped.

        Args:
            data: `refluid.Batches`; or a DataLoader, a function that returns an iterable for each
                epoch, or anything that can be iterated again and again. The latter are gone through
                again, without training, to come to the position.
            epochs: how many in total, those before the stop included.

        Returns:
            An iterator of `Step`, over the steps that are left.

        Raises:
            RunError: the run is not open, nothing is tracked, or another loop has not ended.
            DataError: the data are not those that the checkpoint was made with.
            CheckpointError: what is tracked is not what the checkpoint holds, or does not fit it.
            Stopped: (when a step is complete) the run was asked to stop; it has been saved.

        Effects:
            Restores tracked objects and the generators of random numbers. Notes SIGTERM, SIGINT and
            SIGUSR1 until the loop ends. A program may have several such loops, one after the other.
        """
        self._need_open("steps")
        if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
            raise ValueError(f"`epochs` must be a whole number from 1, but received {epochs!r}.")
        self._active = self._loop.go_through(as_source(data), epochs, _num_batches(data))
        return self._active

    def log(self, **metrics: Any) -> None:
        """Write metrics of the current step into the journal.

        Args:
            **metrics: numbers, or tensors and arrays with one element. A name that is logged twice
                in a step keeps its last value.

        Raises:
            TypeError: a value is not one number.
            RunError: the run is not open.
        """
        self._need_open("log")
        self._loop.log(metrics)

    def record(self, **records: Record) -> None:
        """Keep pictures, tables, distributions or texts of the current step in the journal.

        Args:
            **records: objects of `refluid.observe.record`, such as `Image.of(pixels)`. A name that
                is used again at a later step has a later version.

        Raises:
            TypeError: a value is none of these.
            ValueError: a name is empty, or has characters that cannot be shown.
            RunError: the run is not open.
        """
        self._need_open("record")
        for name, record in records.items():
            self._recorder.keep(self._loop.current, name, record)

    def validate(
        self, data: Any, score: Callable[[Any], Mapping[str, Any]], *, name: str = "valid"
    ) -> dict[str, float]:
        """Evaluate on data that are not trained on, and log the means.

        Tracked modules are in eval mode meanwhile, nothing is recorded for gradients, and the
        generators of random numbers are put back: validating changes no bit of the training.

        Args:
            data: `refluid.Batches` (their first epoch, always the same), a DataLoader or another
                iterable over batches, or a function that returns one.
            score: called with each batch; returns means over the batch by name, such as
                `{"loss": loss, "accuracy": accuracy}`; see `refluid.Classification`.
            name: stands before the names of the metrics: `valid_loss`, `valid_accuracy`.

        Returns:
            The means over all samples by name, without `name`.

        Raises:
            DataError: the data have no batch, or a batch has no length.
            TypeError: `score` returns something else.
            RunError: the run is not open.
        """
        self._need_open("validate")
        modules = [obj for obj in self._recorder.tracked.objects() if isinstance(obj, Module)]
        found = evaluate(data, score, modules)
        self.log(**{f"{name}_{metric}": value for metric, value in found.items()})
        return found

    def watch(self, model: Module, optimizer: Any = None, *, every: int = 100) -> None:
        """Look into the layers of a model at every so many steps, and log what is found.

        Logged are the learning rate, the norms of parameters and gradients, and for each layer the
        share of zeros, the deviation and the number of dead units of its output; see
        docs/inspect.md. It changes no bit of the training, and costs nothing at other steps.

        Args:
            model: the model that is trained.
            optimizer: of torch or of fluid; its learning rate is logged.
            every: at which steps; 0 is one of them.

        Raises:
            ValueError: `every` is not a whole number from 1.
            RunError: the run is not open, or is watched already.
        """
        self._need_open("watch")
        if self._loop.watch is not None:
            raise RunError("this run is watched already: call `watch` once.")
        self._loop.watch = Watch(model, optimizer, every)
        # a unit is dead if it was so in all looks, also in those of earlier processes
        self._recorder.tracked.add(f"{OWN}watch", self._loop.watch)

    def save(self) -> None:
        """Save as soon as the current step is complete."""
        self._need_open("save")
        self._loop.due = "asked"

    def stop(self) -> None:
        """End the current loop when its step is complete, for good: it is not gone on with.

        Of several processes any may call it; unless the step is the last of an epoch, all end with
        the step after it.
        """
        self._need_open("stop")
        self._loop.ends = True

    def _need_open(self, what: str) -> None:
        if self._stack is None:
            raise RunError(f"`{what}` was called on a Run that is not open: use `with Run(...)`.")


def _num_batches(data: Any) -> int | None:
    """Return how many batches an epoch has, where the data know."""
    try:
        return len(data)
    except TypeError:
        return None
