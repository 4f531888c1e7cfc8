"""File formats: one file each in this folder, registered by their endings.

Nothing in a file runs, nothing is unpacked that memory has no room for, and whatever is
wrong with one is said in one line. Help and messages list the formats from here.

This package imports nothing heavy: `--help` reads it.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

from equipoise.data.readers.base import READERS, FileContent, Reader, refuse_too_large
from equipoise.data.readers.compression import COMPRESSIONS
from equipoise.errors import RequestError, clipped, first_line

__all__ = ["READERS", "FileContent", "Reader", "ending_of", "find", "listed", "read", "stem"]

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
    reader = find(path)
    if reader is None:
        raise RequestError(f"{path} has the ending {path.suffix!r}: give a {listed()} file")
    try:
        refuse_too_large(path, reader.claimed_bytes(path))
        return reader.read(path)
    except (RequestError, MemoryError):
        raise
    except Exception as error:  # a hostile file leads libraries to raise anything
        raise RequestError(
            f"{path} could not be read as {ending_of(path)}: {clipped(first_line(error), 200)}"
        ) from None
