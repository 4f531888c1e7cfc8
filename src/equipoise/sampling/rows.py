"""Generated rows with their labels, in parts that can be cut and joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from equipoise.data.schema import Part


@dataclass(frozen=True)
class Rows:
    """Some samples."""

    values: NDArray[np.float64]
    """(n, *shape), in the user's units."""
    labels: NDArray[np.int64] | None = None
    """The positions of their labels, (n,), where samples have a column of them."""

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | NDArray[np.bool_]) -> Rows:
        return Rows(self.values[rows], None if self.labels is None else self.labels[rows])

    @property
    def as_part(self) -> Part:
        return self.values, self.labels

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Rows:
        labels = [part.labels for part in parts if part.labels is not None]
        return Rows(
            np.concatenate([part.values for part in parts]),
            np.concatenate(labels) if labels else None,
        )
