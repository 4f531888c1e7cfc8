"""Tables as networks see them: a one-hot vector for each category, and a normal score
for each number.

A number x of the distribution F has the score Phi^-1(F(x)), which is standard normal
(the probability integral transform). F is piecewise linear: `Bins`. A value that many
rows share, such as a 0 for nothing or a round number, is a bin of no width, and its
rows are spread over its interval of F at random (Rüschendorf: "On the distributional
transform, Sklar's theorem, and the empirical copula process", 2009). On the way back
the score's interval gives exactly that value. So a generator of smooth scores makes
spikes, steps and heavy tails as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.transforms.base import Transform
from equipoise.transforms.space import Span, starts_of, table_spans
from equipoise.utils.one_hot import one_hot

BINS = 128  # of a column at most
QUANTILES = 48  # of a column of more values
ROWS_PER_BIN = 10  # at least, but for single values that stand out
MAX_TAIL_CUTS = 8  # beyond the outermost quantile, each half as far from the end
MARGIN = 1e-3  # of a bin, at both ends, so that rounding leaves a value in its bin
MIN_WIDTH = 1e-12  # what a bin without rows is divided by
MIN_TAIL = 1e-6  # of F; a score of 4.75


class Bins:
    """A piecewise linear distribution function, fitted to a column.

    Bin b holds the values from `low[b]` to `high[b]`, with F from `levels[b]` to
    `levels[b + 1]`. Where low and high are the same, it is a single value.
    """

    def __init__(self, values: NDArray[np.float64]) -> None:
        """
        Args:
            values: (N,), finite.
        """
        distinct, counts = np.unique(values, return_counts=True)
        n = len(values)
        if len(distinct) <= min(BINS, n // ROWS_PER_BIN):
            firsts = np.arange(len(distinct))
        else:
            heavy = np.flatnonzero(counts * QUANTILES >= n)
            cuts = np.searchsorted(counts.cumsum(), _probabilities(n) * n)
            firsts = np.unique(np.concatenate([[0], cuts, heavy, heavy + 1]))
            firsts = firsts[firsts < len(distinct)]
        lasts = np.append(firsts[1:], len(distinct)) - 1
        self.low: NDArray[np.float64] = distinct[firsts]
        self.high: NDArray[np.float64] = distinct[lasts]
        self.levels: NDArray[np.float64] = np.append(0.0, counts.cumsum()[lasts] / n)

    def __len__(self) -> int:
        return len(self.low)


def _probabilities(rows: int) -> NDArray[np.float64]:
    """Where F is cut: evenly, and ever finer towards both ends, with enough rows in
    each bin."""
    quantiles = max(min(QUANTILES, rows // ROWS_PER_BIN), 1)
    tails = [0.5**cut / quantiles for cut in range(1, MAX_TAIL_CUTS + 1)]
    tails = [tail for tail in tails if tail * rows >= ROWS_PER_BIN]
    even = np.arange(1, quantiles) / quantiles
    return np.concatenate([even, tails, 1 - np.array(tails)])


def in_bins(levels: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """Which bins values of F lie in, and at what fraction of them, both (C, N).

    Args:
        levels: F at the ends of each column's bins, (C, BINS + 1).
        level: Values of F, (C, N).
    """
    at = torch.searchsorted(levels[:, 1:-1].contiguous(), level, right=True)
    start, end = levels.gather(1, at), levels.gather(1, at + 1)
    return at, (level - start) / (end - start).clamp(min=MIN_WIDTH)


class TableEncoding(Transform):
    """Raw tables, (N, R), of numbers and codes to one-hot vectors and scores, (N, E).

    Args:
        sizes: Of each raw column the number of codes; 0 for a number.
    """

    name = "table_encoding"
    low: Tensor
    """(C, BINS), for C columns of numbers: the bins' ends in the column's units, in
    float64. Bins that a column does not have are at its largest value."""
    high: Tensor
    """(C, BINS)."""
    levels: Tensor
    """(C, BINS + 1): F at the bins' ends."""

    def __init__(self, sizes: Sequence[int]) -> None:
        spans = table_spans(sizes)
        super().__init__((sum(span.size for span in spans),))
        self.sizes: tuple[int, ...] = tuple(sizes)
        self.spans: tuple[Span, ...] = spans
        self.numbers: list[int] = [column for column, size in enumerate(sizes) if not size]
        for name, columns in (("low", BINS), ("high", BINS), ("levels", BINS + 1)):
            shape = (len(self.numbers), columns)
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    @property
    def activations(self) -> tuple[Span, ...]:
        return self.spans

    @property
    def is_random(self) -> bool:
        return True

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Fit the bins to raw tables, (n, R) in parts."""
        x = torch.cat([*parts]).double().numpy()
        for number, column in enumerate(self.numbers):
            bins = Bins(x[:, column])
            more = BINS - len(bins)
            for name, end in (("low", bins.high[-1]), ("high", bins.high[-1]), ("levels", 1.0)):
                padded = np.pad(getattr(bins, name), (0, more), constant_values=end)
                getattr(self, name)[number] = torch.from_numpy(padded)
        return self

    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        scores = self._scores(x, generator)
        number, parts = 0, []
        for column, size in enumerate(self.sizes):
            if size:
                parts.append(one_hot(scores, x[:, column].long().clamp(0, size - 1), size))
            else:
                parts.append(scores[:, number : number + 1])
                number += 1
        return torch.cat(parts, 1), y

    def _scores(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """The scores of the columns of numbers, (N, C); without a generator those of
        the middle of a value's interval."""
        values = x[:, self.numbers].double().T.contiguous()
        # Bins that only fill up the table begin at the maximum, and at level 1.
        last = (self.levels[:, :-1] < 1).sum(1, keepdim=True) - 1
        at = (torch.searchsorted(self.low, values, right=True) - 1).clamp(min=0).minimum(last)
        low, width = self.low.gather(1, at), (self.high - self.low).gather(1, at)
        if generator is None:
            noise = torch.full_like(values, 0.5)
        else:
            noise = torch.rand(
                values.shape, generator=generator, dtype=values.dtype, device=values.device
            )
        within = torch.where(width > 0, (values - low) / torch.where(width > 0, width, 1.0), noise)
        start, end = self.levels.gather(1, at), self.levels.gather(1, at + 1)
        level = torch.lerp(start, end, MARGIN + (1 - 2 * MARGIN) * within.clamp(0, 1))
        scores: Tensor = torch.special.ndtri(level.clamp(MIN_TAIL, 1 - MIN_TAIL)).T.float()
        return scores

    def decode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """One-hot vectors, or any scores of the categories, and normal scores to codes
        and numbers, (N, R), in float64."""
        parts, starts = [], starts_of(self.spans)
        values = iter(self._values(x[:, [starts[column] for column in self.numbers]]).unbind(1))
        for span, start in zip(self.spans, starts, strict=True):
            block = x[:, start : start + span.size]
            is_number = span.activation == "score"
            parts.append(next(values) if is_number else block.argmax(1).double())
        return torch.stack(parts, 1)

    def _values(self, scores: Tensor) -> Tensor:
        """The numbers, (N, C), of normal scores."""
        level = torch.special.ndtr(scores.double()).T.contiguous()
        at, within = in_bins(self.levels, level)
        within = ((within - MARGIN) / (1 - 2 * MARGIN)).clamp(0, 1)
        return torch.lerp(self.low.gather(1, at), self.high.gather(1, at), within).T

    def config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        if schema.table is None:
            raise RequestError("its table encoding is of a table, and its schema of other data")
        return cls(schema.table.sizes)

    def check(self) -> None:
        tables = (self.low, self.high, self.levels)
        if not all(bool(table.isfinite().all()) for table in tables):
            raise RequestError("its table encoding cannot be")
