"""What stands in a column: the kind of its cells, the distinct ones, its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.cells import is_storable

if TYPE_CHECKING:
    import pandas as pd

CellKind = Literal["number", "bool", "text", "category", "date", "span", "mixed", "other", "empty"]
MAX_INT = 2**63
# What `pandas.api.types.infer_dtype` calls the cells of a column of objects.
INFERRED: dict[str, CellKind] = {
    "string": "text",
    "boolean": "bool",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "date": "date",
    "datetime": "date",
    "timedelta": "span",
    "empty": "empty",
}


@dataclass(frozen=True)
class Distinct:
    """The distinct cells of a column, and where they stand."""

    cells: NDArray[Any]
    """(M,), in the order in which they first appear."""
    index: NDArray[np.int64]
    """The place of each row's cell among them, (N,); -1 for a blank."""

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each, (M,)."""
        return np.bincount(self.index[self.index >= 0], minlength=len(self.cells))

    def spread(self, values: NDArray[Any], blank: Any) -> NDArray[Any]:
        """Values of the distinct cells, (M,), at each row, (N,); `blank` at blanks."""
        return np.append(values, np.asarray([blank], values.dtype))[self.index]


def plain(series: pd.Series[Any]) -> pd.Series[Any]:
    """A column in a type that NumPy or pandas computes with: sparse ones dense,
    pyarrow's dates as pandas has them, its dictionaries as text."""
    import pandas as pd

    dtype = series.dtype
    column: Any = series
    if isinstance(dtype, pd.SparseDtype):
        column = column.sparse.to_dense()
    if isinstance(dtype, pd.ArrowDtype):
        column = _of_arrow(column, dtype.pyarrow_dtype)
    plain_column: pd.Series[Any] = column
    return plain_column


def _of_arrow(column: Any, dtype: Any) -> Any:
    """A column that pyarrow holds, in a type of pandas if it is of dates or codes."""
    name = str(dtype)
    if name.startswith("date"):
        return column.astype("datetime64[s]" if name == "date32[day]" else "datetime64[ms]")
    if name.startswith("timestamp"):
        zone = "" if dtype.tz is None else f", {dtype.tz}"
        return column.astype(f"datetime64[{dtype.unit}{zone}]")
    if name.startswith("duration"):
        return column.astype(f"timedelta64[{dtype.unit}]")
    if name.startswith("dictionary"):
        return column.astype(object).where(column.notna(), None)
    return column


def cell_kind(series: pd.Series[Any]) -> CellKind:
    """The kind of a column's cells, by its type; by its cells where it is of
    objects."""
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.StringDtype):
        return "text"
    if isinstance(dtype, pd.PeriodDtype):
        return "date"
    if isinstance(dtype, pd.ArrowDtype):
        name = str(dtype.pyarrow_dtype)
        if name in ("string", "large_string"):
            return "text"
        if name.startswith("decimal"):
            return "number"
        return "empty" if name == "null" else _of_numpy_kind(dtype.kind)
    return _of_objects(series) if dtype == np.dtype(object) else _of_numpy_kind(dtype.kind)


def _of_numpy_kind(kind: str) -> CellKind:
    kinds: dict[str, CellKind] = {
        "b": "bool",
        "i": "number",
        "u": "number",
        "f": "number",
        "M": "date",
        "m": "span",
    }
    return kinds.get(kind, "other")


def _of_objects(series: pd.Series[Any]) -> CellKind:
    import pandas as pd

    found = INFERRED.get(pd.api.types.infer_dtype(series, skipna=True))
    if found == "date":
        zones = {getattr(cell, "tzinfo", None) for cell in series[series.notna()]}
        return "date" if zones == {None} else "other"
    if found is not None:
        return found
    present = series[series.notna()]
    kinds = {type(cell): cell for cell in present}
    storable = all(is_storable(cell) for cell in kinds.values())
    return "mixed" if storable and tuple not in kinds else "other"


def distinct(series: pd.Series[Any]) -> Distinct:
    """The distinct cells of a column of hashable cells."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        places = series.cat.codes.to_numpy(np.int64)
        seen, present = np.unique(places[places >= 0], return_inverse=True)
        index = np.full(len(series), -1, np.int64)
        index[places >= 0] = present
        return Distinct(series.cat.categories.to_numpy(object)[seen], index)
    if series.dtype == np.dtype(object) and cell_kind(series) == "mixed":
        return _distinct_of_mixed(series)
    codes, uniques = pd.factorize(series)
    index = codes.astype(np.int64, copy=False)
    if cell_kind(series) in ("date", "span"):  # of which NumPy makes whole numbers
        cells = np.empty(len(uniques), object)
        cells[:] = list(uniques)
        return Distinct(cells, index)
    return Distinct(uniques.to_numpy(), index)


def _distinct_of_mixed(series: pd.Series[Any]) -> Distinct:
    """As `distinct`, for cells of several types: 1, True and 1.0 are equal, and not the
    same."""
    blank = series.isna().to_numpy()
    present = series.to_numpy(object)[~blank]
    places: dict[Any, int] = {}
    found = [places.setdefault((type(cell), cell), len(places)) for cell in present]
    index = np.full(len(series), -1, np.int64)
    index[~blank] = found
    cells = np.empty(len(places), object)
    cells[:] = [cell for _, cell in places]
    return Distinct(cells, index)


def numbers_of(series: pd.Series[Any], blank: NDArray[np.bool_]) -> NDArray[Any]:
    """The numbers of a column of kind "number", (N,): int64 or uint64 where they are
    whole and fit, else float64. Blanks are 0 or NaN.

    Args:
        series: The column.
        blank: Where it is blank, (N,).
    """
    dtype: Any = series.dtype
    if dtype == np.dtype(object):
        return _of_object_numbers(series.to_numpy(object), blank)
    kind = getattr(dtype, "numpy_dtype", dtype)
    kind = np.dtype(kind) if np.dtype(kind).kind in "iuf" else np.dtype(np.float64)
    if kind.kind in "iu":
        wide = np.uint64 if kind.kind == "u" else np.int64
        if not blank.any():
            return series.to_numpy(dtype=wide)
        return series.to_numpy(dtype=wide, na_value=0)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def _of_object_numbers(cells: NDArray[Any], blank: NDArray[np.bool_]) -> NDArray[Any]:
    present = cells[~blank]
    if all(isinstance(cell, int | np.integer) and -MAX_INT <= cell < MAX_INT for cell in present):
        return np.where(blank, 0, cells).astype(np.int64)
    return np.array(
        [np.nan if no else _as_float(cell) for cell, no in zip(cells, blank, strict=True)]
    )


def _as_float(cell: Any) -> float:
    try:
        return float(cell)
    except OverflowError:  # a whole number of hundreds of digits
        return np.inf if cell > 0 else -np.inf
