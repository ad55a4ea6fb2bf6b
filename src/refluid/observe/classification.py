"""How well a classifier does: counts over any number of batches, and what they come to.

Shapes: B batch, C classes; images [B, H, W], [B, 1, H, W] or [B, 3, H, W].
Precision, recall and F1 are those of scikit-learn's `classification_report`, with 0 for 0/0.
May import: torch, numpy, observe.record.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence

import torch
from torch.nn import functional

from refluid.observe.record import Confusion, Gallery, Image, Picture, Record, Table

__all__ = ["Classification"]


class Classification:
    """Collects what a classifier says of labeled samples.

    Args:
        classes: their names, or how many there are.
        top: if above 1, also count how often the true class is among the `top` highest scores.
        probabilities: scores are probabilities that sum to 1, and not logits.
        num_mistakes: how many of the worst mistakes are kept, if images are given.

    Example:
        judged = refluid.Classification(classes=10)
        run.validate(batches, lambda batch: judged.add(model(batch[0]), batch[1], images=batch[0]))
        run.record(**judged.records())
    """

    def __init__(
        self,
        classes: Sequence[str] | int,
        *,
        top: int = 1,
        probabilities: bool = False,
        num_mistakes: int = 12,
    ) -> None:
        names = map(str, range(classes)) if isinstance(classes, int) else classes
        self.classes = tuple(names)
        if not 1 <= top <= len(self.classes):
            raise ValueError(f"`top` must be from 1 to {len(self.classes)}, but received {top!r}.")
        self._top = top
        self._probabilities = probabilities
        self._num_mistakes = num_mistakes
        size = len(self.classes)
        self._counts = torch.zeros(size, size, dtype=torch.int64)
        # the least confident first, a number to tell equals apart
        self._mistakes: list[tuple[float, int, Picture]] = []
        self._numbers = itertools.count()

    @torch.no_grad()
    def add(
        self, scores: torch.Tensor, labels: torch.Tensor, images: torch.Tensor | None = None
    ) -> dict[str, float]:
        """Take in a batch.

        Args:
            scores: of each class, [B, C].
            labels: the true classes, integers [B] or [B, 1].
            images: what was classified, floats from 0 to 1 or uint8, of which mistakes are kept.

        Returns:
            Means over the batch: `loss` (cross-entropy), `accuracy`, and with `top=5` also
            `accuracy_top5`.

        Raises:
            ValueError: shapes or labels do not fit.
        """
        size = len(self.classes)
        scores = scores.detach().as_subclass(torch.Tensor)
        labels = (
            labels.detach().as_subclass(torch.Tensor).reshape(-1).to(scores.device, torch.int64)
        )
        if scores.ndim != 2 or scores.shape[1] != size or len(scores) != len(labels):
            raise ValueError(
                f"`scores` must be of shape [{len(labels)}, {size}], one score for each of the "
                f"classes, but received {list(scores.shape)}."
            )
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < size:
            raise ValueError(
                f"`labels` must be from 0 to {size - 1}, but are from {int(labels.min())} to "
                f"{int(labels.max())}."
            )
        logs = scores.log() if self._probabilities else functional.log_softmax(scores.float(), 1)
        best = scores.argmax(1)
        self._counts += (
            torch.bincount(labels * size + best, minlength=size * size).reshape(size, size).cpu()
        )
        if images is not None and self._num_mistakes:
            self._keep_mistakes(logs, labels, best, images)
        found = {
            "loss": float(-logs.gather(1, labels[:, None]).mean()),
            "accuracy": float((best == labels).float().mean()),
        }
        if self._top > 1:
            among = scores.topk(self._top, 1).indices.eq(labels[:, None]).any(1)
            found[f"accuracy_top{self._top}"] = float(among.float().mean())
        return found

    def confusion(self) -> Confusion:
        """Return how often each class was taken for each."""
        return Confusion(self.classes, self._counts.numpy())

    def table(self) -> Table:
        """Return precision, recall and F1 of each class, and how many samples it has."""
        right = self._counts.diag().double()
        samples, taken = self._counts.sum(1).double(), self._counts.sum(0).double()
        columns = zip(
            self.classes,
            (right / taken.clamp(min=1)).tolist(),
            (right / samples.clamp(min=1)).tolist(),
            (2 * right / (samples + taken).clamp(min=1)).tolist(),
            samples.long().tolist(),
            strict=True,
        )
        return Table(("class", "precision", "recall", "f1", "samples"), tuple(columns))

    def mistakes(self) -> Gallery:
        """Return the mistakes of which the classifier was most certain, the worst first."""
        worst = sorted(self._mistakes, key=lambda each: (-each[0], each[1]))
        return Gallery(tuple(picture for _, _, picture in worst))

    def records(self) -> dict[str, Record]:
        """Return all of it under the names that boards and reports know."""
        found: dict[str, Record] = {"confusion": self.confusion(), "classes": self.table()}
        return {**found, "mistakes": self.mistakes()} if self._mistakes else found

    def _keep_mistakes(
        self,
        logs: torch.Tensor,
        labels: torch.Tensor,
        best: torch.Tensor,
        images: torch.Tensor,
    ) -> None:
        certainty = logs.gather(1, best[:, None])[:, 0].exp()
        wrong = (best != labels).nonzero()[:, 0]
        # more than are kept need not be looked at
        order = wrong[certainty[wrong].argsort(descending=True, stable=True)]
        for index in order[: self._num_mistakes].tolist():
            share = float(certainty[index])
            if len(self._mistakes) == self._num_mistakes and share <= self._mistakes[0][0]:
                break
            true, taken = (self.classes[int(each[index])] for each in (labels, best))
            caption = f"{true}, taken for {taken} ({100 * share:.0f}%)"
            picture = Picture(Image.of(images[index]), caption)
            heapq.heappush(self._mistakes, (share, -next(self._numbers), picture))
            if len(self._mistakes) > self._num_mistakes:
                heapq.heappop(self._mistakes)
