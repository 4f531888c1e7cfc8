"""DataFrames and files as checked rows of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data import readers
from equipoise.data.arrays import (
    Labels,
    Rows,
    check_exact,
    check_finite,
    check_values,
    from_array,
    with_labels,
)
from equipoise.data.image_options import ImageOptions
from equipoise.data.levels import levels_of
from equipoise.data.schema import (
    Schema,
)
from equipoise.data.series.description import described_channels
from equipoise.data.series.frames import NO_ROLES, Roles, labels_of, windows_of
from equipoise.data.tables.label_column import LabelColumn
from equipoise.data.tables.notes import some_of
from equipoise.data.tables.overrides import Overrides
from equipoise.data.tables.recognition import constrained, recognise
from equipoise.data.tables.spread_fit import bounds_of
from equipoise.data.tables.table import Described, Table
from equipoise.errors import RequestError, clipped, nearest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TableOptions:
    """How a table is read."""

    label_column: str | None = None
    """The name of the column that holds labels."""
    table: Table | None = None
    """What the columns are, where that is known."""
    overrides: Overrides | None = None
    """What the user says of columns. The column of labels is none of them."""
    constraints: tuple[str, ...] = ()
    """What holds in every row, see `data.tables.constraints`."""
    roles: Roles = NO_ROLES
    """Which columns make windows of series of it."""

    @property
    def is_mixed(self) -> bool:
        """Whether a table of plain numbers is read as one of any columns too."""
        return self.table is not None or bool(self.overrides) or bool(self.constraints)


def from_frame(
    frame: pd.DataFrame, labels: Labels | None, what: str, options: TableOptions | None = None
) -> Rows:
    """Rows of a DataFrame: of plain numbers, a column each, or of a table with any
    other columns, as `data.tables` reads it."""
    options = options or TableOptions()
    label_column, of_labels = options.label_column, None
    if not frame.columns.is_unique:
        raise RequestError(
            f"{what} has several columns named "
            f"{frame.columns[frame.columns.duplicated()][0]!r}: give each its own name"
        )
    if label_column is not None and labels is not None:
        raise RequestError(
            f"labels were given, and label_column = {label_column!r}: give one of them"
        )
    if label_column is not None:
        named = {str(name): name for name in frame.columns}
        if label_column not in named:
            raise RequestError(
                f"label_column = {label_column!r} is not in {what}: {nearest(label_column, named)}"
            )
        of_labels = LabelColumn.of(frame, named[label_column])
        labels = _listed(frame[named[label_column]])
        frame = frame.drop(columns=named[label_column])
    if frame.empty:
        raise RequestError(
            f"{what} is empty ({len(frame)} rows, {len(frame.columns)} columns): give at "
            "least one batch of samples"
        )
    if options.roles.series is not None or options.roles.time is not None:
        return _from_series(frame, labels, what, options, of_labels)
    rows = _from_columns(frame, labels, what, options)
    if of_labels is None:
        return rows
    columns = list(rows.columns)
    if columns:
        columns.insert(of_labels.place, _described_labels(of_labels, rows.schema))
    if (table := rows.schema.table) is not None:  # samples lack the columns that are left out
        kept = sum(column.kept for column in table.columns[: of_labels.place])
        of_labels = replace(of_labels, place=kept)
    schema = replace(rows.schema, label_column=of_labels)
    return replace(rows, schema=schema, columns=tuple(columns))


def _from_series(
    frame: pd.DataFrame,
    labels: Labels | None,
    what: str,
    options: TableOptions,
    of_labels: LabelColumn | None,
) -> Rows:
    """Rows of a table of windows of series. A column of labels has one for each
    window."""
    if options.overrides:
        raise RequestError("columns and series were given: give one of them")
    found = windows_of(frame, options.roles)
    if of_labels is not None and labels is not None:
        labels = labels_of(labels, found.of_row)
    check_values(found.rows[:, found.series.first :], what)
    schema = Schema((found.series.size,), "NTC", "float64", "frame", series=found.series)
    rows = with_labels(found.rows, schema, labels, what)
    return replace(
        rows,
        schema=replace(rows.schema, label_column=of_labels),
        notes=found.notes,
        columns=described_channels(found.series, found.rows),
    )


def _described_labels(column: LabelColumn, schema: Schema) -> Described:
    """The column of labels in words."""
    classes = schema.classes or ()
    seen = f"{len(classes):,} values: {some_of(classes)}"
    return Described(clipped(str(column.name), 40), "label", seen, 0.0, "")


def _from_columns(
    frame: pd.DataFrame, labels: Labels | None, what: str, options: TableOptions
) -> Rows:
    """Rows of a table without its column of labels."""
    values = None if options.is_mixed else _plain_numbers(frame)
    if values is None:
        return _from_mixed(frame, labels, what, options)
    columns = column_names(frame)
    if len(set(columns)) < len(columns):
        raise RequestError(
            f"{what} has columns whose names are the same as text: give each its own name"
        )
    dtypes = tuple(_numpy_dtype(frame[name]) for name in frame.columns)
    for name, dtype in zip(frame.columns, dtypes, strict=True):
        if np.dtype(dtype).itemsize > 8:
            raise RequestError(
                f"{what}, column {clipped(repr(name))}, has type {frame[name].dtype}: give "
                "float64 or smaller"
            )
    check_values(values, what, columns=columns)
    levels = levels_of(values)
    bounds = tuple(_bounds(of, dtype) for of, dtype in zip(values.T, dtypes, strict=True))
    schema = Schema(
        (len(columns),), "ND", "float64", "frame", columns, dtypes, levels=levels, bounds=bounds
    )
    return with_labels(values, schema, labels, what)


def _bounds(values: NDArray[np.float64], dtype: str) -> tuple[float | None, float | None]:
    """The least and the greatest number that samples of a column may have."""
    distinct, counts = np.unique(values, return_counts=True)
    return bounds_of(distinct, counts, None if np.dtype(dtype).kind == "f" else 1.0)


def _plain_numbers(frame: pd.DataFrame) -> NDArray[np.float64] | None:
    """The table's numbers, (N, D), if it has such alone. None for others, which are
    learned as a table of mixed columns is: that holds blanks, infinities and ids."""
    try:
        return check_plain(frame, "the table")
    except RequestError:
        return None


def check_plain(frame: pd.DataFrame, what: str) -> NDArray[np.float64]:
    """Check that a table has finite numbers and nothing else, which floats hold.

    Returns:
        Its numbers, (N, D).

    Raises:
        RequestError: For a column of anything else, a blank, an infinity or a whole
            number that floats round.
    """
    values = numbers_of(frame, what)
    check_finite(values, what, columns=column_names(frame))
    for name in frame.columns:
        dtype = _numpy_dtype(frame[name])
        if np.dtype(dtype).kind in "iu":
            check_exact(frame[name].to_numpy(dtype=dtype), f"{what}, column {name!r},")
    return values


def _from_mixed(
    frame: pd.DataFrame, labels: Labels | None, what: str, options: TableOptions
) -> Rows:
    """Rows of a table with other columns than plain numbers."""
    table, notes = options.table, tuple[str, ...]()
    if table is None:
        of_labels = str(options.label_column)
        said = {name: of for name, of in (options.overrides or {}).items() if name != of_labels}
        table, notes = recognise(frame, said)
        table = constrained(table, frame, options.constraints, options.label_column)
    elif (unseen := table.unseen(frame)).any() and not unseen.all():
        notes = (
            f"{int(unseen.sum()):,} of {len(frame):,} rows hold categories or blanks that were not "
            "in the training data: they are left out",
        )
        frame = frame[~unseen]
        seen = np.flatnonzero(~unseen).tolist()
        labels = None if labels is None else [labels[row] for row in seen]
    names = tuple(
        raw.name if raw.kind == "number" or not column.has_number else f"{raw.name} (state)"
        for column in table.columns
        for raw in table.raw_of(column)
    )
    values = table.encode(frame, seed=0)
    schema = Schema(
        (len(names),), "ND", "float64", "frame", names, ("float64",) * len(names), table=table
    )
    rows = with_labels(values, schema, labels, what)
    return replace(rows, notes=notes, columns=table.describe(frame))


def column_names(frame: pd.DataFrame) -> tuple[str | int, ...]:
    """The names of a table's columns as the schema has them: whole numbers as they are,
    anything else as text."""
    return tuple(
        name if isinstance(name, int) and not isinstance(name, bool) else str(name)
        for name in frame.columns
    )


def numbers_of(frame: pd.DataFrame, what: str) -> NDArray[np.float64]:
    """The table's numbers, (N, D), with NaN for missing values.

    Raises:
        RequestError: For a column that holds anything else.
    """
    for name in frame.columns:
        if frame[name].dtype.kind not in "biuf":
            raise RequestError(_text_in_column(frame[name], what))
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)


def from_table(
    content: readers.FileContent, labels: Labels | None, what: str, columns: TableOptions | None
) -> Rows:
    """Rows of the table that files hold, with the note on how it was read first."""
    assert not isinstance(content.values, np.ndarray), "a table"
    rows = from_frame(content.values, labels, what, columns)
    return replace(rows, notes=((content.note,) if content.note else ()) + rows.notes)


def _numpy_dtype(column: pd.Series[Any]) -> str:
    """The NumPy type that holds a column; pandas' nullable types have one
    underneath."""
    # Sparse columns have a subtype, nullable ones a numpy_dtype.
    dtype = getattr(column.dtype, "subtype", getattr(column.dtype, "numpy_dtype", column.dtype))
    return np.dtype(str(dtype)).name


def _listed(column: pd.Series[Any]) -> list[Any]:
    """A column's values, texts of a table once in memory however often they come."""
    if column.dtype.name != "category":
        return column.tolist()
    texts = [*column.cat.categories.tolist(), math.nan]  # whose place, -1, is what is missing
    return [texts[code] for code in column.cat.codes]


def _is_number(value: Any) -> bool:
    """Whether a cell can be a float: a whole number of hundreds of digits cannot."""
    try:
        return not math.isnan(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _text_in_column(column: pd.Series[Any], what: str) -> str:
    """The message about a column that is not of numbers."""
    import pandas as pd

    column_dtype = column.dtype
    column = pd.Series(_listed(column), dtype=object, name=column.name)
    wrong = column.notna() & ~column.map(_is_number)
    if not wrong.any():
        return (
            f"{what}: column {clipped(repr(column.name))} has type {column_dtype}, which is not "
            "a type of numbers: convert it with astype(float)"
        )
    row = int(np.asarray(wrong).argmax())
    return (
        f"{what}: column {clipped(repr(column.name))} holds {clipped(repr(column.iloc[row]))} "
        f"in row {row}, which is not a number: "
        f"drop the column, turn it into numbers, or name it as the label column"
    )


def from_file(
    path: Path,
    labels: Labels | None,
    columns: TableOptions | None = None,
    images: ImageOptions | None = None,
) -> Rows:
    """Rows of a file of any format in `data.readers`.

    Nothing in it can run code: pickled objects are refused.

    Args:
        path: The file.
        labels: One a sample; None for those in the file, if there are any.
        columns: How a table is read.
        images: How images are read.

    Raises:
        RequestError: Where the file cannot be read or trained on.
    """
    reader, label_column = readers.find(path), (columns or TableOptions()).label_column
    if label_column is not None and reader is not None and not reader.has_columns:
        raise RequestError(
            f"label_column = {label_column!r}: {path.name} has no columns; give a "
            f"{readers.listed(columns_only=True)} file, or leave it out"
        )
    content = readers.read(path)
    if isinstance(content.values, np.ndarray):
        own = content.labels if labels is None else labels
        return from_array(content.values, own, path.name, images)
    return from_table(content, labels, path.name, columns)
