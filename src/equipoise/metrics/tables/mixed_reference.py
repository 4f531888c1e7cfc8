"""The reference of tables of mixed columns."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from equipoise.metrics.reference import MAX_PAIRED, Array, Kind, Reference
from equipoise.metrics.tables.encoding import Encoding
from equipoise.metrics.tables.raw_table import Column, RawTable

CELL_COST = 4e3  # multiplications a cell, 0.4 microseconds
EXCHANGED = 0.05  # of each column's cells; a difference of this size matters


class MixedReference(Reference):
    """Rows of mixed columns.

    Args:
        real: Held-out rows, (M, R), a raw matrix.
        table: What its columns are.
        training: Rows that the generator was trained on, (T, R), for metrics of copies
            and for classifiers; None where there is no fixed set of them.
        training_rows: How many it was trained on in all, where `training` is a part.
    """

    kind: ClassVar[Kind] = "mixed"

    def __init__(
        self,
        real: Array,
        table: RawTable,
        training: Array | None = None,
        training_rows: int | None = None,
    ) -> None:
        super().__init__()
        self.table: RawTable = table
        self.n: int = len(real)
        self.real: Array = self.prepare(real)
        self.training: Array | None = None if training is None else self.prepare(training)
        self.training_rows: int = training_rows or (0 if training is None else len(training))
        self.cost: float = CELL_COST * len(self.columns)
        self.description: str = f"{len(real):,} held-out rows"

    @property
    def columns(self) -> tuple[Column, ...]:
        """The user's columns."""
        return self.table.columns

    @property
    def encoding(self) -> Encoding:
        """The features of rows, fitted on the held-out ones."""
        return self.once("encoding", lambda: Encoding(self.columns, self.real))

    def prepare(self, x: Array) -> Array:
        """The user's columns, (N, C), of a raw matrix, (N, R)."""
        return self.table.values(x)

    @property
    def features(self) -> Array:
        return self.once("features", lambda: self.encoding.features(self.real[:MAX_PAIRED]))

    def features_of(self, rows: Array) -> Array:
        return self.encoding.features(rows)

    @property
    def feature_description(self) -> str:
        return (
            f"{len(self.features):,} held-out rows, numbers in units of spread, categories one-hot"
        )

    def narrow(self, rows: Array) -> Array:
        """The rows with a twentieth of each column's cells exchanged among them: every
        column stays as it is, and a little of what binds them is lost."""
        rng, found = np.random.default_rng(0), rows.copy()
        for column in found.T:
            cells = rng.permutation(len(rows))[: max(int(EXCHANGED * len(rows)), 1)]
            column[cells] = column[rng.permutation(cells)]
        return found
