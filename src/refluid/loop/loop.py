"""The loop over steps: what is restored before the first, and done at each boundary.

May import: data, env, errors, loop, observe, state.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from refluid import env
from refluid.data.batches import Batches
from refluid.data.position import Item, Source
from refluid.errors import DataError, RunError
from refluid.loop.plan import Plan
from refluid.loop.ranks import Ranks, Wish
from refluid.loop.recorder import Recorder
from refluid.loop.resume import Progress, Resumption, report
from refluid.loop.signals import Stopped, StopSignals
from refluid.loop.step import Step
from refluid.observe.layers.watch import Watch
from refluid.state.environment import fingerprint
from refluid.state.generators import diverge, restore_generators

__all__ = ["Loop"]

_FLUSH_EVERY_S = 1.0


class Loop:
    """The loops of one run, one after the other.

    Args:
        directory: of the run, for messages.
        plan: when to save, and when to stop.
        recorder: of the run.
        strict: refuse to go on if something has changed that can change the numbers.
        ranks: the processes of the run.

    Attributes:
        resumed: what there is to go on from; taken by the loop that goes on.
        watch: looks into the layers at some steps.
        step: how many steps are complete.
        epoch: of the current step.
        count: how many loops have begun.
        inside: a loop has begun and not come to its end.
        ends: the loop is to end with the current step.
        due: why a save is due, or None.
    """

    def __init__(
        self, directory: Path, plan: Plan, recorder: Recorder, strict: bool, ranks: Ranks
    ) -> None:
        self._ranks = ranks
        self._directory = directory
        self._plan = plan
        self._recorder = recorder
        self._strict = strict
        self._signals = StopSignals()
        self._started_s = time.monotonic()
        self._begun = False
        self.resumed: Resumption | None = None
        self.watch: Watch | None = None
        self.step = self.epoch = self.count = 0
        self.inside = self.ends = self._ending = False
        self.due: str | None = None

    def log(self, metrics: Mapping[str, Any]) -> None:
        """Take metrics of the current step; see `Run.log`."""
        step, recorder = self.current, self._recorder
        for name, value in metrics.items():
            recorder.metrics.log(step, self.epoch, name, value)
            if name == recorder.patience.name:
                recorder.patience.note(float(value))

    @property
    def current(self) -> int:
        """The step that is meant by what is logged now."""
        # after a loop its last step is meant, not one that may never come
        return self.step if self.inside or not self.step else self.step - 1

    def go_through(
        self, source: Source, epochs: int, num_batches: int | None
    ) -> Generator[Step, None, None]:
        """Iterate over the steps that are left; see `Run.steps`.

        Args:
            source: of the batches.
            epochs: how many in total.
            num_batches: how many an epoch has, if that is known.
        """
        if self.inside:
            raise RunError("a loop over `steps` began while another one had not come to its end.")
        loop, self.count = self.count, self.count + 1
        if self.resumed is not None and loop < self.resumed.progress.loop:
            return
        # only the loop in which the last process stopped has something to restore
        resumed, self.resumed = self.resumed, None
        self.inside, self.ends, self._ending = True, False, False
        self._recorder.patience.reset()
        with contextlib.closing(source), self._signals.noted():
            items = source.open(self._position(resumed, source), epochs)
            self._begin(resumed)
            plan = {"epochs": epochs, "steps_per_epoch": num_batches}
            self._recorder.note(self.step, "planned", json.dumps(plan))
            if self._recorder.saved_step != self.step:
                # so that even a run without a seed goes on as it began, if it is killed at once
                self._save("begin", loop, source)
            first = None if self.ends else next(items, None)
            self._announce(resumed is not None, first is None, source.describe())
            if first is not None:
                yield from self._through(itertools.chain([first], items), loop, source)
            if self._recorder.saved_step != self.step:
                self._save("end", loop, source)
            self._recorder.flush()
            self._recorder.wait()
        self.inside = False

    def _begin(self, resumed: Resumption | None) -> None:
        """Restore what is to be restored, and note that this process begins."""
        recorder = self._recorder
        recorder.tracked.check_any()
        if not self._begun:
            recorder.environment = fingerprint()
        if resumed is not None:
            changed = resumed.check_environment(recorder.environment, recorder.config, self._strict)
            progress = resumed.progress
            self.step = recorder.saved_step = progress.step
            self.epoch, self.ends = progress.epoch, progress.ended
            self._ending = progress.ending
            self._ranks.resume(progress.ending)
            recorder.metrics.restore(progress.metrics)
            if progress.patience is not None:
                recorder.patience.restore(progress.patience)
            if changed:
                recorder.note(self.step, "changed", changed)
            # all at once, and late: making a schedule changes the optimizer that it is made for
            recorder.tracked.restore(resumed.objects)
            restore_generators(resumed.generators)
            if resumed.is_new:
                # as rank 0's they would draw the same as rank 0
                diverge(self._ranks.rank)
        else:
            self._ranks.resume(False)
        if not self._begun:
            recorder.begin(self.step)
        recorder.saved_s = recorder.flushed_s = time.monotonic()

    def _announce(self, resumed: bool, complete: bool, cost: str | None) -> None:
        if not self._ranks.leads:
            pass
        elif resumed and complete:
            report(f"{self._directory} is complete: {self.step:,} steps")
        elif resumed:
            position = f"after step {self.step:,} (epoch {self.epoch})"
            report(f"{self._directory} goes on {position}" + (f"; {cost}" if cost else ""))
        elif not self._begun:
            report(f"{self._directory} begins")
        self._begun = True

    def _through(self, items: Iterator[Item], loop: int, source: Source) -> Iterator[Step]:
        recorder = self._recorder
        wants_digests = env.digests_wanted()
        for self.epoch, index, last, batch in items:
            if self.watch is not None:
                self.watch.begin(self.step)
            yield Step(self.step, self.epoch, index, last, batch)
            if self.watch is not None:
                self._log_watched(self.watch)
            self.step += 1
            self._lose_patience()
            if wants_digests:
                recorder.note_digests(self._progress(loop, source))
            recorder.check()
            now = time.monotonic()
            wish = Wish(
                due=self._what_is_due(now, last),
                stop=self._why_stop(now),
                ends=self.ends,
                busy=recorder.busy,
                fails=recorder.fails,
            )
            agreed = self._ranks.agree(self.step, wish, last)
            if agreed.fails:
                recorder.wait()  # which raises what it was
            self.ends = agreed.ends
            if agreed.stop is not None:
                self._stop(agreed.stop, loop, source)
            if self.ends:
                break
            recorder.pace(self.step)
            # what is due stays due while the checkpoint before it is being written
            self.due = agreed.due
            if self.due and not agreed.busy:
                self._save(self.due, loop, source)
            elif now - recorder.flushed_s > _FLUSH_EVERY_S:
                recorder.flush()

    def _log_watched(self, watch: Watch) -> None:
        metrics, records = watch.end(self.step)
        self.log(metrics)
        for name, record in records.items():
            self._recorder.keep(self.step, name, record)

    def _lose_patience(self) -> None:
        patience = self._recorder.patience
        if patience.ended and not self.ends and not self._ending:
            if self._ranks.leads:
                report(f"stopped early after step {self.step:,}: {patience}")
            self._recorder.note(self.step, "early stop", str(patience))
            self.ends = self._ending = True

    def _what_is_due(self, now: float, last: bool) -> str | None:
        plan, recorder = self._plan, self._recorder
        if last:
            return "epoch"
        if plan.save_every_steps and self.step - recorder.saved_step >= plan.save_every_steps:
            return "steps"
        if plan.save_every_s and now - recorder.saved_s >= plan.save_every_s:
            return "time"
        return self.due

    def _why_stop(self, now: float) -> str | None:
        late = self._plan.max_time_s is not None and now - self._started_s >= self._plan.max_time_s
        return self._signals.received or ("max_time_s" if late else None)

    def _stop(self, why: str, loop: int, source: Source) -> None:
        self._recorder.note(self.step, "stopped", why)
        self._save(why, loop, source)
        self._recorder.wait()
        if self._recorder.written_step == self.step:
            outcome = "is saved, and the same command goes on from there"
        else:
            outcome = "could not be saved; the same command goes on from the save before"
        if self._ranks.leads:
            report(f"{why}: stopped after step {self.step:,}, which {outcome}")
        raise Stopped(why)

    def _save(self, why: str, loop: int, source: Source) -> None:
        self._recorder.save(self._progress(loop, source), why)
        self.due = None

    def _progress(self, loop: int, source: Source) -> Progress:
        return Progress(
            step=self.step,
            epoch=self.epoch,
            loop=loop,
            ended=self.ends,
            position=source.position(),
            metrics=self._recorder.metrics.capture(),
            patience=self._recorder.patience.capture(),
            ending=self._ranks.pending(),
        )

    def _position(self, resumed: Resumption | None, source: Source) -> Any:
        """Return where the data are gone on from.

        Raises:
            DataError: another number of processes has trained, and the data cannot be divided anew.
        """
        if resumed is None:
            return None
        before, now = resumed.num_ranks, self._ranks.count
        if before != now and not isinstance(source, Batches):
            raise DataError(
                f"the run was saved by {before} process{'es' * (before > 1)}, and there "
                f"{'are' if now > 1 else 'is'} {now} now: only `refluid.Batches` can be divided "
                f"anew. Start {before} processes, or give the run `Batches(..., shard=...)`."
            )
        return resumed.progress.position
