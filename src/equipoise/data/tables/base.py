"""What every kind of column is: cells to numbers, and any numbers back to cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.dtypes import UserDtype
from equipoise.data.tables.notes import Name, quoted, rows_text
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.stored import from_json, to_json
from equipoise.errors import RequestError, clipped, nearest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RawColumn:
    """A column of the matrix of numbers that networks learn, through transforms."""

    name: str
    """The user's column, as text."""
    kind: Literal["number", "code"]
    """A finite float in the column's units, or a whole number from 0 to size - 1."""
    size: int = 1
    """The number of codes; 1 for a number."""
    step: float | None = None
    """What the distances of numbers are whole multiples of; None for real ones."""
    levels: tuple[float, ...] = ()
    """All numbers there are, in order; empty where there are too many to list."""


class Reading(NamedTuple):
    """The cells of a column as codes and numbers."""

    codes: NDArray[np.int64]
    """(N,): which state each cell is in; -1 for a cell that the column cannot have."""
    numbers: NDArray[np.float64] | None = None
    """(N,): in rows of state 0 the number; of columns with numbers alone."""


class Rows(NamedTuple):
    """Which rows are made: what makes new ids depends on nothing else."""

    seed: int
    start: int
    """The number of the first."""


@dataclass(frozen=True)
class Options:
    """What the user can say of a column of some kind: the fields of a subclass, each
    None for what the data shows."""


@dataclass(frozen=True)
class Column(ABC):
    """A column of the user's table, as it was recognised.

    A cell is in one of `states` states, and in state 0 of a column with `has_number` it
    is a number. So a column becomes at most two raw ones: the number, and the state
    where there are several.

    To add a kind, put a subclass with `@register` into a new file of `kinds/`.
    """

    kind: ClassVar[str]
    """Its name in files and options."""
    position: ClassVar[int]
    """Kinds are asked in this order whether a column is theirs."""
    options: ClassVar[type[Options]]
    """What the user can say of such a column."""
    has_number: ClassVar[bool] = False

    name: Name
    dtype: UserDtype

    @classmethod
    @abstractmethod
    def claims(cls, profile: Profile) -> bool:
        """Whether a column is of this kind, if the user does not say."""

    @classmethod
    @abstractmethod
    def learn(cls, profile: Profile, options: Any) -> Column:
        """The column, with all that must be known to make such cells.

        Raises:
            RequestError: If it cannot be of this kind. The message does not name it.
        """

    @property
    @abstractmethod
    def states(self) -> int:
        """In how many states a cell can be."""

    @abstractmethod
    def read(self, series: pd.Series[Any]) -> Reading:
        """The cells of a column, these or those of another table."""

    @abstractmethod
    def restore(
        self, numbers: NDArray[np.float64] | None, codes: NDArray[np.int64], rows: Rows
    ) -> Any:
        """Cells, as an array of pandas of the column's type.

        Args:
            numbers: Any finite floats, (N,), of a column with numbers.
            codes: The states, (N,).
            rows: Which rows they are.
        """

    @abstractmethod
    def summary(self) -> str:
        """What was recognised, in a few words: "17 to 90", "9 values"."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The options that lead to this very column, but for those that it would be
        recognised with anyway."""

    def is_valid(self) -> bool:
        """Whether what comes from a file can be the fields of such a column."""
        return self.states >= 1

    @property
    def blank_code(self) -> int | None:
        """The state of a blank cell; None where cells are never blank."""
        return self.states - 1 if getattr(self, "blank", False) else None

    @property
    def label(self) -> str:
        """What people call the kind."""
        return self.kind

    @property
    def kept(self) -> bool:
        """Whether samples have this column."""
        return True

    @property
    def raw(self) -> tuple[RawColumn, ...]:
        """The columns that it becomes in the matrix."""
        number = (self.raw_number,) if self.has_number else ()
        code = (RawColumn(str(self.name), "code", self.states),) if self.states > 1 else ()
        return (*number, *code)

    @property
    def raw_number(self) -> RawColumn:
        """The raw column of the number, of a column with numbers."""
        return RawColumn(str(self.name), "number")

    def encode(self, series: pd.Series[Any], rng: np.random.Generator) -> NDArray[np.float64]:
        """The raw columns of these cells, float64, (N, r).

        A cell that is no number in a column of numbers has one of the others' there,
        drawn at random, so that the column's distribution stays as it is.

        Raises:
            RequestError: For cells that the column cannot have.
        """
        reading = self.read(series)
        if text := self.unknown(series, reading):
            raise RequestError(text)
        columns: list[NDArray[Any]] = []
        if reading.numbers is not None:
            columns.append(_filled(reading, self.typical, rng))
        if self.states > 1:
            columns.append(reading.codes)
        if not columns:
            return np.empty((len(series), 0))
        return np.column_stack(columns).astype(np.float64, copy=False)

    @property
    def typical(self) -> float:
        """A number for tables in which no cell of the column is one."""
        return 0.0

    def decode(self, values: NDArray[np.float64], seed: int = 0, start: int = 0) -> pd.Series[Any]:
        """Cells that are valid, whatever the values.

        Args:
            values: Finite floats, (N, r).
            seed: Of ids, which are made anew.
            start: The number of the first row, so that parts of a table have ids of
                their own.

        Returns:
            A column of the type that was fed.
        """
        import pandas as pd

        codes = np.zeros(len(values), np.int64)
        if self.states > 1:
            codes = np.rint(values[:, -1].clip(0, self.states - 1)).astype(np.int64)
        numbers = values[:, 0] if self.has_number else None
        cells = self.restore(numbers, codes, Rows(seed, start))
        column: pd.Series[Any] = pd.Series(cells, name=self.name, dtype=self.dtype.pandas())
        return column

    def unknown(self, series: pd.Series[Any], reading: Reading) -> str:
        """A message about the cells that the column cannot have; empty without any."""
        wrong = reading.codes < 0
        if not wrong.any():
            return ""
        row = int(wrong.argmax())
        return (
            f"column {quoted(self.name)} holds {quoted(series.iloc[row])} in row {row}, and "
            f"{rows_text(int(wrong.sum()))} in all of what it did not hold in training "
            f"({self.label}, {self.summary()})"
        )

    def to_dict(self) -> dict[str, Any]:
        """The column as JSON."""
        stored: dict[str, Any] = to_json(self)
        return {"kind": self.kind, **stored}


KINDS: dict[str, type[Column]] = {}
C = TypeVar("C", bound=type[Column])


def register(kind: C) -> C:
    """Class decorator: makes a kind of column known."""
    KINDS[kind.kind] = kind
    return kind


def column_from_dict(stored: Any) -> Column:
    """The column that `to_dict` wrote, through JSON.

    A stranger may have made the file: nothing in it is trusted.

    Raises:
        RequestError: If it is not valid.
    """
    kind = stored.get("kind") if isinstance(stored, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise RequestError(
            f"{clipped(repr(kind))} is no kind of column: {nearest(str(kind), KINDS)}"
        )
    fields = {name: value for name, value in stored.items() if name != "kind"}
    column = from_json(KINDS[kind], fields)
    column.dtype.check()
    try:
        valid = column.is_valid() and _can_be_made(column)
    except Exception as error:  # pandas and NumPy raise errors of many types
        raise RequestError(
            f"column {quoted(column.name)} is not valid: {clipped(str(error))}"
        ) from None
    if not valid:
        raise RequestError(f"column {quoted(column.name)} is not valid")
    return column


def _can_be_made(column: Column) -> bool:
    """Whether cells of every state, and the least and greatest numbers, can be made."""
    codes = np.arange(max(column.states, 3), dtype=np.float64)
    numbers = np.zeros(len(codes))
    numbers[:3] = -1e300, 1e300, 0.0
    values = np.column_stack([numbers] * column.has_number + [codes])
    return len(column.decode(values)) == len(codes)


def _filled(reading: Reading, typical: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """The numbers of a column, in the rows without one those of others, at random."""
    assert reading.numbers is not None
    without = reading.codes != 0
    observed = reading.numbers[~without]
    if not without.any():
        return reading.numbers
    filled = reading.numbers.copy()
    filled[without] = rng.choice(observed, int(without.sum())) if len(observed) else typical
    return filled
