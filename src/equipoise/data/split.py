"""The split of a data set into rows that are trained on and rows that are held out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from equipoise.data.loading import Stream, seeded
from equipoise.errors import RequestError

HELD_OUT_DIVISOR = 10  # one row of ten is held out,
HELD_OUT_MAX = 10_000  # and never more than these


class Part(ABC):
    """The rows on one side of a split, raw, with the positions of their classes."""

    labels: Tensor | None
    """(len(self),), or None without labels."""
    max_drawn: int | None = None
    """The most rows that one draw gives; None for no limit."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, positions: Tensor | None = None) -> Tensor:
        """The rows at these positions, (m, *shape); None for all."""

    def draw(self, n: int, seed: int, among: Tensor | None = None) -> Tensor:
        """At most n rows, raw, by a seeded draw without replacement.

        Args:
            n: How many, at most.
            seed: Decides which.
            among: The positions to choose from; None for all.
        """
        n = self._limited(n)
        if among is None and n >= len(self):
            return self.take()
        return self.take(self._chosen(n, seed, among))

    def draw_labelled(
        self, n: int, seed: int, among: Tensor | None = None
    ) -> tuple[Tensor, Tensor] | None:
        """As `draw`, with the positions of the classes, (m,); None without labels."""
        if self.labels is None:
            return None
        chosen = self._chosen(self._limited(n), seed, among)
        return self.take(chosen), self.labels[chosen]

    def _limited(self, n: int) -> int:
        return n if self.max_drawn is None else min(n, self.max_drawn)

    def _chosen(self, n: int, seed: int, among: Tensor | None) -> Tensor:
        return choose(torch.arange(len(self)) if among is None else among, n, seed)


class TensorPart(Part):
    """Rows in memory."""

    def __init__(self, rows: Tensor, labels: Tensor | None = None) -> None:
        self.rows: Tensor = rows
        self.labels = labels

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: Tensor | None = None) -> Tensor:
        return self.rows if positions is None else self.rows[positions]


class FetchedPart(Part):
    """Rows that are fetched when they are needed.

    Args:
        fetch: The rows at indices of the whole data set.
        indices: Those of this part, (n,).
        labels: The positions of their classes, (n,).
        max_drawn: The most rows that one draw gives.
    """

    def __init__(
        self,
        fetch: Callable[[Tensor], Tensor],
        indices: Tensor,
        labels: Tensor | None,
        max_drawn: int,
    ) -> None:
        self.fetch = fetch
        self.indices: Tensor = indices
        self.labels = labels
        self.max_drawn: int | None = max_drawn

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, positions: Tensor | None = None) -> Tensor:
        return self.fetch(self.indices if positions is None else self.indices[positions])


@dataclass
class Split:
    """Rows to train on and rows that are held out."""

    train: Part
    held_out: Part
    own_validation: Part | None = None
    """A validation split that the data comes with; else it is taken of those held
    out."""

    def positions(self, *, validation: bool, separate: bool) -> Tensor:
        """The positions, among the rows held out, of the test split or of the
        validation split.

        Args:
            validation: Whether the validation split is meant.
            separate: Whether the two share no row: each has a half. Else both have all.
        """
        rows = len(self.held_out)
        if not separate or rows < 2 or self.own_validation is not None:
            return torch.arange(rows)
        order = torch.randperm(rows, generator=seeded(rows, Stream.VALIDATION))
        return (order[: rows // 2] if validation else order[rows // 2 :]).sort().values


@dataclass(frozen=True)
class OwnSplit:
    """The split that data comes with: indices of its rows, (n,) each."""

    train: Tensor
    held_out: Tensor
    validation: Tensor | None = None
    """Those for metrics while training, if they are others."""


def own_or_seeded(n: int, seed: int, own: OwnSplit | None) -> OwnSplit:
    """The data's own split, else that of `split_indices`."""
    return OwnSplit(*split_indices(n, seed)) if own is None else own


def split_indices(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Indices to train on and indices held out: a seeded tenth, at least one, at most
    10,000; both in order.

    Raises:
        RequestError: For fewer than two.
    """
    if n < 2:
        raise RequestError("the data has one sample: give at least one batch of samples")
    held_out = min(max(n // HELD_OUT_DIVISOR, 1), HELD_OUT_MAX)
    order = torch.randperm(n, generator=seeded(seed, Stream.SPLIT))
    return order[held_out:].sort().values, order[:held_out].sort().values


def choose(rows: Tensor, n: int, seed: int) -> Tensor:
    """At most n of the rows, by a seeded draw without replacement."""
    if n >= len(rows):
        return rows
    return rows[torch.randperm(len(rows), generator=seeded(seed, Stream.CHOICE))[:n]]
