"""Loaders: endless batches, encoded, on the training device.

A loader's position can be saved and restored. It is two numbers, epoch and cursor: the
order of an epoch, or a block of draws, comes from a generator that is seeded by the
seed and the epoch.
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
"""From raw samples, (N, *shape), to encoded ones."""

if TYPE_CHECKING:
    Batch = tuple[Tensor, Tensor | None]

PREFETCHED_BATCHES = 2
BLOCK = 65_536  # draws of a distribution at once, so that a step only slices


class Stream(IntEnum):
    """Purposes of randomness. Each has its own stream, so that no two draw the same
    numbers from one seed."""

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
    ENCODING = 14
    VALIDATION = 15
    CLASS_CLUSTERS = 16
    STYLES = 17
    DIRECTIONS = 18
    LOOPS = 19
    INVERSION = 20


def seeded(*numbers: int, device: torch.device | None = None, rank: int = 0) -> torch.Generator:
    """A generator whose seed mixes all of `numbers`.

    Args:
        device: The generator's; the CPU by default.
        rank: Of a process that draws numbers of its own; rank 0 draws what a training
            in one process does.
    """
    mixed = 0
    for number in (*numbers, rank) if rank else numbers:
        mixed = (mixed * 6364136223846793005 + number + 1442695040888963407) % 2**63
    return torch.Generator(device or "cpu").manual_seed(mixed)


def moved(x: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device. To a GPU it is copied from pinned memory, so that the host
    does not wait for the copy, nor for the step before it."""
    if device.type != "cuda" or x.is_cuda:
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)


class EndOfDataError(EquipoiseError):
    """A loader has no more batches."""


class Loader(ABC):
    """Endless batches of one size."""

    def __init__(self, batch_size: int, encode: Encode, device: torch.device) -> None:
        self.batch_size = batch_size
        self.encode = encode
        self.device = device
        self.epoch: int = 0
        self.cursor: int = 0
        self.rank: int = 0
        self.ranks: int = 1
        self.labelled = True
        """Whether networks learn the classes."""

    def split(self, rank: int, ranks: int) -> None:
        """Give this process its own part of the data, before the first batch is taken.

        Args:
            rank: Number of this process.
            ranks: Number of processes; each takes `batch_size` samples a step.

        Raises:
            RequestError: For data that cannot be split.
        """
        self.rank = rank
        self.ranks = ranks

    @abstractmethod
    def next(self) -> Batch:
        """Encoded samples, (batch_size, *shape), and their classes, (batch_size,), or
        None."""

    def position(self) -> dict[str, int]:
        return {"epoch": self.epoch, "cursor": self.cursor}

    def restore(self, position: dict[str, int]) -> None:
        self.epoch = position["epoch"]
        self.cursor = position["cursor"]


def batches(
    rows: int,
    batch_size: int,
    seed: int,
    position: dict[str, int],
    device: torch.device,
    rank: int = 0,
    ranks: int = 1,
) -> Iterator[tuple[int, int, Tensor]]:
    """The batches after a position.

    Every epoch has a new order of the rows. Rows that do not fill an epoch's last batch
    are left out of it. Each of several ranks takes its own `batch_size` rows of a
    common, larger batch, so that a position is the same on all. Where a batch is larger
    than the data, an epoch is as many orders, one after the other, as fill one batch.

    Yields:
        The epoch, the cursor after the batch, and the indices of its rows, on `device`.
    """
    step = batch_size * ranks
    orders = math.ceil(step / rows)
    epoch, cursor, order = position["epoch"], position["cursor"], None
    while True:
        if cursor + step > rows * orders:
            epoch, cursor, order = epoch + 1, 0, None
        if order is None:
            generator = seeded(seed, Stream.TRAINING, epoch)
            order = moved(
                torch.cat([torch.randperm(rows, generator=generator) for _ in range(orders)]),
                device,
            )
        start = cursor + rank * batch_size
        cursor += step
        yield epoch, cursor, order[start : start + batch_size]


class IndexedLoader(Loader):
    """Batches of rows that `fetch` returns encoded, on the device, for indices."""

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
        self.fetch = fetch
        self.rows: int = rows
        self.seed: int = seed
        self.labels: Tensor | None = None if labels is None else labels.to(device)
        self._begin()

    def split(self, rank: int, ranks: int) -> None:
        self.rank: int = rank
        self.ranks: int = ranks
        self.restore(self.position())

    def _begin(self) -> None:
        """Start from the loader's position."""
        self._batches = self._indices(self.device)

    def _indices(self, device: torch.device) -> Iterator[tuple[int, int, Tensor]]:
        """The batches after the loader's position, see `batches`."""
        return batches(
            self.rows,
            self.batch_size,
            self.seed,
            self.position(),
            device,
            self.rank,
            self.ranks,
        )

    def next(self) -> Batch:
        self.epoch, self.cursor, index = next(self._batches)
        return self.fetch(index), None if self.labels is None else self.labels[index]

    def restore(self, position: dict[str, int]) -> None:
        super().restore(position)
        self._begin()


class PrefetchingLoader(IndexedLoader):
    """The same batches as an `IndexedLoader`, of rows that take long to fetch.

    `fetch` returns raw rows for indices, on the CPU, in a thread that is some batches
    ahead of the training. An error in it is raised by `next`, which may be called
    again.
    """

    def _begin(self) -> None:
        coming = self._indices(torch.device("cpu"))
        # The thread has no reference to the loader, so that it ends when the loader is
        # deleted.
        fetch = self.fetch
        self._ahead = ahead(lambda batch: fetch(batch[2]), coming, PREFETCHED_BATCHES)

    def next(self) -> Batch:
        try:
            (self.epoch, self.cursor, index), raw = next(self._ahead)
        except BaseException:
            self._begin()
            raise
        labels = None if self.labels is None else self.labels[moved(index, self.device)]
        return self.encode(moved(raw, self.device)), labels

    def restore(self, position: dict[str, int]) -> None:
        self._ahead.close()
        super().restore(position)


class DistributionLoader(Loader):
    """New draws from a distribution, made in blocks.

    Several ranks draw the same blocks, and take the rows of a common, larger batch in
    turn, as `batches` does.
    """

    def __init__(
        self,
        distribution: Distribution,
        seed: int,
        batch_size: int,
        encode: Encode,
        device: torch.device,
    ) -> None:
        super().__init__(batch_size, encode, device)
        self.distribution: Distribution = distribution
        self.seed: int = seed
        self._begin()

    def split(self, rank: int, ranks: int) -> None:
        self.rank: int = rank
        self.ranks: int = ranks
        self._begin()

    def _begin(self) -> None:
        self.step: int = self.batch_size * self.ranks
        self.rows: int = max(BLOCK // self.step, 1) * self.step
        self.block: Tensor
        self.block, self.labels = self._block()

    def _block(self) -> Batch:
        generator = seeded(self.seed, Stream.TRAINING, self.epoch)
        x, y = self.distribution.labelled(self.rows, generator)
        return moved(self.encode(x), self.device), None if y is None else moved(y, self.device)

    def next(self) -> Batch:
        if self.cursor == self.rows:
            self.epoch, self.cursor = self.epoch + 1, 0
            self.block, self.labels = self._block()
        start = self.cursor + self.rank * self.batch_size
        batch = slice(start, start + self.batch_size)
        self.cursor += self.step
        return self.block[batch], None if self.labels is None else self.labels[batch]

    def restore(self, position: dict[str, int]) -> None:
        if position["cursor"] > self.rows:
            raise ValueError(f"cursor = {position['cursor']}: must be at most {self.rows}")
        super().restore(position)
        self.block, self.labels = self._block()
