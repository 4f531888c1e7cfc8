"""What pandas calls the type of a column, and how a column of that type is made.

Names are pandas' own (`int64`, `Int64`, `datetime64[us, UTC]`), but for two kinds whose
names say too little: `string[python, nan]` has storage and missing value, and
`arrow:int64` is a column that pyarrow holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.cells import Cell
from equipoise.errors import RequestError, clipped

ARROW = "arrow:"
ZONE = r"[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+)*|UTC[+-]\d\d:\d\d|[+-]\d\d:\d\d"
PLAIN = (
    r"u?int(8|16|32|64)|float(16|32|64|96|128)|bool|object|category"
    r"|U?Int(8|16|32|64)|Float(32|64)|boolean"
    r"|string\[(python|pyarrow|pyarrow_numpy), (nan|NA)\]"
    rf"|datetime64\[(s|ms|us|ns)(, ({ZONE}))?\]|timedelta64\[(s|ms|us|ns)\]"
    r"|period\[[A-Za-z0-9\-]{1,12}\]"
    r"|Sparse\[(u?int(8|16|32|64)|float(16|32|64)|bool), [^\]]{1,30}\]"
)
ARROW_NAMES = (
    r"null|bool|u?int(8|16|32|64)|halffloat|float|double|string|large_string|date32\[day\]|date64\[ms\]"
    rf"|timestamp\[(s|ms|us|ns)(, tz=({ZONE}))?\]|duration\[(s|ms|us|ns)\]"
    r"|decimal(128|256)\(\d{1,2}, -?\d{1,2}\)"
    r"|dictionary<values=(string|large_string), indices=u?int(8|16|32|64), ordered=[01]>"
)
INTERVAL = re.compile(r"interval\[[a-z0-9\[\]]{1,20}, (left|right|both|neither)\]")
KNOWN = re.compile(f"{PLAIN}|{ARROW}({ARROW_NAMES})")
ObjectCells = Literal[
    "", "int", "float", "decimal", "date", "datetime", "timestamp", "span", "timedelta"
]
Blank = Literal["nan", "None", "NA", "NaT"]


@dataclass(frozen=True)
class UserDtype:
    """The type of a column as it was fed."""

    name: str
    """As pandas calls it, see above."""
    cells: ObjectCells = ""
    """What the cells of a column of objects are, if they are numbers or dates."""
    blank: Blank = "nan"
    """What stands for nothing in a column of objects."""
    categories: tuple[Cell, ...] = ()
    """All categories of a pandas category, in order, seen or not."""
    of: str = ""
    """The name of their type."""
    ordered: bool = False
    """Whether pandas holds them to be in order."""

    def check(self) -> None:
        """Check a name that comes from a file: pandas reads files for some names.

        Raises:
            RequestError: If it is not one that `dtype_of` gives.
        """
        if not KNOWN.fullmatch(self.name):
            raise RequestError(f"{clipped(repr(self.name))} is no type of a column")
        of_categories = KNOWN.fullmatch(self.of) or INTERVAL.fullmatch(self.of)
        if self.name == "category" and not of_categories:
            raise RequestError(f"{clipped(repr(self.of))} is no type of a column's categories")

    @property
    def is_integer(self) -> bool:
        """Whether it is a type of whole numbers."""
        return re.fullmatch(r"(arrow:|Sparse\[)?[uU]?[iI]nt\d+.*", self.name) is not None

    @property
    def is_signed(self) -> bool:
        """Whether whole numbers of the type can be negative."""
        return re.match(r"(arrow:|Sparse\[)?[uU]", self.name) is None

    @property
    def greatest(self) -> int:
        """The greatest whole number of a type of whole numbers."""
        found = re.search(r"([uU]?)[iI]nt(\d+)", self.name)
        assert found is not None
        return int(2 ** (int(found[2]) - (not found[1])) - 1)

    @property
    def is_number(self) -> bool:
        """Whether it is a type of numbers."""
        return re.match(r"(arrow:|Sparse\[)?(U?Int|u?int|[fF]loat|double)", self.name) is not None

    @property
    def holds_blanks(self) -> bool:
        """Whether a cell can be blank: not in NumPy's whole numbers and booleans."""
        return re.fullmatch(r"u?int\d+|bool|Sparse\[(u?int|bool).*", self.name) is None

    def pandas(self) -> Any:
        """The type as pandas has it."""
        import pandas as pd

        if self.name == "category":
            index = pd.Index(list(self.categories), dtype=UserDtype(self.of).pandas())
            return pd.CategoricalDtype(index, ordered=self.ordered)
        if self.name.startswith(ARROW):
            return pd.ArrowDtype(_arrow_type(self.name.removeprefix(ARROW)))
        head, _, inside = self.name.removesuffix("]").partition("[")
        first, _, second = inside.partition(", ")
        if head == "string":
            return _string_dtype(first, second)
        if head == "Sparse":
            fill = second == "True" if second in ("True", "False") else float(second)
            return pd.SparseDtype(first, fill)
        return pd.api.types.pandas_dtype(self.name)

    def array(self, cells: Sequence[Any] | NDArray[Any]) -> Any:
        """An array of pandas of this type that holds these cells, None for blanks."""
        import pandas as pd

        if self.name == "category" and not {*cells} <= {None, *self.categories}:
            raise ValueError("cells that are not among the categories")
        if self.name == "object":
            return pd.Series(self._objects(cells), dtype=object).array
        if self.name.startswith(ARROW):
            import pyarrow as pa

            kind = _arrow_type(self.name.removeprefix(ARROW))
            if pa.types.is_dictionary(kind):
                encoded = pa.array(cells, kind.value_type).dictionary_encode()
                return pd.arrays.ArrowExtensionArray(encoded.cast(kind))
            return pd.arrays.ArrowExtensionArray(pa.array(cells, kind, from_pandas=True))
        return pd.Series(list(cells), dtype=self.pandas()).array

    def numbers(self, values: NDArray[Any], blank: NDArray[np.bool_]) -> Any:
        """An array of pandas of this type, of numbers.

        Args:
            values: Whole numbers or floats that the type can hold, (N,).
            blank: Where nothing stands, (N,).
        """
        import pandas as pd

        if self.name == "object" or "decimal" in self.name:
            return self.array(self._cells(values, blank))
        dtype = self.pandas()
        if isinstance(dtype, pd.ArrowDtype):
            import pyarrow as pa

            # Not as an attribute, which pandas-stubs does not know.
            within = _within(values, np.dtype(getattr(dtype, "numpy_dtype")))  # noqa: B009
            return pd.arrays.ArrowExtensionArray(pa.array(within, mask=blank))
        if isinstance(dtype, pd.SparseDtype):
            dense = _with_nan(_within(values, np.dtype(dtype.subtype)), blank)
            return pd.arrays.SparseArray(dense, dtype=dtype)
        if isinstance(dtype, np.dtype):
            return pd.array(_with_nan(_within(values, dtype), blank), dtype=dtype)
        within = _within(values, np.dtype(dtype.numpy_dtype))
        kind = pd.arrays.FloatingArray if within.dtype.kind == "f" else pd.arrays.IntegerArray
        return kind(within, blank.copy())

    def _cells(self, values: NDArray[Any], blank: NDArray[np.bool_]) -> list[Any]:
        """Numbers as the Python objects of such a column."""
        kinds = {"int": int, "float": float, "": lambda x: int(x) if x.is_integer() else x}
        make: Any = kinds.get(self.cells, lambda x: Decimal(repr(x)))
        if scale := re.search(r"decimal\d+\(\d+, (-?\d+)", self.name):
            places = max(int(scale[1]), 0)
            make = partial(_decimal, places=places)
        return [
            None if is_blank else make(value)
            for value, is_blank in zip(values.tolist(), blank.tolist(), strict=True)
        ]

    def _objects(self, cells: Sequence[Any] | NDArray[Any]) -> NDArray[np.object_]:
        import pandas as pd

        blanks: dict[Blank, Any] = {"nan": np.nan, "None": None, "NA": pd.NA, "NaT": pd.NaT}
        objects = np.empty(len(cells), object)
        objects[:] = [blanks[self.blank] if cell is None else cell for cell in cells]
        return objects


def dtype_of(series: Any, cells: ObjectCells = "") -> UserDtype:
    """The type of a column.

    Args:
        series: The column.
        cells: What the cells of a column of objects are.

    Raises:
        RequestError: If it is a type that no table holds.
    """
    import pandas as pd

    dtype = series.dtype
    name = _name(dtype)
    if not KNOWN.fullmatch(name):
        raise RequestError(f"type {clipped(str(dtype))} is not one of a table")
    if isinstance(dtype, pd.CategoricalDtype):
        known = dtype.categories
        return UserDtype(
            name,
            categories=tuple(known.tolist()),
            of=_name(known.dtype),
            ordered=bool(dtype.ordered),
        )
    if name != "object":
        return UserDtype(name)
    return UserDtype(name, cells=cells, blank=_blank_of(series))


def _name(dtype: Any) -> str:
    import pandas as pd

    if isinstance(dtype, pd.StringDtype):
        missing = "NA" if dtype.na_value is pd.NA else "nan"
        return f"string[{dtype.storage}, {missing}]"
    if isinstance(dtype, pd.ArrowDtype):
        return f"{ARROW}{dtype.pyarrow_dtype}"
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return dtype.name
    return str(dtype)


def _blank_of(series: Any) -> Blank:
    """What stands for nothing in a column of objects: the first that does."""
    import pandas as pd

    blank = series[series.isna()]
    first = blank.iloc[0] if len(blank) else np.nan
    if first is None:
        return "None"
    return "NA" if first is pd.NA else "NaT" if first is pd.NaT else "nan"


def _string_dtype(storage: str, missing: str) -> Any:
    import pandas as pd

    try:
        return pd.StringDtype(storage, na_value=np.nan if missing == "nan" else pd.NA)
    except TypeError:  # pandas 2, whose storage tells
        return pd.StringDtype(storage)


def _arrow_type(name: str) -> Any:
    import pyarrow as pa

    if name.startswith("dictionary"):
        values, indices, ordered = re.findall(r"=(\w+)", name)
        return pa.dictionary(_arrow_type(indices), _arrow_type(values), ordered == "1")
    kind, *inside = re.split(r"[\[\](), ]+", name.removesuffix("]").removesuffix(")"))
    if kind.startswith("decimal"):
        return getattr(pa, kind)(int(inside[0]), int(inside[1]))
    if kind == "timestamp":
        return pa.timestamp(inside[0], inside[1].removeprefix("tz=") if inside[1:] else None)
    return pa.duration(inside[0]) if kind == "duration" else pa.type_for_alias(name)


def _decimal(x: float, places: int) -> Decimal:
    return Decimal(f"{x:.{places}f}")


def _within(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Numbers as floats or whole numbers of this type, within its range."""
    if dtype.kind == "f" and dtype.itemsize < 8:
        limit = float(np.finfo(dtype).max)
        finite = np.isfinite(values)
        return np.where(finite, values.clip(-limit, limit), values).astype(dtype)
    if dtype.kind in "iu" and values.dtype.kind in "iu":
        own, wanted = np.iinfo(values.dtype), np.iinfo(dtype)
        values = values.clip(max(own.min, wanted.min), min(own.max, wanted.max))
    return values.astype(dtype)


def _with_nan(values: NDArray[Any], blank: NDArray[np.bool_]) -> NDArray[Any]:
    if blank.any():
        values = np.where(blank, np.nan, values).astype(values.dtype)
    return values
