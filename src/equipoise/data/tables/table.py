"""A table of mixed columns as a matrix of finite numbers, and any such matrix as a
table that the user could have fed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables import kinds  # noqa: F401  # registers the kinds of columns
from equipoise.data.tables.base import Column, RawColumn, column_from_dict
from equipoise.data.tables.constraints import (
    Cells,
    Constraint,
    Constraints,
    constraints_from_json,
)
from equipoise.data.tables.notes import quoted, some_of
from equipoise.errors import RequestError, clipped

if TYPE_CHECKING:
    import pandas as pd

MAX_COLUMNS = 10_000
SHOWN_PROBLEMS = 8  # of a message
SHOWN_RULE = 60  # characters of what computes a column
EXAMPLES, LOOKED_AT = 3, 1_000  # cells that are shown, rows that are looked at for them


@dataclass(frozen=True)
class Described:
    """A column in words."""

    name: str
    kind: str
    seen: str
    """What was recognised: "17 to 90"."""
    blanks: float
    """The share of rows that are blank."""
    examples: str
    """Some cells."""


@dataclass(frozen=True)
class Table:
    """The columns of a table."""

    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...] = ()
    """What holds in every row of samples."""

    @cached_property
    def rules(self) -> Constraints:
        """The constraints on these columns."""
        return Constraints(self.columns, self.constraints)

    def raw_of(self, column: Column) -> tuple[RawColumn, ...]:
        """The columns that one becomes in the matrix: none if it is computed."""
        return () if self.is_computed(column) else column.raw

    def is_computed(self, column: Column) -> bool:
        """Whether a constraint computes a column of others, so that it is not
        learned."""
        return column.name in self.rules.assigned

    @cached_property
    def raw_columns(self) -> tuple[RawColumn, ...]:
        """The columns of the matrix: those of each of the user's columns, in order."""
        return tuple(raw for column in self.columns for raw in self.raw_of(column))

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Of each column of the matrix the number of codes; 0 for a number."""
        return tuple(raw.size if raw.kind == "code" else 0 for raw in self.raw_columns)

    @cached_property
    def blocks(self) -> list[tuple[Column, slice]]:
        """Each column with its place in the matrix."""
        ends = np.cumsum([len(self.raw_of(column)) for column in self.columns]).tolist()
        starts = [0, *ends[:-1]]
        return [
            (column, slice(start, end))
            for column, start, end in zip(self.columns, starts, ends, strict=True)
        ]

    def encode(self, frame: pd.DataFrame, seed: int) -> NDArray[np.float64]:
        """The rows of a table as numbers.

        Args:
            frame: This table, or another with the same columns.
            seed: What numbers stand where there is none, at blanks and spikes, is drawn
                by it.

        Returns:
            float64, (N, R), finite.

        Raises:
            RequestError: If columns are missing, or hold what they did not.
        """
        problems = self._lacking(frame)
        matrix = np.empty((len(frame), len(self.raw_columns)))
        for place, (column, block) in enumerate(self.blocks):
            if self._is_read(frame, column):
                rng = np.random.default_rng([seed, place])
                try:
                    matrix[:, block] = column.encode(_column_of(frame, column), rng)
                except RequestError as error:
                    problems.append(str(error))
        if problems:
            raise RequestError(listed_problems(problems))
        return matrix

    def decode(self, matrix: NDArray[Any], seed: int = 0, start: int = 0) -> pd.DataFrame:
        """Numbers as rows of the user's table.

        Every cell is one that its column could have, whatever the numbers.

        Args:
            matrix: Finite numbers, (N, R).
            seed: Of ids, which are made anew.
            start: The number of the first row. A table made in parts is the same as one
                made at once.

        Returns:
            A table with the columns that were fed, but for those that are left out, in
            their order and of their types.

        Raises:
            RequestError: If the matrix has another shape, or is not finite.
        """
        import pandas as pd

        values = np.asarray(matrix, np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.raw_columns):
            raise RequestError(
                f"the matrix has shape {values.shape}: must be (N, {len(self.raw_columns)})"
            )
        if not np.isfinite(values).all():
            raise RequestError("the matrix has NaN or infinite values: must be finite")
        cells = self.cells(values, seed, start)
        series = {column.name: cells.series(column) for column in self.columns if column.kept}
        return pd.DataFrame(series, index=pd.RangeIndex(len(values)))

    def cells(self, matrix: NDArray[np.float64], seed: int = 0, start: int = 0) -> Cells:
        """The columns of `decode`, each made when it is first asked for."""
        blocks = {column.name: block for column, block in self.blocks}

        def series(column: Column) -> pd.Series[Any]:
            rule = self.rules.assigned.get(column.name)
            if rule is not None:
                return rule.series(cells)
            return column.decode(matrix[:, blocks[column.name]], seed, start)

        cells = Cells(len(matrix), series)
        return cells

    def met(self, matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which rows meet all constraints, (N,). Those that are not finite are no
        rows: that they cannot be decoded is told elsewhere."""
        finite = np.asarray(np.isfinite(matrix).all(axis=1, keepdims=True))
        return ~finite[:, 0] | self.rules.met(self.cells(np.where(finite, matrix, 0)))

    def meets(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows of a table as it was fed meet all constraints, (N,): columns that
        are computed have these values too."""
        return self.rules.met(Cells(len(frame), lambda column: _column_of(frame, column)))

    def check(self, frame: pd.DataFrame) -> None:
        """Check that another table has the same columns, with cells that they can have.

        Columns that are left out, and others beside these, do not matter.

        Raises:
            RequestError: If not. The message has all that is wrong, in one line.
        """
        problems = self._lacking(frame)
        for column in self.columns:
            if self._is_read(frame, column):
                series = _column_of(frame, column)
                problems.append(column.unknown(series, column.read(series)))
        if any(problems):
            raise RequestError(listed_problems([problem for problem in problems if problem]))

    def _lacking(self, frame: pd.DataFrame) -> list[str]:
        """A message about the columns that a table does not have, if there are any.

        Raises:
            RequestError: If it has several columns of one name.
        """
        if not frame.columns.is_unique:
            repeated = frame.columns[frame.columns.duplicated()]
            raise RequestError(f"several columns are named {some_of(repeated)}: give each its own")
        names = [
            column.name
            for column in self.columns
            if column.kept and not self.is_computed(column) and not _has(frame, column)
        ]
        if not names:
            return []
        columns = "column is" if len(names) == 1 else "columns are"
        return [f"{len(names)} {columns} missing: {some_of(names)}"]

    def _is_read(self, frame: pd.DataFrame, column: Column) -> bool:
        """Whether a column of another table is encoded."""
        return column.kept and not self.is_computed(column) and _has(frame, column)

    def unseen(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """The rows of a table, (N,), that hold a cell which its column did not: a new
        category, a blank where there was none. The others can be encoded."""
        self._lacking(frame)
        unseen = np.zeros(len(frame), bool)
        for column in self.columns:
            if self._is_read(frame, column):
                unseen |= column.read(_column_of(frame, column)).codes < 0
        return unseen

    def describe(self, frame: pd.DataFrame) -> tuple[Described, ...]:
        """The columns that a table has in words, a row of a printed table each."""
        return tuple(
            Described(
                clipped(str(column.name), 40),
                column.label,
                self._summary(column),
                float(_column_of(frame, column).isna().mean()),
                _examples(_column_of(frame, column)),
            )
            for column in self.columns
            if _has(frame, column)
        )

    def _summary(self, column: Column) -> str:
        """What was recognised of a column, or what computes it."""
        rule = self.rules.assigned.get(column.name)
        return column.summary() if rule is None else f"computed: {clipped(rule.text, SHOWN_RULE)}"

    def to_dict(self) -> dict[str, Any]:
        """The table as JSON."""
        stored: dict[str, Any] = {"columns": [column.to_dict() for column in self.columns]}
        if self.constraints:
            stored["constraints"] = [constraint.to_dict() for constraint in self.constraints]
        return stored

    @classmethod
    def from_dict(cls, stored: Any) -> Table:
        """The table that `to_dict` wrote, through JSON.

        Raises:
            RequestError: If it is not valid.
        """
        listed = stored.get("columns") if isinstance(stored, dict) else None
        if not isinstance(listed, list) or not 0 < len(listed) <= MAX_COLUMNS:
            raise RequestError(f"table = {quoted(stored)}: must have columns")
        if unknown := stored.keys() - {"columns", "constraints"}:
            raise RequestError(f"table has no {quoted(min(map(str, unknown)))}")
        columns = tuple(column_from_dict(column) for column in listed)
        if len({str(column.name) for column in columns}) < len(columns):
            raise RequestError("table has several columns of one name")
        table = cls(columns, constraints_from_json(stored.get("constraints", [])))
        if table.rules.assigned and not table.raw_columns:
            raise RequestError("table has no column that is learned")
        return table


def listed_problems(problems: Sequence[str]) -> str:
    """Problems in one line, the first ones of many."""
    more = len(problems) - SHOWN_PROBLEMS
    count = f"{len(problems)} problems: " if len(problems) > 1 else ""
    shown = "; ".join(problems[:SHOWN_PROBLEMS])
    return f"{count}{shown}{f'; and {more} more' if more > 0 else ''}"


def _has(frame: pd.DataFrame, column: Column) -> bool:
    return column.name in frame.columns or str(column.name) in map(str, frame.columns)


def _column_of(frame: pd.DataFrame, column: Column) -> pd.Series[Any]:
    """A column of a table, by its name, else by its name as text: files have no
    numbers as names."""
    if column.name in frame.columns:
        return frame[column.name]
    place = list(map(str, frame.columns)).index(str(column.name))
    return frame.iloc[:, place]


def _examples(series: pd.Series[Any]) -> str:
    """Some cells of a column, different ones."""
    some = series.head(LOOKED_AT).dropna()
    return some_of({str(cell): cell for cell in some}.values(), EXAMPLES)
