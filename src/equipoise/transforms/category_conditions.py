"""The condition that each row of a table is learned under: one category of one of its
columns.

Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: "Modeling Tabular data using
Conditional GAN", NeurIPS 2019, section 4.3. The conditional vector has an entry for
every category of every column, and one of them is 1. Here it is the one-hot vector of a
class, which networks have for any class.

Training draws the condition first, and then a row that meets it
(`data.training_by_sampling`). When sampling, a column is drawn uniformly and its
category at its frequency among the training rows, so that rows are as in the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import torch
from torch import Tensor

from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.transforms.clustering import Clustering
from equipoise.transforms.space import Span, mode_spans, places_of


class CategoryConditions(Clustering):
    """A class for every category of every column of encoded tables, (N, E).

    Its weights, (1, S), are how often each is asked for in sampling.

    Args:
        sizes: Of each raw column the number of codes; 0 for a number.
    """

    name = "category_conditions"

    def __init__(self, sizes: Sequence[int]) -> None:
        self.spans: tuple[Span, ...] = mode_spans(sizes)
        super().__init__((sum(span.size for span in self.spans),), sum(sizes))
        self.sizes: tuple[int, ...] = tuple(sizes)
        self.columns: int = sum(size > 0 for size in sizes)
        """Columns of categories."""
        self.places: list[int] = places_of(self.spans, "one_hot")

    @property
    def activations(self) -> tuple[Span, ...]:
        return self.spans

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Count the categories in encoded rows (n, E) in parts."""
        self.weights: Tensor = torch.cat([self.posteriors(part) for part in parts]).mean(0)[None]
        return self

    def posteriors(self, x: Tensor) -> Tensor:
        """How probably rows, (N, E), are asked for by each category: (N, S)."""
        return x[:, self.places] / self.columns

    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Rows with the conditions y that they were drawn by, or with one that they
        meet."""
        return (x, y) if y is not None else super().encode(x, y, generator)

    def config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        if schema.table is None or not any(schema.table.sizes):
            raise RequestError("its conditions are of categories, and its schema has none")
        return cls(schema.table.sizes)
