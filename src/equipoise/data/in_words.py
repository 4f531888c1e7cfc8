"""Data in words: what `equipoise describe` and the start of a training say of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.data.schema import Schema
from equipoise.errors import clipped

if TYPE_CHECKING:
    import pandas as pd

CHANNELS = {1: "grayscale", 3: "RGB"}
SHOWN_CLASSES = 5


def described(schema: Schema) -> str:
    """The kind of data in words: "2-D points", "28 x 28 grayscale images", "rows of 15
    columns"."""
    if schema.series is not None:
        return schema.series.described()
    if schema.is_image:
        channels, height, width = schema.shape
        colour = "RGBA" if schema.alpha else CHANNELS.get(channels, f"{channels}-channel")
        return f"{width} x {height} {colour} images"
    if schema.container == "frame":
        columns = schema.size if schema.table is None else len(schema.table.columns)
        columns += schema.label_column is not None
        return f"rows of {columns:,} column{'s' if columns > 1 else ''}"
    return f"{schema.size}-D points"


def table_in(data: str) -> tuple[pd.DataFrame, str] | None:
    """The table in files and what to know of how it was read; None where data is
    something else."""
    from equipoise.data import readers
    from equipoise.data.large_tables import (
        MEMORY_BUDGET,
        is_large,
        parquet_parts,
        some_rows,
    )

    files = readers.table_files(Path(data))
    if not files:
        return None
    if is_large(files, MEMORY_BUDGET):
        frame, total = some_rows(parquet_parts(files))
        return frame, f"recognised from {len(frame):,} of {total:,} rows"
    content = readers.read_parts(files)
    values: Any = content.values
    return (values, content.note) if hasattr(values, "columns") else None


def classes_in_words(schema: Schema) -> str:
    """The classes with their counts, the first ones of many."""
    classes, counts = schema.classes or (), schema.class_counts or ()
    listed = [
        f"{clipped(str(label), 40)} {count:,}"
        for label, count in [*zip(classes, counts, strict=True)][:SHOWN_CLASSES]
    ]
    more = ", ..." if len(classes) > SHOWN_CLASSES else ""
    return f"{len(classes):,} class{'es' * (len(classes) != 1)}: {', '.join(listed)}{more}"
