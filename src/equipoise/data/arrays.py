"""Arrays, tensors, DataFrames and files as checked rows of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data import readers
from equipoise.data.image_options import ImageOptions
from equipoise.data.labels import distinct_labels, plain_label
from equipoise.data.levels import levels_of
from equipoise.data.limits import image_limits, range_note
from equipoise.data.schema import (
    ALPHA_CHANNELS,
    Container,
    Layout,
    Schema,
    detect_layout,
    is_series,
    layout_note,
    to_network_layout,
)
from equipoise.data.series.arrays import series_of
from equipoise.data.series.description import described_channels
from equipoise.data.series.frames import NO_ROLES, Roles, labels_of, windows_of
from equipoise.data.series.layout import read_note
from equipoise.data.series.windows import Series
from equipoise.data.tables.label_column import LabelColumn
from equipoise.data.tables.notes import some_of
from equipoise.data.tables.overrides import Overrides
from equipoise.data.tables.recognition import constrained, recognise
from equipoise.data.tables.spread_fit import bounds_of
from equipoise.data.tables.table import Described, Table
from equipoise.errors import RequestError, clipped, nearest

if TYPE_CHECKING:
    import pandas as pd

MAX_EXACT = 2**53  # up to here float64 holds every whole number
# The last channel is transparency where so much of it is at the ends of the range, and
# at the upper one, in so many images.
MIN_AT_ENDS, MIN_OPAQUE, ALPHA_IMAGES = 0.5, 0.01, 1_000
Labels = Sequence[Any] | NDArray[Any]


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


@dataclass(frozen=True)
class Rows:
    """Checked rows in memory."""

    values: NDArray[Any]
    """(N, *schema.shape), in the user's units."""
    schema: Schema
    labels: NDArray[np.int64] | None
    """The positions of the labels among the schema's classes, (N,)."""
    notes: tuple[str, ...] = ()
    """What the user should know of how the data was read, a line each."""
    columns: tuple[Described, ...] = ()
    """The columns of a table of mixed ones, in words."""


def from_array(
    data: NDArray[Any] | torch.Tensor,
    labels: Labels | None,
    what: str,
    images: ImageOptions | None = None,
) -> Rows:
    """Rows of an array or tensor in any accepted layout.

    `what` names the data in messages, `images` says how images are read.
    """
    options = images or ImageOptions()
    container: Container = "tensor" if isinstance(data, torch.Tensor) else "array"
    array = to_numpy(data, what)
    if array.size == 0:
        raise RequestError(
            f"{what} is empty (shape {array.shape}): give at least one batch of samples"
        )
    if is_series(array, options.layout):
        rows = from_windows([*array], labels, what, container)
        notes = [read_note(array.shape, as_series=True)] if options.layout is None else []
        return replace(rows, notes=(*notes, *rows.notes))
    layout = detect_layout(array.shape, options.layout)
    values = to_network_layout(array, layout)
    check_values(values, what, layout=layout)
    levels = levels_of(values) if values.ndim == 2 else None
    alpha, notes = read_as(values, array.shape, layout, options)
    schema = Schema(
        values.shape[1:], layout, array.dtype.name, container, levels=levels, alpha=alpha
    )
    return replace(with_labels(values, schema, labels, what), notes=tuple(notes))


def from_windows(
    windows: Sequence[NDArray[Any]],
    labels: Labels | None,
    what: str,
    container: Container = "array",
    *,
    listed: bool = False,
    known: Series | None = None,
) -> Rows:
    """Rows of windows of series, (T_i, C) each, or (T_i,).

    Args:
        windows: The windows.
        labels: One a window.
        what: Names the data in messages.
        container: What samples are.
        listed: Whether they are a list.
        known: The form of the windows, where that is known.
    """
    values, series = series_of(windows, what, listed=listed, known=known)
    dtype = np.result_type(*{window.dtype for window in windows}).name
    check_values(values[:, series.first :], what)
    schema = Schema((series.size,), "NTC", dtype, container, series=series)
    rows = with_labels(values, schema, labels, what)
    return replace(rows, columns=described_channels(series, values))


def read_as(
    values: NDArray[Any], shape: Sequence[int], layout: Layout, options: ImageOptions
) -> tuple[bool, list[str]]:
    """How images of an array are read.

    Args:
        values: The images, (N, C, H, W), or some; points are left alone.
        shape: That of the whole array as it was given.
        layout: Its layout.
        options: What the user asked for.

    Returns:
        Whether the last channel is transparency, and notes for the user.
    """
    if values.ndim != 4:
        return False, []
    notes = [layout_note(shape, layout)] if options.layout is None else []
    if layout == "NHW" and options.layout is None and values.dtype.kind == "f":
        notes.append(read_note(tuple(shape), as_series=False))
    alpha = values.shape[1] == ALPHA_CHANNELS and options.alpha is not False
    if alpha and options.alpha is None:
        alpha = has_alpha(values)
        notes.append(
            "the fourth channel is read as transparency: most of its values are the lowest or "
            "the highest; if it is not, type --no-alpha (in Python alpha=False)"
            if alpha
            else "the fourth channel is not read as transparency; if it is, type --alpha "
            "(in Python alpha=True)"
        )
    if values.dtype != np.uint8:
        low, high = float(values.min()), float(values.max())
        notes.append(range_note(values.dtype.name, low, high))
    return alpha, [note for note in notes if note]


def has_alpha(values: NDArray[Any]) -> bool:
    """Whether the last channel of images, (N, C, H, W), looks like transparency: half
    of it or more is at the ends of the range, and a hundredth or more at the upper
    one."""
    low, high = image_limits(values)
    alpha = values[:ALPHA_IMAGES, -1]
    full = float((alpha == high).mean())
    return full >= MIN_OPAQUE and full + float((alpha == low).mean()) >= MIN_AT_ENDS


def to_numpy(data: Any, what: str) -> NDArray[Any]:
    """An array or tensor of numbers as NumPy holds them, in the machine's byte order.

    Raises:
        RequestError: For types that torch lacks.
    """
    if isinstance(data, torch.Tensor):
        try:
            data = data.detach().cpu().numpy()
        except (TypeError, RuntimeError):  # bfloat16, sparse, quantised and others
            is_dense = data.layout == torch.strided
            kind = str(data.dtype if is_dense else data.layout).removeprefix("torch.")
            instead = "float32 (x.float())" if is_dense else "a dense tensor (x.to_dense())"
            raise RequestError(
                f"{what} has type {kind}, which NumPy lacks: give {instead}"
            ) from None
    if np.ma.is_masked(data):
        raise RequestError(f"{what} has masked values: fill or remove them first")
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise RequestError(
            f"{what} has type {array.dtype}: give numbers (integers, floats or booleans)"
        )
    if array.dtype.itemsize > 8:
        raise RequestError(f"{what} has type {array.dtype}: give float64 or smaller")
    check_exact(array, what)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


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
    if options.is_mixed or not _are_plain(frame):
        return _from_mixed(frame, labels, what, options)
    columns = column_names(frame)
    if len(set(columns)) < len(columns):
        raise RequestError(
            f"{what} has columns whose names are the same as text: give each its own name"
        )
    values = numbers_of(frame, what)
    dtypes = tuple(_numpy_dtype(frame[name]) for name in frame.columns)
    for name, dtype in zip(frame.columns, dtypes, strict=True):
        if np.dtype(dtype).itemsize > 8:
            raise RequestError(
                f"{what}, column {clipped(repr(name))}, has type {frame[name].dtype}: give "
                "float64 or smaller"
            )
        if np.dtype(dtype).kind in "iu":
            check_exact(frame[name].dropna().to_numpy(dtype=dtype), f"{what}, column {name!r},")
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


def _are_plain(frame: pd.DataFrame) -> bool:
    """Whether all columns are of numbers, and no cell is missing."""
    numbers = all(frame[name].dtype.kind in "biuf" for name in frame.columns)
    return numbers and not frame.isna().to_numpy().any()


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


def from_table(
    content: readers.FileContent, labels: Labels | None, what: str, columns: TableOptions | None
) -> Rows:
    """Rows of the table that files hold, with the note on how it was read first."""
    assert not isinstance(content.values, np.ndarray), "a table"
    rows = from_frame(content.values, labels, what, columns)
    return replace(rows, notes=((content.note,) if content.note else ()) + rows.notes)


def with_labels(values: NDArray[Any], schema: Schema, labels: Labels | None, what: str) -> Rows:
    """Rows with their labels counted and turned into positions among the classes."""
    if labels is None:
        return Rows(values, schema, None)
    if not hasattr(labels, "__len__") or getattr(labels, "ndim", 1) != 1:
        raise RequestError(f"labels = {clipped(repr(labels))}: give one label per sample")
    if len(labels) != len(values):
        raise RequestError(
            f"labels: {len(labels)} given for {len(values)} samples of {what}: give one label "
            "per sample"
        )
    # The list of an array of dates would be of plain numbers.
    are_dates = getattr(getattr(labels, "dtype", None), "kind", "") in "mM"
    listed = labels.tolist() if hasattr(labels, "tolist") and not are_dates else labels
    plain = [plain_label(label) for label in listed]
    classes = distinct_labels(plain)
    index = {label: i for i, label in enumerate(classes)}
    positions = np.array([index[label] for label in plain], np.int64)
    counts = tuple(np.bincount(positions, minlength=len(classes)).tolist())
    return Rows(values, replace(schema, classes=classes, class_counts=counts), positions)


def check_values(
    values: NDArray[Any],
    what: str,
    layout: str = "ND",
    columns: tuple[str | int, ...] | None = None,
) -> None:
    """Check that all values are finite, and that samples differ.

    Raises:
        RequestError: If not.
    """
    check_finite(values, what, layout, columns)
    if (values == values.flat[0]).all():
        raise one_value_error(values.flat[0], what)
    check_different(values, what)


def check_different(values: NDArray[Any], what: str) -> None:
    """Check that samples differ.

    Raises:
        RequestError: If there are several, all of them the same.
    """
    if len(values) > 1 and all((sample == values[0]).all() for sample in values):
        raise RequestError(
            f"{what} has one distinct sample, {len(values):,} times: there is no distribution "
            "to learn; give data that varies"
        )


def one_value_error(value: Any, what: str) -> RequestError:
    """The error of data with one distinct value."""
    return RequestError(
        f"{what} has one distinct value, {value}: there is no distribution to learn; give "
        "data that varies"
    )


def check_finite(
    values: NDArray[Any],
    what: str,
    layout: str = "ND",
    columns: tuple[str | int, ...] | None = None,
) -> None:
    """Check that all values are finite.

    Raises:
        RequestError: On NaN or infinity, with how many and where the first is.
    """
    bad = ~np.isfinite(values)
    if not bad.any():
        return
    where = np.unravel_index(int(bad.argmax()), values.shape)
    kind = "NaN" if np.isnan(values[where]) else "infinity"
    place = f"row {where[0]}"
    if columns is not None:
        place += f", column {columns[where[1]]!r}"
    elif layout != "N":
        place += f", position {tuple(int(i) for i in where[1:])}"
    raise RequestError(
        f"{what} has {int(bad.sum())} NaN or infinite values, the first ({kind}) at {place}: "
        "remove or fill them first"
    )


def check_exact(array: NDArray[Any], what: str) -> None:
    """Check that float64, in which everything is computed, holds these whole numbers.

    Raises:
        RequestError: If it would round one.
    """
    if array.dtype.kind not in "iu" or array.dtype.itemsize < 8 or not array.size:
        return
    beyond = next(
        (int(value) for value in (array.max(), array.min()) if abs(int(value)) > MAX_EXACT), None
    )
    if beyond is not None:
        raise RequestError(
            f"{what} has the whole number {beyond}, beyond 2**53, which would be rounded: "
            "subtract an offset, or give floats"
        )


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
