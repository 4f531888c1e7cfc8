"""Tables that are larger than memory should hold, read a part at a time: Parquet files,
and what else gives its rows in parts.

The columns are recognised from rows drawn from all parts. Then every row is encoded as
numbers once, into a file without a name, from which batches are read in random order.
The system removes such a file when the process ends, however it ends.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data import frames, readers
from equipoise.data.arrays import Labels, Rows
from equipoise.data.datasets import FetchedSource
from equipoise.data.frames import TableOptions
from equipoise.data.labels import plain_label
from equipoise.data.outliers import notes_of_outliers
from equipoise.data.readers.cells import joined
from equipoise.data.readers.parquet import ParquetReader, outline
from equipoise.errors import RequestError
from equipoise.utils.atomic_io import data_home

if TYPE_CHECKING:
    import pandas as pd

# Rows, and cells, that the columns are recognised from, at most.
LOOKED_AT_ROWS, LOOKED_AT_CELLS = 200_000, 20_000_000
NUMBER_BYTES = 8
MEMORY_BUDGET = 4.0  # GiB, unless the user says another
GIB = 2**30


def is_large(files: Sequence[Path], memory_budget: float) -> bool:
    """Whether these files are Parquet, and their table takes more memory than a budget
    of so many GiB. The memory that is free does not matter: a run that is resumed must
    find its rows as they were."""
    if not all(isinstance(readers.find(file), ParquetReader) for file in files):
        return False
    return sum(readers.claimed_bytes(file) for file in files) > memory_budget * GIB


@dataclass(frozen=True)
class TableParts:
    """A table whose rows come in parts."""

    rows: int
    columns: tuple[str, ...]
    frames: Callable[[], Iterator[pd.DataFrame]]
    """The parts, in order, as often as they are asked for."""


def parquet_parts(files: Sequence[Path]) -> TableParts:
    """The table in Parquet files.

    Raises:
        RequestError: If they differ in their columns, or one cannot be read.
    """
    rows, columns = zip(*map(outline, files), strict=True)
    readers.refuse_other_columns(files, columns)
    return TableParts(
        sum(rows),
        tuple(columns[0]),
        lambda: (frame for file in files for frame in readers.parquet_frames(file)),
    )


def open_large(
    name: str,
    parts: TableParts,
    labels: Labels | None,
    options: TableOptions,
    split_seed: int,
) -> FetchedSource:
    """The source of a table in parts.

    Args:
        name: What messages call the data.
        parts: The table.
        labels: Must be None: such a table names a column of labels.
        options: How the table is read.
        split_seed: Decides which rows are held out.

    Raises:
        RequestError: If it cannot be trained on, or the disk has no room for it.
    """
    if labels is not None:
        raise RequestError(
            f"{name} is read from disk as it is needed, without labels from Python: put them "
            "into a column, and name it as label_column"
        )
    if options.roles.series is not None or options.roles.time is not None:
        raise RequestError(
            f"{name} is over the memory budget, and windows of series have to fit into memory: "
            "give a larger memory_budget"
        )
    frame, total = some_rows(parts)
    look = frames.from_frame(frame, None, name, options)
    _refuse_without_room(total * look.schema.size * NUMBER_BYTES)
    with tempfile.TemporaryFile(dir=data_home()) as file:
        labels_seen, digest = _write(parts, look, options.label_column, file)
        rows = file.tell() // (look.schema.size * NUMBER_BYTES)
        values = np.memmap(file, np.float64, "r", shape=(rows, look.schema.size))
    schema = look.schema
    if labels_seen is not None:
        counts = np.bincount(labels_seen, minlength=len(schema.classes or ()))
        schema = replace(schema, class_counts=tuple(counts.tolist()))
    source = FetchedSource(
        name,
        schema,
        digest,
        partial(np.take, values, axis=0),
        labels_seen,
        rows,
        split_seed,
        in_background=True,
        max_drawn=len(frame),
    )
    source.columns = look.columns
    outliers = notes_of_outliers(look.values, schema.columns)
    source.notes += [*_notes(total, len(frame), rows), *look.notes, *outliers]
    source.has_outliers = bool(outliers)
    return source


def _notes(total: int, looked_at: int, kept: int) -> list[str]:
    notes = [
        f"{total:,} rows, which are read from disk as they are needed; the columns are "
        f"recognised from {looked_at:,} of them"
    ]
    if kept < total:
        notes.append(
            f"{total - kept:,} rows hold labels, categories or blanks that none of those looked "
            "at holds, or break a constraint: they are left out"
        )
    return notes


def some_rows(parts: TableParts) -> tuple[pd.DataFrame, int]:
    """Rows drawn from all of the table, from which its columns are recognised, and the
    number of all.

    Raises:
        RequestError: If a part cannot be read, or the disk has no room for the table.
    """
    total, wanted = parts.rows, min(LOOKED_AT_ROWS, LOOKED_AT_CELLS // len(parts.columns))
    # Before anything is read: a small file can claim any number of rows.
    _refuse_without_room(total * len(parts.columns) * NUMBER_BYTES)
    rng = np.random.default_rng(0)
    drawn = [frame[rng.random(len(frame)) < wanted / total] for frame in parts.frames()]
    return joined(drawn), total


def _refuse_without_room(size: int) -> None:
    home = data_home()
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free
    if free < size:
        raise RequestError(
            f"the table takes {size / GIB:.1f} GiB on disk while it is in use, and {home} has "
            f"{free / GIB:.1f} GiB free: make room, or set EQUIPOISE_DATA to another folder"
        )


def _write(
    parts: TableParts, look: Rows, label_column: str | None, file: IO[bytes]
) -> tuple[NDArray[np.int64] | None, str]:
    """Write all rows that can be encoded, one after another.

    Returns:
        The positions of their labels, (n,), if there are any, and a digest of all.
    """
    digest, labels = hashlib.sha256(), list[NDArray[np.int64]]()
    for part, frame in enumerate(parts.frames()):
        values, of_rows = _encoded(frame, look, label_column, part)
        content = np.ascontiguousarray(values).data
        file.write(content)
        digest.update(content)
        digest.update(of_rows.data)
        labels.append(of_rows)
    file.flush()
    return np.concatenate(labels) if label_column is not None else None, digest.hexdigest()


def _encoded(
    frame: pd.DataFrame, look: Rows, label_column: str | None, part: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The rows of a part that can be encoded, (m, R), and their labels, (m,): 0 without
    a column of labels."""
    labels = np.zeros(len(frame), np.int64)
    if label_column is not None:
        labels = _positions(frame.pop(label_column), look.schema.classes or ())
    table = look.schema.table
    if table is not None:
        kept = (labels >= 0) & ~table.unseen(frame)
        kept[kept] = table.meets(frame[kept])
        return table.encode(frame[kept], seed=part), labels[kept]
    values = frames.numbers_of(frame[list(look.schema.columns or ())], "the table")
    kept = (labels >= 0) & np.isfinite(values).all(axis=1)
    return values[kept], labels[kept]


def _positions(series: pd.Series[Any], classes: Sequence[Any]) -> NDArray[np.int64]:
    """The positions of labels among the classes, (m,); -1 for others."""
    import pandas as pd

    codes, distinct = pd.factorize(series)
    known = {label: position for position, label in enumerate(classes)}
    found = [known.get(plain_label(label), -1) for label in distinct.tolist()]
    return np.array([*found, -1], np.int64)[codes]  # -1, the last, for what is missing
