"""Batches as networks see them: what has to be encoded anew for every batch."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from equipoise.data.loading import (
    EndOfDataError,
    IndexedLoader,
    Loader,
    PrefetchingLoader,
    Stream,
    seeded,
)
from equipoise.data.training_by_sampling import TrainingBySampling
from equipoise.errors import RequestError
from equipoise.transforms.category_conditions import CategoryConditions
from equipoise.transforms.chain import Chain

MAX_VALUES = 2**20  # of batches that are encoded at once
MAX_BATCHES = 32


def encoded(loader: Loader, transform: Chain, seed: int, labelled: bool) -> Loader:
    """The batches that networks see of a loader whose samples `Chain.encode_once`
    returned; of a table that is learned under conditions, of rows drawn by them.

    Args:
        loader: Gives samples and labels.
        transform: The chain.
        seed: Of all that is drawn.
        labelled: Whether networks learn the labels.

    Raises:
        RequestError: Rows are to be drawn by conditions, and are not in memory.
    """
    loader.labelled = labelled
    conditions = transform.clustering
    if isinstance(conditions, CategoryConditions):
        if not isinstance(loader, IndexedLoader) or isinstance(loader, PrefetchingLoader):
            raise RequestError(
                "this recipe draws rows by category, and the data is read as it is needed: give "
                "a table in memory, a larger memory_budget, or use the recipe 'balanced'"
            )
        rows = loader.fetch(torch.arange(loader.rows, device=loader.device))
        loader = TrainingBySampling(rows, conditions.sizes, seed, loader.batch_size)
        labelled = True
    return EncodedLoader(loader, transform, seed, labelled) if transform.is_random else loader


class EncodedLoader(Loader):
    """The batches of another loader, whose samples `Chain.encode_once` returned, after
    `Chain.encode_batch`.

    Small batches are encoded some at a time, so that a step only slices. The noise of a
    block and its clusters come from a generator that is seeded by the position at which
    the block starts, so that a restored loader goes on with the same bits.
    """

    def __init__(self, loader: Loader, transform: Chain, seed: int, labelled: bool) -> None:
        """
        Args:
            loader: Gives samples and labels.
            transform: The chain.
            seed: Of the noise and of the clusters that are drawn.
            labelled: Whether networks learn the labels.
        """
        super().__init__(loader.batch_size, loader.encode, loader.device)
        self.loader: Loader = loader
        self.transform: Chain = transform
        self.seed: int = seed
        self.has_labels: bool = labelled or transform.clustering is None
        self._begin(0)

    @property
    def together(self) -> int:
        """Batches that are encoded at once, as many on any number of ranks."""
        values = self.batch_size * self.ranks * math.prod(self.transform.shape)
        return min(max(MAX_VALUES // values, 1), MAX_BATCHES)

    def split(self, rank: int, ranks: int) -> None:
        self.loader.split(rank, ranks)
        self.loader.restore(self.start)
        self.rank: int = rank
        self.ranks: int = ranks
        self._begin(0)

    def _begin(self, batch: int) -> None:
        """Encode the block of batches that comes next, and start at one of them."""
        self.start: dict[str, int] = self.loader.position()
        self.batch: int = batch
        taken = list(self._taken())
        self.batches: int = len(taken)
        labels = [y for _, y in taken if y is not None] if self.has_labels else []
        self.x: Tensor
        self.y: Tensor | None
        self.x, self.y = self.transform.encode_batch(
            torch.cat([x for x, _ in taken]),
            torch.cat(labels) if labels else None,
            seeded(
                self.seed,
                Stream.ENCODING,
                *self.start.values(),
                device=self.device,
                rank=self.rank,
            ),
        )

    def _taken(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        """The other loader's next batches; fewer, but one at least, where it ends."""
        for batch in range(self.together):
            try:
                yield self.loader.next()
            except EndOfDataError:
                if batch == 0:
                    raise
                return

    def next(self) -> tuple[Tensor, Tensor | None]:
        if self.batch == self.batches:
            self._begin(0)
        rows = slice(self.batch * self.batch_size, (self.batch + 1) * self.batch_size)
        self.batch += 1
        return self.x[rows], None if self.y is None else self.y[rows]

    def position(self) -> dict[str, int]:
        return {**self.start, "batch": self.batch}

    def restore(self, position: dict[str, int]) -> None:
        self.loader.restore({name: value for name, value in position.items() if name != "batch"})
        self._begin(position["batch"])
        if self.batch > self.batches:
            raise ValueError(f"batch = {self.batch}: must be at most {self.batches}")
