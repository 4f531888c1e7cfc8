"""A mixture of latent classes: within a component the columns of a table are
independent, but for the correlations of numbers that all components share.

    p(x) = sum_k weight_k prod_j p_j(x_j | k)

p_j is a distribution over the categories of a column, or over the bins of a number
(`table_encoding`). Lazarsfeld & Henry: "Latent structure analysis" (1968), fitted by
expectation maximisation (Dempster, Laird, Rubin 1977). Then the scores of numbers in
their components, Phi^-1(F_k(x)), are correlated by a Gaussian copula. Networks are
conditioned on the component, and the generator starts as the mixture
(`networks.columns`), so that they have to learn only what else depends on what.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from equipoise.coerce import checked
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.transforms.clustering import Clustering
from equipoise.transforms.space import Span, starts_of, table_spans
from equipoise.transforms.table_encoding import BINS, MIN_TAIL, TableEncoding, in_bins

MAX_COMPONENTS = 256
ROWS_PER_COMPONENT = 150
MAX_ITERATIONS = 80
MIN_GAIN = 1e-4  # of the mean log likelihood, below which the iterations end
# Rows like all others that each component has beside its own.
PRIOR_ROWS = 1.0
SHARE_OF_INITIAL = 0.9  # of a row's weight, for the component that it starts in
SMALLEST = 1e-12  # probability


class LatentClasses(Clustering):
    """K components of encoded tables, (N, E).

    Args:
        sizes: Of each raw column the number of codes; 0 for a number.
        count: K.
        labels: How many labels networks learn; 0 for none.
    """

    name = "latent_classes"
    log_probabilities: Tensor
    """(K, M): log p_j(v | k) of the values of all columns, one column after another; of
    a number the values are its bins."""
    levels: Tensor
    """(C, BINS + 1): the distribution function of C columns of numbers at the bins'
    ends."""
    factor: Tensor
    """(C, C), lower triangular: of the correlations of numbers within components."""

    def __init__(self, sizes: tuple[int, ...], count: int, labels: int = 0) -> None:
        self.spans: tuple[Span, ...] = table_spans(sizes)
        super().__init__((sum(span.size for span in self.spans),), count, labels)
        self.sizes = sizes
        self.numbers: list[int] = [column for column, size in enumerate(sizes) if not size]
        self.values: list[int] = [size or BINS for size in sizes]
        """Of each column."""
        self.register_buffer("log_probabilities", torch.zeros(count, sum(self.values)))
        levels = torch.zeros(len(self.numbers), BINS + 1, dtype=torch.float64)
        self.register_buffer("levels", levels)
        factor = torch.zeros(len(self.numbers), len(self.numbers))
        factor.flatten()[:: len(self.numbers) + 1] = 1.0  # torch.eye is slow to trace
        self.register_buffer("factor", factor)

    @classmethod
    def of(cls, encoding: TableEncoding, count: int, labels: int) -> Self:
        """Components of what an encoding gives."""
        made = cls(encoding.sizes, count, labels)
        made.levels = encoding.levels.clone()
        return made

    @property
    def activations(self) -> tuple[Span, ...]:
        return self.spans

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Fit by expectation maximisation to encoded rows (n, E) in parts."""
        x = torch.cat([*parts])
        values = self._values(x)
        width = self.log_probabilities.shape[1]
        shares = torch.bincount(values.flatten(), minlength=width) / len(values)
        posteriors, before = self._initial(values, shares, seed), -math.inf
        for _ in range(MAX_ITERATIONS if self.count > 1 else 1):
            self._maximise(values, posteriors, shares)
            joint = self._log_joint(values)
            found = joint.softmax(1)
            # log p(x) = log p(k, x) - log p(k | x) for any k; the likeliest is not 0.
            likeliest, k = found.max(1, keepdim=True)
            likelihood = float((joint.gather(1, k) - likeliest.log()).mean())
            if likelihood - before < MIN_GAIN:
                break
            posteriors, before = found, likelihood
        self._fit_factor(x, posteriors.argmax(1))
        return self

    @property
    def within(self) -> Tensor:
        """F_k of each number at the bins' ends: (K, C, BINS + 1)."""
        ends, start = torch.zeros(self.count, len(self.numbers), BINS + 1), 0
        for column, size in enumerate(self.values):
            if column in self.numbers:
                block = self.log_probabilities[:, start : start + size]
                sums = block.double().exp().cumsum(1)
                ends[:, self.numbers.index(column), 1:] = (sums / sums[:, -1:]).float()
            start += size
        return ends

    def _fit_factor(self, x: Tensor, component: Tensor) -> None:
        """Fit the correlations of scores within components, shrunk towards none where
        rows are few."""
        n, count = len(x), len(self.numbers)
        if n < 2 or count < 2:
            return
        starts = starts_of(self.spans)
        places = [starts[column] for column in self.numbers]
        level = torch.special.ndtr(x[:, places].double()).T.contiguous()
        at, inside = in_bins(self.levels, level)
        columns, within = torch.arange(count)[:, None], self.within.double()
        low, high = (within[component, columns, at + step] for step in (0, 1))
        h = torch.special.ndtri(
            torch.lerp(low, high, inside.clamp(0, 1)).clamp(MIN_TAIL, 1 - MIN_TAIL)
        )
        kept = n / (n + count)
        correlations = torch.corrcoef(h).nan_to_num() * kept
        correlations.fill_diagonal_(1.0)
        self.factor = torch.linalg.cholesky(correlations).float().contiguous()

    def _initial(self, values: Tensor, shares: Tensor, seed: int) -> Tensor:
        """Posteriors to start from, (N, K): every row goes mostly to the one of K rows
        that it shares most values with, rare values counting more."""
        generator = torch.Generator().manual_seed(seed)
        rows = torch.randperm(len(values), generator=generator)[: self.count]
        worth = shares.clamp(min=1 / len(values)).rsqrt()
        table = torch.zeros(len(shares), self.count)
        for k, row in enumerate(values[rows]):
            table[row, k] = worth[row]
        nearest = embedding_bag(values, table, mode="sum").argmax(1)
        posteriors = torch.full(
            (len(values), self.count), (1 - SHARE_OF_INITIAL) / max(self.count, 1)
        )
        posteriors[torch.arange(len(values)), nearest] += SHARE_OF_INITIAL
        return posteriors

    def _maximise(self, values: Tensor, posteriors: Tensor, shares: Tensor) -> None:
        """The most likely mixture for rows of these values, (N, R), and posteriors."""
        counts = torch.zeros(len(shares), self.count)
        for column in values.T:
            counts.index_add_(0, column, posteriors)
        rows = posteriors.sum(0)
        smoothed = (counts + PRIOR_ROWS * shares[:, None]) / (rows + PRIOR_ROWS)
        self.log_probabilities = smoothed.clamp(min=SMALLEST).log().T.contiguous()
        self.weights: Tensor = (rows / rows.sum())[None]

    def _values(self, x: Tensor) -> Tensor:
        """Of encoded rows, (N, E), the position of every column's value among all
        columns' values: (N, R)."""
        found, start, at, number = [], 0, 0, 0
        levels = self.levels[:, 1:-1].contiguous()
        for span, size in zip(self.spans, self.values, strict=True):
            if span.activation == "one_hot":
                value = x[:, at : at + span.size].argmax(1)
            else:
                level = torch.special.ndtr(x[:, at].double())
                value = torch.searchsorted(levels[number], level, right=True)
                number += 1
            found.append(value + start)
            start, at = start + size, at + span.size
        return torch.stack(found, 1)

    def _log_joint(self, values: Tensor) -> Tensor:
        """log p(k) p(x | k), (N, K), of rows of these values, (N, R)."""
        joint = embedding_bag(values, self.log_probabilities.T.contiguous(), mode="sum")
        return joint + self.weights.sum(0).clamp(min=SMALLEST).log()

    def posteriors(self, x: Tensor) -> Tensor:
        return self._log_joint(self._values(x)).softmax(1)

    def config(self) -> dict[str, Any]:
        return {"components": self.count, "labels": self.weights.shape[0]}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        if schema.table is None:
            raise RequestError("its latent classes are of a table, and its schema of other data")
        counts = (checked(name, stored[name], int) for name in ("components", "labels"))
        return cls(schema.table.sizes, *counts)


def default_components(rows: int) -> int:
    """The number of components of a table of so many rows to train on."""
    return max(min(rows // ROWS_PER_COMPONENT, MAX_COMPONENTS), 1)
