"""Batches as networks see them: whitened by component, each sample with its cluster as
a pseudo-label."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from equipoise.data.loading import EndOfDataError, Loader, Stream, seeded
from equipoise.transforms.clustering import Clustering

VALUES = 2**20  # of batches that a feed makes at once
MAX_BATCHES = 32


class ClusteredLoader(Loader):
    """Another feed's batches as networks see them, (batch_size, *shape), with their
    classes, (batch_size,). Small ones are made some at once, so that a step only
    slices."""

    def __init__(
        self, loader: Loader, clustering: Clustering, size: int, seed: int, labelled: bool
    ) -> None:
        super().__init__(loader.batch_size, loader.encode, loader.device)
        self.loader, self.clustering, self.seed, self.labelled = loader, clustering, seed, labelled
        self.together = min(max(VALUES // (loader.batch_size * size), 1), MAX_BATCHES)
        self._begin(0)

    def split(self, rank: int, ranks: int) -> None:
        self.loader.split(rank, ranks)
        self.loader.restore(self.start)
        self.rank, self.ranks = rank, ranks
        self._begin(0)

    def _begin(self, batch: int) -> None:
        """Make the batches that come next, and set out from one of them."""
        self.start, self.batch = self.loader.position(), batch
        taken = list(self._taken())
        self.batches = len(taken)
        x = torch.cat([x for x, _ in taken])
        self.u, component = self.clustering.encode(
            x,
            seeded(
                self.seed,
                Stream.CLUSTERS,
                *self.start.values(),
                device=self.device,
                rank=self.rank,
            ),
        )
        labels = [y for _, y in taken if y is not None] if self.labelled else []
        self.y = component + torch.cat(labels) * self.clustering.count if labels else component

    def _taken(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        """The other feed's next batches; fewer where it ends, but one."""
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
        return self.u[rows], self.y[rows]

    def position(self) -> dict[str, int]:
        return {**self.start, "batch": self.batch}

    def restore(self, position: dict[str, int]) -> None:
        self.loader.restore({name: value for name, value in position.items() if name != "batch"})
        self._begin(position["batch"])
        if self.batch > self.batches:
            raise ValueError(f"batch = {self.batch}: must be at most {self.batches}")
