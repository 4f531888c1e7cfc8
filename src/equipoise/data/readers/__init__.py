"""File formats: one file each in this folder, registered by their endings.

Nothing in a file runs, nothing is unpacked that memory has no room for, and whatever is
wrong with one is said in one line. Help and messages list the formats from here.

This package imports nothing heavy: `--help` reads it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from equipoise.data.readers.base import (
    READERS,
    FileContent,
    Reader,
    listed_columns,
    refuse_too_large,
)
from equipoise.data.readers.cells import is_text, joined, replaced, stripped
from equipoise.data.readers.compression import COMPRESSIONS
from equipoise.data.readers.parquet import frames
from equipoise.errors import RequestError, clipped, first_line

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "READERS",
    "FileContent",
    "Reader",
    "claimed_bytes",
    "ending_of",
    "find",
    "listed",
    "parquet_frames",
    "read",
    "read_parts",
    "refuse_other_columns",
    "stem",
    "table_files",
    "tables_in",
]

T = TypeVar("T")

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


def ending_of(path: str | Path) -> str | None:
    """The ending that a file's name has of those that can be read, the longest one:
    ".csv.gz"; None for any other name."""
    name = Path(path).name.lower()
    found = [ending for reader in READERS for ending in reader.endings if name.endswith(ending)]
    return max(found, key=len, default=None)


def find(path: str | Path) -> Reader | None:
    """The reader for a file of this name, if there is one."""
    ending = ending_of(path)
    return next((reader for reader in READERS if ending in reader.endings), None)


def stem(path: Path) -> str:
    """A file's name without its ending."""
    return path.name[: len(path.name) - len(ending_of(path) or "")]


def listed(*, columns_only: bool = False) -> str:
    """The endings for a message: ".csv, ... or .xlsx (text also with .gz or .zst)".

    Args:
        columns_only: Those of tables alone.
    """
    readers = [reader for reader in READERS if reader.has_columns or not columns_only]
    endings = {ending for reader in readers for ending in reader.endings}
    *most, last = sorted(ending for ending in endings if not ending.endswith((*COMPRESSIONS,)))
    return f"{', '.join(most)} or {last} (text also with {' or '.join(COMPRESSIONS)})"


def read(path: Path) -> FileContent:
    """What a file holds.

    Raises:
        RequestError: If it is of no known format, is too large for the memory, is
            damaged, or cannot be data.
    """
    refuse_too_large(path, claimed_bytes(path))
    return _read(path)


def _read(path: Path) -> FileContent:
    return _guarded(path, lambda reader: reader.read(path))


def claimed_bytes(path: Path) -> int:
    """An upper bound of the memory that a file's content takes, in bytes.

    Raises:
        RequestError: As `read`.
    """
    return _guarded(path, lambda reader: reader.claimed_bytes(path))


def _guarded(path: Path, use: Callable[[Reader], T]) -> T:
    """What a reader of a file gives. A hostile file leads libraries to raise anything:
    each error becomes a line."""
    reader = find(path)
    if reader is None:
        raise RequestError(f"{path} has the ending {path.suffix!r}: give a {listed()} file")
    try:
        return use(reader)
    except (RequestError, MemoryError):
        raise
    except Exception as error:
        raise RequestError(
            f"{path} could not be read as {ending_of(path)}: {clipped(first_line(error), 200)}"
        ) from None


def tables_in(folder: Path) -> list[Path]:
    """The files of a folder that are parts of one table, in the order of their names:
    all of one format, such as Spark writes them. None where it holds anything else.

    Files whose names begin with "." or "_" do not count: they say that all was written.
    """
    files, endings = list[Path](), set[str | None]()
    for path in folder.iterdir():
        if path.name.startswith((".", "_")):
            continue
        endings.add(ending_of(path))
        reader = find(path)
        if len(endings) > 1 or reader is None or not reader.has_columns or not path.is_file():
            return []
        files.append(path)
    return sorted(files)


def table_files(path: Path) -> list[Path]:
    """The files of the table that a path names: itself, or those that `tables_in`
    finds; none of anything else."""
    if path.is_dir():
        return tables_in(path)
    reader = find(path)
    return [path] if reader is not None and reader.has_columns and path.is_file() else []


def read_parts(files: Sequence[Path]) -> FileContent:
    """The table whose parts are these files, as `tables_in` lists them.

    Raises:
        RequestError: If they differ in their columns, or one cannot be read.
    """
    claimed = 0
    for file in files:
        claimed += claimed_bytes(file)
        refuse_too_large(file.parent, claimed)
    contents = list(map(_read, files))
    tables: list[Any] = [content.values for content in contents]
    refuse_other_columns(files, [table.columns for table in tables])
    codes = dict.fromkeys(name for content in contents for name in content.codes)
    parts = zip(files, contents, strict=True)
    tables = [_with_codes(file, content, codes) for file, content in parts]
    notes = dict.fromkeys(content.note for content in contents if content.note)
    return FileContent(joined(tables), note="; ".join(notes))


def _with_codes(file: Path, content: FileContent, codes: Collection[str]) -> Any:
    """The table in a file with these columns as texts, which are codes with leading
    zeros in some part of the table. Those that were read as numbers are read again."""
    table: Any = content.values
    as_written, others = content.as_written, [name for name in codes if not is_text(table[name])]
    if as_written is None or not others:
        return table
    texts = _guarded(file, lambda _: as_written(others))
    return replaced(table, {name: stripped(texts[name]) for name in others})


def refuse_other_columns(files: Sequence[Path], columns: Sequence[Iterable[Any]]) -> None:
    """Check that files have the same columns, in any order.

    Raises:
        RequestError: If one has others than the first.
    """
    listed = [[*map(str, names)] for names in columns]
    for file, names in zip(files, listed, strict=True):
        if sorted(names) != sorted(listed[0]):
            raise RequestError(
                f"{file.name} has the columns {listed_columns(names)}, {files[0].name} has "
                f"{listed_columns(listed[0])}: give all the same"
            )


def parquet_frames(path: Path) -> Iterator[pd.DataFrame]:
    """The table of a Parquet file in parts, in order.

    Raises:
        RequestError: As `read`, when the part that cannot be read is asked for.
    """
    parts = frames(path)
    while (frame := _guarded(path, lambda _: next(parts, None))) is not None:
        yield frame
