"""Data that a trained generator is evaluated against, or reads codes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data import arrays, frames, readers
from equipoise.data.factory import as_table, open_source
from equipoise.data.image_options import ImageOptions
from equipoise.data.images.form import AS_FOUND
from equipoise.data.large_tables import MEMORY_BUDGET, is_large
from equipoise.data.readers.parquet import outline
from equipoise.data.schema import Schema, detect_layout, to_network_layout
from equipoise.data.series.frames import Roles, windows_of
from equipoise.data.series.windows import Series
from equipoise.data.sources import RowsSource, Source
from equipoise.data.tars.patterns import shards_of
from equipoise.errors import RequestError, clipped

if TYPE_CHECKING:
    import pandas as pd

    Columns = Sequence[str | int] | None


def samples_of(data: Any, schema: Schema | None = None) -> NDArray[Any]:
    """The samples of an array, tensor, DataFrame or file, (N, D) or (N, C, H, W). They
    may be few, and all the same.

    Args:
        data: The samples.
        schema: The generator's; columns of a table are read and ordered as its.

    Raises:
        RequestError: If the data cannot be read, or has other columns.
    """
    if isinstance(data, str | Path) and readers.find(data) is None:
        raise RequestError(f"{data!r}: give an array, a DataFrame, or a {readers.listed()} file")
    if schema is not None and schema.series is not None:
        return _rows_of_windows(data, schema.series)
    table, columns = _table(data), None if schema is None else schema.columns
    if table is not None and schema is not None and schema.table is not None:
        return schema.table.encode(table, seed=0)
    if table is not None:
        array: NDArray[Any] = frames.numbers_of(_ordered(table, columns), "the data")
    elif isinstance(data, str | Path):
        return frames.from_file(Path(data), None).values
    else:
        array = arrays.to_numpy(data, "the data")
    layout = detect_layout(array.shape)
    arrays.check_finite(array, "the data", layout)
    return np.require(to_network_layout(array, layout), requirements=["C", "W"])


def one_or_many(data: Any, schema: Schema) -> Any:
    """An array or tensor of samples, of which one alone may be given without the axis
    of samples."""
    if isinstance(data, int | float):
        data = np.asarray(data)
    shape = () if hasattr(data, "columns") else getattr(data, "shape", None)
    is_one = shape is not None and tuple(shape) == schema.user_shape
    return data[None] if is_one and schema.container != "frame" else data


def open_for_evaluation(
    data: Any,
    labels: arrays.Labels | None,
    label_column: str | None,
    schema: Schema,
    images: ImageOptions | None = None,
) -> Source:
    """Data to evaluate a generator against, all of it, with its columns in the
    generator's order.

    Args:
        data: Whatever `open_source` accepts.
        labels: One per sample.
        label_column: The training's column of labels, which the data may lack.
        schema: The generator's.
        images: How the training's images were read: so are these, as far as it concerns
            their kind of data.

    Raises:
        RequestError: If the data cannot be read, or has other columns.
    """
    if schema.series is not None:
        return _open_windows(data, labels, label_column, schema.series)
    files = _files(data)
    if files and is_large(files, MEMORY_BUDGET):
        return _open_large(Path(data), files, labels, label_column, schema)
    table = _table(data)
    if table is None:
        return open_source(data, labels, images=_concerned(images, data)).as_test()
    column = (
        next((name for name in table.columns if str(name) == label_column), None)
        if labels is None
        else None
    )
    samples = table if column is None else table.drop(columns=column)
    asked = None if column is None else label_column
    if schema.table is not None:
        return open_source(data, labels, label_column=asked, table=schema.table).as_test()
    ordered = _ordered(samples, schema.columns)
    frames.check_plain(ordered, "the data")
    if ordered is not samples:
        data = table[[*ordered.columns, *([] if column is None else [column])]]
    return open_source(data, labels, label_column=asked).as_test()


def _open_windows(
    data: Any, labels: arrays.Labels | None, label_column: str | None, series: Series
) -> Source:
    """As `open_for_evaluation`, of windows of series of this form."""
    table = _table(data)
    if (table is None) != (series.frame is None):
        needed = "an array or a list of windows" if series.frame is None else "a table"
        raise RequestError(f"the generator makes {series.described()}: give {needed} of such")
    if table is None:
        return RowsSource("array", _windows_of(data, labels, series), 0).as_test()
    assert series.frame is not None
    names = [str(name) for name in table.columns]
    column = label_column if label_column in names and labels is None else None
    roles = Roles(*series.frame.roles, known=series)
    return open_source(table, labels, label_column=column, roles=roles).as_test()


def _rows_of_windows(data: Any, series: Series) -> NDArray[Any]:
    """The rows of windows, (N, D)."""
    table = _table(data)
    if table is None or series.frame is None:
        return _windows_of(data, None, series).values
    return windows_of(table, Roles(*series.frame.roles, known=series)).rows


def _windows_of(data: Any, labels: arrays.Labels | None, series: Series) -> arrays.Rows:
    """Rows of an array, a list or a file of windows of this form.

    Raises:
        RequestError: If there are none, or they have another form.
    """
    if isinstance(data, str | Path):
        content = readers.read(Path(data))
        data, labels = content.values, content.labels if labels is None else labels
    if getattr(data, "ndim", 1) == 0 or not hasattr(data, "__len__") or not len(data):
        raise RequestError(
            f"the generator makes {series.described()}: give an array or a list of such, with one "
            "window at least"
        )
    windows = [arrays.to_numpy(window, "the data") for window in data]
    return arrays.from_windows(windows, labels, "the data", known=series)


def _concerned(images: ImageOptions | None, data: Any) -> ImageOptions | None:
    """The options that mean something for this kind of data."""
    if images is None:
        return None
    if isinstance(data, str | Path) and (Path(data).is_dir() or shards_of(Path(data))[0]):
        return replace(images, layout=None)
    has_channels = len(getattr(data, "shape", ())) == 4
    return replace(images, layout=images.layout if has_channels else None, resizing=AS_FOUND)


def _open_large(
    path: Path,
    files: list[Path],
    labels: arrays.Labels | None,
    label_column: str | None,
    schema: Schema,
) -> Source:
    """A table that is read from disk as it is needed, see `data.large_tables`."""
    _, names = outline(files[0])
    asked = label_column if label_column in names and labels is None else None
    columns = tuple(name for name in names if name != asked)
    if schema.table is None and columns != tuple(map(str, schema.columns or columns)):
        raise RequestError(
            f"{path} has its columns in another order than the generator, and is too large to "
            "be put into it: write it in that order"
        )
    return open_source(path, labels, label_column=asked, table=schema.table).as_test()


def _files(data: Any) -> list[Path]:
    """The files of a table, if the data is the path of one."""
    return readers.table_files(Path(data)) if isinstance(data, str | Path) else []


def _table(data: Any) -> pd.DataFrame | None:
    """The data as a table, from its files if it names them; None where it has no
    columns."""
    if isinstance(data, str | Path):
        files = _files(data)
        values = readers.read_parts(files).values if files else None
        return None if isinstance(values, np.ndarray) else values
    table: pd.DataFrame | None = as_table(data)
    return table


def _ordered(table: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """The table with its columns in the generator's order, where both have names.

    Raises:
        RequestError: If the names differ.
    """
    own = frames.column_names(table)
    if columns is None or own == tuple(columns) or not (_named(own) and _named(columns)):
        return table
    if len(own) != len(columns) or set(own) != set(columns):
        theirs, asked = (clipped(", ".join(map(str, names)), 120) for names in (own, columns))
        raise RequestError(f"data has the columns {theirs}, the generator has {asked}: give those")
    return table.iloc[:, [own.index(name) for name in columns]]


def _named(columns: Sequence[str | int]) -> bool:
    """Whether columns have names of their own, and not only numbers."""
    return tuple(columns) not in (
        tuple(range(len(columns))),
        tuple(f"x{i}" for i in range(len(columns))),
    )
