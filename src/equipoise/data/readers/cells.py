"""The cells of a table of text after pandas has read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from equipoise.data.readers.header import UNNAMED
from equipoise.data.readers.numbers import NumberFormat, parse_numbers

if TYPE_CHECKING:
    import pandas as pd

MAX_EXACT = 2**53  # up to here float64 holds every whole number
# What `pandas.read_csv` reads as blank by default.
BLANKS = [
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
]


def tidy(
    frame: pd.DataFrame,
    *,
    texts: Collection[str],
    padded: Collection[str],
    lean: str,
    otherwise: str,
) -> tuple[pd.DataFrame, dict[str, NumberFormat]]:
    """The table without blanks around its texts, with its numbers as numbers, and its
    truth values as pandas has them beside blanks.

    Args:
        frame: The table.
        texts: Columns that stay texts.
        padded: Columns that may have blanks around texts. To look for them takes as
            long as pandas takes to read a column.
        lean: The table's decimal mark; see `numbers.find_format`.
        otherwise: See there.

    Returns:
        The table, and the formats of the columns that were no numbers to pandas.
    """
    changed: dict[str, pd.Series[Any]] = {}
    formats: dict[str, NumberFormat] = {}
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if dtype.kind in "biuf":
            continue
        column = frame[name]
        if is_text(column):
            if name in padded:
                column = changed[name] = stripped(column)
            parsed = None if name in texts else parse_numbers(column, lean, otherwise)
            if parsed is not None:
                changed[name], formats[name] = parsed
        elif column.dtype == object:
            changed[name] = plain_objects(column)
    return replaced(frame, changed), formats


def replaced(frame: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """The table with other cells in these columns, whatever their names: `assign` takes
    none that is called "self"."""
    made = frame.copy(deep=False)
    for name, cells in columns.items():
        made[name] = cells
    return made


def with_whole_numbers(frame: pd.DataFrame, real: Collection[str]) -> pd.DataFrame:
    """The table with whole numbers as such, where blanks among them made them floats.

    Args:
        frame: The table.
        real: Columns that stay floats, for their numbers are written as real ones.
    """
    whole: dict[str, pd.Series[Any]] = {}
    for name in frame.select_dtypes("float64").columns:
        column = frame[name]
        present = column.dropna()
        if name in real or present.empty:
            continue
        if ((present % 1 == 0) & (present.abs() <= MAX_EXACT)).all():
            whole[name] = column.astype("int64" if len(present) == len(column) else "Int64")
    return replaced(frame, whole)


def is_text(column: pd.Series[Any]) -> bool:
    """Whether a column holds texts, and perhaps blanks, and nothing else."""
    import pandas as pd

    if isinstance(column.dtype, pd.StringDtype):
        return True
    return column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) == "string"


def stripped(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of texts without blanks around them."""
    plain = column.str.strip()
    if plain.equals(column):
        return column
    return plain.mask(plain.isin(BLANKS))


def plain_objects(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of Python's objects as pandas' nullable truth values, or as texts where
    they are of several kinds, times of day, or whole numbers too large for any
    type."""
    import pandas as pd

    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "boolean":
        return column.astype("boolean")
    if kind in ("time", "integer", "mixed-integer", "mixed-integer-float", "mixed"):
        return column.map(str, na_action="ignore").infer_objects()
    return column


def without_row_numbers(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table without a first column of row numbers, as pandas writes it: without a
    name, and with another whole number in every row.

    Returns:
        The table, and notes on it.
    """
    first = frame.iloc[:, 0]
    is_unnamed = len(frame.columns) > 1 and frame.columns[0] == UNNAMED.format(0)
    if not (is_unnamed and first.dtype == "int64" and first.is_unique):
        return frame, []
    note = "the first column has no name and numbers the rows: it is left out"
    return frame.iloc[:, 1:], [note]


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tables of the same columns as one, their categories those of all."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    first, *others = frames
    if not others:
        return first
    columns: dict[Any, Any] = {}
    for name in first.columns:
        pieces = [frame[name] for frame in frames]
        kinds = {piece.dtype.name for piece in pieces}
        if kinds == {"category"} and len({piece.dtype for piece in pieces}) > 1:
            unordered = [piece.cat.as_unordered() for piece in pieces]
            columns[name] = pd.Series(union_categoricals(unordered))
        else:
            columns[name] = pd.concat(_of_one_type(pieces), ignore_index=True)
    return pd.DataFrame(columns)


def _of_one_type(pieces: Sequence[pd.Series[Any]]) -> Sequence[pd.Series[Any]]:
    """Pieces of a column of numbers, whole where all numbers are: pandas has floats for
    a piece of blanks alone. Other pieces are as they were."""
    kinds = {piece.dtype.name for piece in pieces}
    if len(kinds) == 1 or not kinds <= {"int64", "Int64", "float64"}:
        return pieces
    filled = {piece.dtype.name for piece in pieces if piece.notna().any()}
    if "float64" in filled:
        return [piece.astype("float64") for piece in pieces]
    return [piece.astype("Int64") for piece in pieces]
