"""`equipoise describe`: what was understood of data."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.cli.columns_table import lines_of
from equipoise.cli.options import Describe
from equipoise.cli.output import echo
from equipoise.cli.parser import parse
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd


def describe(arguments: Sequence[str]) -> None:
    """equipoise describe DATA ..."""
    options = parse(Describe, "describe", arguments)
    if options.out is not None:
        _check_out(options.out)
    from equipoise.data.in_words import classes_in_words, described, table_in

    table = table_in(options.data)
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
        echo(f"  {classes_in_words(source.schema)}")
    for note in source.notes:
        echo(f"  note: {note}")


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
