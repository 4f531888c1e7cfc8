"""The column of a table that holds the labels: networks are told it, and samples get it
back at its place."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.dtypes import UserDtype, dtype_of
from equipoise.data.tables.notes import Name, quoted
from equipoise.data.tables.stored import from_json, to_json
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LabelColumn:
    """Which column it is, and of which type."""

    name: Name
    place: int
    """Columns of the table before it."""
    dtype: UserDtype

    @classmethod
    def of(cls, frame: pd.DataFrame, name: Any) -> Self:
        """The column of this name. Cells of a type that no table holds come back as
        objects."""
        try:
            dtype = dtype_of(frame[name])
        except RequestError:
            dtype = UserDtype("object")
        whole = isinstance(name, int) and not isinstance(name, bool)
        return cls(name if whole else str(name), list(frame.columns).index(name), dtype)

    def insert(
        self, frame: pd.DataFrame, classes: Sequence[Hashable], positions: NDArray[np.int64]
    ) -> None:
        """Put labels into a table that lacks them.

        Args:
            frame: The other columns, (N, D). Columns that samples do not have are not
                counted, so that the place is at most D.
            classes: The distinct labels.
            positions: Of each row's label among them, (N,).
        """
        import pandas as pd

        cells = self.dtype.array(list(classes)).take(positions)
        column = pd.Series(cells, index=frame.index, dtype=self.dtype.pandas())
        frame.insert(min(self.place, len(frame.columns)), self.name, column)

    def restored(self, labels: Sequence[Hashable]) -> tuple[Hashable, ...]:
        """Labels that were read from a file as the column's cells. A file holds some,
        such as the intervals of `pd.cut`, as text only: the column's categories are
        what they were."""
        by_text = {str(cell): cell for cell in self.dtype.categories}
        known = set(self.dtype.categories)
        return tuple(
            by_text.get(label, label) if isinstance(label, str) and label not in known else label
            for label in labels
        )

    def to_dict(self) -> dict[str, Any]:
        """The column as JSON."""
        stored: dict[str, Any] = to_json(self)
        return stored

    @classmethod
    def from_dict(cls, stored: Any, classes: Sequence[Hashable]) -> Self:
        """The column that `to_dict` wrote, through JSON.

        Raises:
            RequestError: If it is not valid, or cannot hold these labels.
        """
        column = from_json(cls, stored)
        column.dtype.check()
        try:
            column.dtype.array(column.restored(classes))
        except Exception:  # pandas raises errors of many types
            raise RequestError(
                f"the label column {quoted(column.name)} cannot hold its labels"
            ) from None
        if column.place < 0:
            raise RequestError(f"place = {column.place}: must be at least 0")
        return column
