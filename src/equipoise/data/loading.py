"""Feeds: an endless row of batches, scaled, on the training device, whose position can
be told and restored.

A position is two numbers, epoch and cursor; with the seed they say all: the order of an
epoch, or a block of draws, comes from a generator seeded by both.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from equipoise.data.distributions import Distribution
from equipoise.errors import EquipoiseError
from equipoise.utils.prefetch import ahead

Encode = Callable[[Tensor], Tensor]
"""From raw samples, (N, *shape), to what networks see."""

if TYPE_CHECKING:
    Batch = tuple[Tensor, Tensor | None]

AHEAD = 2  # batches that are fetched before they are asked for
BLOCK = 65_536  # draws of a distribution made at once, so that a step only slices


class Stream(IntEnum):
    """What randomness is for: each purpose has its own stream, so that no two ever draw
    the same numbers from one seed."""

    TRAINING = 1
    HELD_OUT = 2
    SEEN = 3
    SPLIT = 4
    CHOICE = 5
    WEIGHTS = 6
    LATENTS = 7
    DROPOUT = 8
    SAMPLES = 9
    CLASSES = 10
    AUGMENTATION = 11
    PENALTY = 12
    BATCHNORM = 13
    CLUSTERS = 14
    VALIDATION = 15
    CLASS_MODES = 16


def seeded(*numbers: int, device: torch.device | None = None) -> torch.Generator:
    """A generator, on the CPU unless told otherwise, whose seed mixes all of `numbers`."""
    mixed = 0
    for number in numbers:
        mixed = (mixed * 6364136223846793005 + number + 1442695040888963407) % 2**63
    return torch.Generator(device or "cpu").manual_seed(mixed)


class EndOfDataError(EquipoiseError):
    """A feed has nothing more to give."""


class Loader(ABC):
    """Batches of one size for ever."""

    def __init__(self, batch_size: int, encode: Encode, device: torch.device) -> None:
        self.batch_size = batch_size
        self.encode = encode
        self.device = device
        self.epoch = 0
        self.cursor = 0

    @abstractmethod
    def next(self) -> Batch:
        """Scaled samples, (batch_size, *shape), and their classes, (batch_size,), or
        None."""

    def position(self) -> dict[str, int]:
        return {"epoch": self.epoch, "cursor": self.cursor}

    def restore(self, position: dict[str, int]) -> None:
        self.epoch, self.cursor = position["epoch"], position["cursor"]


def batches(
    rows: int, batch_size: int, seed: int, position: dict[str, int], device: torch.device
) -> Iterator[tuple[int, int, Tensor]]:
    """What comes after a position: of every batch the epoch, the cursor behind it and
    the indices of its rows, on `device`. The rows come in a new order every epoch; an
    epoch's last ones that fill no batch are left for another order. Where a batch holds
    more than all rows, an epoch is so many orders, one after the other, as fill it."""
    orders = math.ceil(batch_size / rows)
    epoch, cursor, order = position["epoch"], position["cursor"], None
    while True:
        if cursor + batch_size > rows * orders:
            epoch, cursor, order = epoch + 1, 0, None
        if order is None:
            generator = seeded(seed, Stream.TRAINING, epoch)
            order = torch.cat(
                [torch.randperm(rows, generator=generator) for _ in range(orders)]
            ).to(device)
        cursor += batch_size
        yield epoch, cursor, order[cursor - batch_size : cursor]


class IndexedLoader(Loader):
    """Rows that can be fetched by index, scaled, on the device."""

    def __init__(
        self,
        fetch: Callable[[Tensor], Tensor],
        rows: int,
        labels: Tensor | None,
        seed: int,
        batch_size: int,
        encode: Encode,
        device: torch.device,
    ) -> None:
        super().__init__(batch_size, encode, device)
        self.fetch, self.rows, self.seed = fetch, rows, seed
        self.labels = None if labels is None else labels.to(device)
        self._begin()

    def _begin(self) -> None:
        """Set out from where the feed stands."""
        self._batches = batches(self.rows, self.batch_size, self.seed, self.position(), self.device)

    def next(self) -> Batch:
        self.epoch, self.cursor, index = next(self._batches)
        return self.fetch(index), None if self.labels is None else self.labels[index]

    def restore(self, position: dict[str, int]) -> None:
        super().restore(position)
        self._begin()


class AheadLoader(IndexedLoader):
    """The very batches of an IndexedFeed, of rows that take long to fetch: `fetch`
    makes raw rows of indices, on the CPU, in a thread that is some batches ahead of the
    training. An error in it is raised by `next`, which may be asked again."""

    def _begin(self) -> None:
        coming = batches(
            self.rows, self.batch_size, self.seed, self.position(), torch.device("cpu")
        )
        # The thread holds what it works with, and not the feed, so that it ends when
        # the feed is forgotten.
        fetch = self.fetch
        self._ahead = ahead(lambda batch: fetch(batch[2]), coming, AHEAD)

    def next(self) -> Batch:
        try:
            (self.epoch, self.cursor, index), raw = next(self._ahead)
        except BaseException:
            self._begin()
            raise
        return self.encode(raw.to(self.device)), None if self.labels is None else self.labels[
            index.to(self.device)
        ]

    def restore(self, position: dict[str, int]) -> None:
        self._ahead.close()
        super().restore(position)


class DistributionLoader(Loader):
    """Fresh draws from a distribution, a block at a time."""

    def __init__(
        self,
        distribution: Distribution,
        seed: int,
        batch_size: int,
        encode: Encode,
        device: torch.device,
    ) -> None:
        super().__init__(batch_size, encode, device)
        self.distribution, self.seed = distribution, seed
        self.rows = max(BLOCK // batch_size, 1) * batch_size
        self.block, self.labels = self._block()

    def _block(self) -> Batch:
        x, y = self.distribution.labelled(self.rows, seeded(self.seed, Stream.TRAINING, self.epoch))
        return self.encode(x).to(self.device), None if y is None else y.to(self.device)

    def next(self) -> Batch:
        if self.cursor == self.rows:
            self.epoch, self.cursor = self.epoch + 1, 0
            self.block, self.labels = self._block()
        batch = slice(self.cursor, self.cursor + self.batch_size)
        self.cursor += self.batch_size
        return self.block[batch], None if self.labels is None else self.labels[batch]

    def restore(self, position: dict[str, int]) -> None:
        if position["cursor"] > self.rows:
            raise ValueError(f"cursor = {position['cursor']}: must be at most {self.rows}")
        super().restore(position)
        self.block, self.labels = self._block()
