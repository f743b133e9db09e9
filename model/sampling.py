"""Which faces make a batch: score classes, and batches, pairs and triplets drawn evenly from them.

Ratings are bell-shaped: drawn as they come, the fringes of the scale would hardly be seen. So a
class is drawn first, evenly, and then one of its faces (the 2017 Selfai project's sampling).
"""

from __future__ import annotations

import torch
from torch import Tensor


def score_classes(targets: Tensor, count: int) -> Tensor:
    """Each score's class: `count` equal steps from the lowest to the highest, empty ones left out.

    Shape: (n,) scores -> (n,) class numbers from 0, in the order of the scores.
    Raises ValueError if `count` is below 2, or there are fewer than two classes with faces.
    """
    if count < 2:
        raise ValueError(f"{count} score classes: two is the least that can be told apart")
    lowest, highest = targets.min(), targets.max()
    steps = ((targets - lowest) / (highest - lowest).clamp(min=1e-9) * count).long().clamp(max=count - 1)
    taken: Tensor
    classes: Tensor
    taken, classes = torch.unique(steps, return_inverse=True)
    if len(taken) < 2:
        raise ValueError("all faces fall into one score class: there is nothing to tell apart")
    return classes


class ClassSampler:
    """Draws faces by their classes: a class evenly, then one of its faces evenly.

    `classes`: shape (n,), numbers from 0 without gaps. All draws come from `generator`.
    """

    def __init__(self, classes: Tensor, generator: torch.Generator) -> None:
        order = torch.argsort(classes, stable=True)
        self._members = order
        self._places = torch.argsort(order)
        self._sizes = torch.bincount(classes)
        self._starts = torch.cumsum(self._sizes, 0) - self._sizes
        self._generator = generator

    def faces(self, count: int) -> Tensor:
        """So many faces, with repeats. Shape: (count,) indices."""
        return self._of(self._classes(count))

    def pairs(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pairs, about half of one class and half of two; a face may meet itself in small classes only.

        Shape: (count,) indices twice, and (count,) booleans: whether the classes are the same.
        """
        first_class = self._classes(count)
        same = torch.rand(count, generator=self._generator) < 0.5
        first = self._of(first_class)
        second = torch.where(same, self._partner(first, first_class), self._of(self._other(first_class)))
        return first, second, same

    def triplets(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Anchors, positives of their classes, negatives of others. Shape: (count,) indices each."""
        classes = self._classes(count)
        anchors = self._of(classes)
        return anchors, self._partner(anchors, classes), self._of(self._other(classes))

    def _classes(self, count: int) -> Tensor:
        return torch.randint(len(self._sizes), (count,), generator=self._generator)

    def _other(self, classes: Tensor) -> Tensor:
        shift = torch.randint(1, len(self._sizes), classes.shape, generator=self._generator)
        return (classes + shift) % len(self._sizes)

    def _of(self, classes: Tensor) -> Tensor:
        """A face of each class."""
        place = torch.rand(classes.shape, generator=self._generator, dtype=torch.float64)
        return self._members[self._starts[classes] + (place * self._sizes[classes]).long()]

    def _partner(self, faces: Tensor, classes: Tensor) -> Tensor:
        """Another face of the class; the face itself where it is alone."""
        partners = self._of(classes)
        place = torch.rand(classes.shape, generator=self._generator, dtype=torch.float64)
        sizes, starts = self._sizes[classes], self._starts[classes]
        # Met itself: take any other, by a random step around the class.
        step = 1 + (place * (sizes - 1).clamp(min=1)).long()
        around = self._members[starts + (self._places[faces] - starts + step) % sizes]
        return torch.where(partners == faces, around, partners)
