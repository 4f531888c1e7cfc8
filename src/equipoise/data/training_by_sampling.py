"""Training-by-sampling: batches of rows that are drawn by category, so that rare
categories are seen too.

Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: "Modeling Tabular data using
Conditional GAN", NeurIPS 2019, section 4.3:

1. one of the columns of categories, all equally often;
2. a category of this column, as often as log(1 + n) for n rows that have it;
3. one of these n rows, all equally often.

The paper has log n, which would never ask for a category of a single row; the 1 is of
the authors' code.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from equipoise.data.loading import Loader, Stream, seeded


class CategorySampler:
    """Draws rows by category.

    Args:
        codes: Of each row in each column of categories, (N, J).
        sizes: Of each column the number of its categories, J numbers.
    """

    def __init__(self, codes: Tensor, sizes: Sequence[int]) -> None:
        columns = codes.long().T
        self.rows: Tensor = torch.cat([column.argsort(stable=True).int() for column in columns])
        """The rows of each category, one category after another, (J N,)."""
        counts = [
            torch.bincount(column, minlength=size)
            for column, size in zip(columns, sizes, strict=True)
        ]
        self.counts: Tensor = torch.cat(counts)
        """Rows of each category of each column, (S,)."""
        self.starts: Tensor = self.counts.cumsum(0) - self.counts
        logs = [count.double().log1p() for count in counts]
        self.probabilities: Tensor = torch.cat([log / log.sum() for log in logs]) / len(logs)
        """Of asking for each category, (S,)."""

    def draw(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """n rows and the categories that they were asked by, (n,) each. Categories of
        all columns are counted together, one column after another."""
        drawn = torch.multinomial(self.probabilities, n, replacement=True, generator=generator)
        count = self.counts[drawn]
        place = (torch.rand(n, generator=generator, dtype=torch.float64) * count).long()
        return self.rows[self.starts[drawn] + place.clamp(max=count - 1)].long(), drawn


class TrainingBySampling(Loader):
    """Batches of a table's rows with the categories that they were drawn by.

    An epoch is as many batches as the rows fill. Its draws come from a generator that
    is seeded by the epoch, so that a restored loader goes on with the same bits.

    Args:
        rows: The raw table, (N, R), on the training device.
        sizes: Of each raw column the number of codes; 0 for a number.
        seed: Of the draws.
        batch_size: Of a batch.
    """

    def __init__(self, rows: Tensor, sizes: Sequence[int], seed: int, batch_size: int) -> None:
        super().__init__(batch_size, lambda x: x, rows.device)
        self.x: Tensor = rows
        self.seed: int = seed
        categories = [column for column, size in enumerate(sizes) if size]
        sampler = CategorySampler(rows[:, categories].cpu(), [size for size in sizes if size])
        self.sampler = sampler
        self._begin()

    def split(self, rank: int, ranks: int) -> None:
        self.rank: int = rank
        self.ranks: int = ranks
        self._begin()

    @property
    def length(self) -> int:
        """Rows that this process takes in an epoch."""
        return max(len(self.x) // (self.batch_size * self.ranks), 1) * self.batch_size

    def _begin(self) -> None:
        """Draw the rows of the loader's epoch."""
        generator = seeded(self.seed, Stream.TRAINING, self.epoch, rank=self.rank)
        self.index: Tensor
        self.asked: Tensor
        self.index, self.asked = (
            of.to(self.device) for of in self.sampler.draw(self.length, generator)
        )

    def next(self) -> tuple[Tensor, Tensor | None]:
        if self.cursor == self.length:
            self.epoch, self.cursor = self.epoch + 1, 0
            self._begin()
        batch = slice(self.cursor, self.cursor + self.batch_size)
        self.cursor += self.batch_size
        return self.x[self.index[batch]], self.asked[batch]

    def restore(self, position: dict[str, int]) -> None:
        if position["cursor"] > self.length:
            raise ValueError(f"cursor = {position['cursor']}: must be at most {self.length}")
        super().restore(position)
        self._begin()
