"""File formats: one file each in this folder, registered by their endings.

Nothing in a file runs, nothing is unpacked that memory has no room for, and whatever is
wrong with one is said in one line. Help and messages list the formats from here.

This package imports nothing heavy: `--help` reads it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from equipoise.data.readers.base import (
    READERS,
    FileContent,
    Reader,
    listed_columns,
    refuse_too_large,
)
from equipoise.data.readers.cells import joined
from equipoise.data.readers.compression import COMPRESSIONS
from equipoise.errors import RequestError, clipped, first_line

__all__ = [
    "READERS",
    "FileContent",
    "Reader",
    "ending_of",
    "find",
    "listed",
    "read",
    "read_folder",
    "stem",
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
    refuse_too_large(path, _claimed(path))
    return _guarded(path, lambda reader: reader.read(path))


def _claimed(path: Path) -> int:
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
    files = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))
    endings = {ending_of(path) for path in files if path.is_file()}
    reader = find(files[0]) if len(endings) == 1 else None
    is_table = reader is not None and reader.has_columns and all(map(Path.is_file, files))
    return files if is_table else []


def read_folder(folder: Path) -> FileContent:
    """The table whose parts are the files of a folder, as `tables_in` lists them.

    Raises:
        RequestError: If there are no such files, they differ in their columns, or one
            cannot be read.
    """
    files = tables_in(folder)
    if not files:
        raise RequestError(f"{folder} holds no parts of a table: give files of one format")
    claimed = 0
    for file in files:
        claimed += _claimed(file)
        refuse_too_large(folder, claimed)
    contents = [read(file) for file in files]
    frames: list[Any] = [content.values for content in contents]
    names = list(frames[0].columns)
    for file, frame in zip(files, frames, strict=True):
        if sorted(map(str, frame.columns)) != sorted(map(str, names)):
            raise RequestError(
                f"{file.name} has the columns {listed_columns([*map(str, frame.columns)])}, "
                f"{files[0].name} has {listed_columns([*map(str, names)])}: give all the same"
            )
    notes = dict.fromkeys(content.note for content in contents if content.note)
    return FileContent(joined(frames), note="; ".join(notes))
