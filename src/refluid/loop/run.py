"""`Run`: makes any training loop one that can be killed at any instant and started again.

A step is complete when the loop asks for the next one. There, and only there, everything that
decides about the next steps is captured: the tracked objects, the generators of random numbers,
the position in the data, running means. A thread writes it, while training goes on. The next
process of the same command restores it all and starts with the next step.
May import: checkpoint, data, env, errors, loop, observe, state.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from refluid import env
from refluid.data.position import Item, Source
from refluid.data.replay import as_source
from refluid.errors import RunError
from refluid.loop.plan import Plan
from refluid.loop.recorder import Recorder
from refluid.loop.resume import Progress, Resumption, report
from refluid.loop.signals import Stopped, StopSignals
from refluid.loop.step import Step
from refluid.observe.journal import Event
from refluid.state.deterministic import deterministic as deterministic_mode
from refluid.state.environment import fingerprint
from refluid.state.generators import restore_generators

__all__ = ["Run"]

_FLUSH_EVERY_S = 1.0


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
        )
        self.directory = env.run_directory(Path(directory))
        self._deterministic = deterministic
        self._strict = strict
        self._recorder = Recorder(self.directory, self._plan, config or {})
        self._signals = StopSignals()
        self._stack: contextlib.ExitStack | None = None
        self._resumed: Resumption | None = None
        self._active: Generator[Step, None, None] | None = None
        self._num_loops = 0
        self._step = self._epoch = 0
        self._in_loop = self._begun = self._ends = False
        self._due: str | None = None
        self._started_s = time.monotonic()

    # --- opening and closing ------------------------------------------------------------------

    def __enter__(self) -> Run:
        """Take the directory, and find what there is to go on from.

        Raises:
            RunError: the directory cannot be written to or is in use, or `resume` forbids what is
                found in it.
            CheckpointError: a checkpoint is of a newer version of refluid.
        """
        if self._stack is not None:
            raise RunError("this Run was opened before: make another one.")
        with contextlib.ExitStack() as stack:
            if self._deterministic:
                stack.enter_context(deterministic_mode())
            self._resumed = self._recorder.open()
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
        events = []
        with self._stack:
            if self._active is not None:
                self._active.close()
            if error is None and self._in_loop:
                report(
                    f"the loop was left in step {self._step:,}, which is not saved; to end a "
                    "loop early, call run.stop() and let the step come to its end"
                )
            elif error is not None and not isinstance(error, Stopped):
                text = f"{type(error).__name__}: {error}"
                events.append(Event(step=self._step, kind="error", text=text))
            self._recorder.close(events)

    # --- what the program calls ---------------------------------------------------------------

    @property
    def step(self) -> int:
        """How many steps are complete, those of earlier processes included."""
        return self._step

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
        """
        self._need_open("track")
        for name, obj in objects.items():
            self._recorder.tracked.add(name, obj)

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
        self._active = self._steps(as_source(data), epochs)
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
        # after a loop its last step is meant, not one that may never come
        step = self._step if self._in_loop or not self._step else self._step - 1
        for name, value in metrics.items():
            self._recorder.metrics.log(step, self._epoch, name, value)

    def save(self) -> None:
        """Save as soon as the current step is complete."""
        self._need_open("save")
        self._due = "asked"

    def stop(self) -> None:
        """End the current loop when its step is complete, for good: it is not gone on with."""
        self._need_open("stop")
        self._ends = True

    # --- the loop -----------------------------------------------------------------------------

    def _steps(self, source: Source, epochs: int) -> Generator[Step, None, None]:
        if self._in_loop:
            raise RunError("a loop over `steps` began while another one had not come to its end.")
        loop, self._num_loops = self._num_loops, self._num_loops + 1
        if self._resumed is not None and loop < self._resumed.progress.loop:
            return
        # only the loop in which the last process stopped has something to restore
        resumed, self._resumed = self._resumed, None
        self._in_loop, self._ends = True, False
        with contextlib.closing(source), self._signals.noted():
            items = source.open(resumed.progress.position if resumed else None, epochs)
            self._begin(resumed)
            if self._recorder.saved_step != self._step:
                # so that even a run without a seed goes on as it began, if it is killed at once
                self._save("begin", loop, source)
            first = None if self._ends else next(items, None)
            self._announce(resumed is not None, first is None, source.describe())
            if first is not None:
                yield from self._through(itertools.chain([first], items), loop, source)
            if self._recorder.saved_step != self._step:
                self._save("end", loop, source)
            self._recorder.flush()
            self._recorder.wait()
        self._in_loop = False

    def _begin(self, resumed: Resumption | None) -> None:
        """Restore what is to be restored, and note that this process begins."""
        recorder = self._recorder
        recorder.tracked.check_any()
        if not self._begun:
            recorder.environment = fingerprint()
        if resumed is not None:
            resumed.check_environment(recorder.environment, recorder.config, self._strict)
            progress = resumed.progress
            self._step = recorder.saved_step = progress.step
            self._epoch, self._ends = progress.epoch, progress.ended
            recorder.metrics.restore(progress.metrics)
            # all at once, and late: making a schedule changes the optimizer that it is made for
            recorder.tracked.restore(resumed.objects)
            restore_generators(resumed.generators)
        if not self._begun:
            recorder.begin(self._step)
        recorder.saved_s = recorder.flushed_s = time.monotonic()

    def _announce(self, resumed: bool, complete: bool, cost: str | None) -> None:
        if resumed and complete:
            report(f"{self.directory} is complete: {self._step:,} steps")
        elif resumed:
            position = f"after step {self._step:,} (epoch {self._epoch})"
            report(f"{self.directory} goes on {position}" + (f"; {cost}" if cost else ""))
        elif not self._begun:
            report(f"{self.directory} begins")
        self._begun = True

    def _through(self, items: Iterator[Item], loop: int, source: Source) -> Iterator[Step]:
        recorder = self._recorder
        wants_digests = env.digests_wanted()
        for self._epoch, index, last, batch in items:
            yield Step(self._step, self._epoch, index, last, batch)
            self._step += 1
            if wants_digests:
                recorder.note_digests(self._progress(loop, source))
            self._stop_if_asked(loop, source)
            if self._ends:
                break
            now = time.monotonic()
            # what is due stays due while the checkpoint before it is being written
            self._due = self._what_is_due(now, last)
            if self._due and not recorder.busy:
                self._save(self._due, loop, source)
            elif now - recorder.flushed_s > _FLUSH_EVERY_S:
                recorder.flush()

    def _what_is_due(self, now: float, last: bool) -> str | None:
        plan, recorder = self._plan, self._recorder
        if last:
            return "epoch"
        if plan.save_every_steps and self._step - recorder.saved_step >= plan.save_every_steps:
            return "steps"
        if plan.save_every_s and now - recorder.saved_s >= plan.save_every_s:
            return "time"
        return self._due

    def _stop_if_asked(self, loop: int, source: Source) -> None:
        late = self._plan.max_time_s is not None and (
            time.monotonic() - self._started_s >= self._plan.max_time_s
        )
        why = self._signals.received or ("max_time_s" if late else None)
        if why is None:
            return
        self._save(why, loop, source)
        self._recorder.wait()
        if self._recorder.written_step == self._step:
            outcome = "is saved, and the same command goes on from there"
        else:
            outcome = "could not be saved; the same command goes on from the save before"
        report(f"{why}: stopped after step {self._step:,}, which {outcome}")
        raise Stopped(why)

    def _save(self, why: str, loop: int, source: Source) -> None:
        self._recorder.save(self._progress(loop, source), why)
        self._due = None

    def _progress(self, loop: int, source: Source) -> Progress:
        return Progress(
            step=self._step,
            epoch=self._epoch,
            loop=loop,
            ended=self._ends,
            position=source.position(),
            metrics=self._recorder.metrics.capture(),
        )

    def _need_open(self, what: str) -> None:
        if self._stack is None:
            raise RunError(f"`{what}` was called on a Run that is not open: use `with Run(...)`.")
