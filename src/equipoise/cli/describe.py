"""`equipoise describe`: what was understood of data."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.cli.columns_table import lines_of
from equipoise.cli.options import Describe
from equipoise.cli.output import echo
from equipoise.cli.parser import parse
from equipoise.errors import RequestError, clipped

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.data.schema import Schema

CHANNELS = {1: "grayscale", 3: "RGB"}
SHOWN_CLASSES = 5


def describe(arguments: Sequence[str]) -> None:
    """equipoise describe DATA ..."""
    options = parse(Describe, "describe", arguments)
    if options.out is not None:
        _check_out(options.out)
    table = _table(options.data)
    if table is not None and options.series is None and options.time is None:
        if options.label_column is not None:
            raise RequestError(
                "--label-column is for tables of series, with --series: leave it out, columns of "
                "labels are described as the others are"
            )
        _describe_table(table[0], table[1], options)
        return
    what = "none" if table is None else "read as series"
    for name in ("columns", "out"):
        if getattr(options, name) is not None:
            raise RequestError(
                f"--{name} is for tables, and {options.data} is {what}: leave it out"
            )

    from equipoise.data.factory import open_source
    from equipoise.data.image_options import ImageOptions
    from equipoise.data.series.frames import Roles

    source = open_source(
        options.data,
        label_column=options.label_column,
        images=ImageOptions(options.layout),
        roles=Roles(options.series, options.time),
    )
    rows = source.training_rows
    amount = "generated on the fly"
    if rows is not None:
        amount = f"{rows:,} to train on, {source.test_rows or 0:,} held out"
    echo(f"{source.name}: {described(source.schema)}, {amount}")
    if source.columns:
        echo("\n".join(f"  {line}" for line in lines_of(source.columns)))
    if source.schema.classes is not None:
        echo(f"  {_classes(source.schema)}")
    for note in source.notes:
        echo(f"  note: {note}")


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


def _describe_table(frame: pd.DataFrame, note: str, options: Describe) -> None:
    from equipoise.data.tables.column_file import given_columns, given_constraints, write_columns
    from equipoise.data.tables.recognition import constrained, recognise

    overrides = None if options.columns is None else given_columns(options.columns)
    table, notes = recognise(frame, overrides)
    table = constrained(table, frame, given_constraints(options.columns, None))
    name = Path(options.data).name
    rows, columns = frame.shape
    echo(f"{name}: {rows:,} row{'s' * (rows != 1)} of {columns:,} column{'s' * (columns != 1)}\n")
    echo("\n".join(lines_of(table.describe(frame))))
    lines = [f"  note: {line}" for line in (note, *notes) if line]
    echo("\n".join(["", *lines]) if lines else "")
    data, file = shlex.quote(options.data), "columns.toml"
    if options.out is None:
        echo(f"To change it: equipoise describe {data} --out {file}, and edit that file")
        return
    write_columns(table, frame, options.out, name)
    out = shlex.quote(str(options.out))
    echo(f"Wrote {options.out}: edit it, then equipoise train {data} --columns {out}")
    sys.stdout.flush()


def _check_out(out: Path) -> None:
    """Refuse a file that cannot be written, or that is no file of columns.

    Raises:
        RequestError: If so.
    """
    if out.suffix.lower() != ".toml":
        raise RequestError(f"--out = {str(out)!r}: must end in .toml")
    if not out.absolute().parent.is_dir():
        raise RequestError(f"--out = {str(out)!r}: there is no folder {out.parent}")


def _table(data: str) -> tuple[pd.DataFrame, str] | None:
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


def _classes(schema: Schema) -> str:
    """The classes with their counts, the first ones of many."""
    classes, counts = schema.classes or (), schema.class_counts or ()
    listed = [
        f"{clipped(str(label), 40)} {count:,}"
        for label, count in [*zip(classes, counts, strict=True)][:SHOWN_CLASSES]
    ]
    more = ", ..." if len(classes) > SHOWN_CLASSES else ""
    return f"{len(classes):,} class{'es' * (len(classes) != 1)}: {', '.join(listed)}{more}"
