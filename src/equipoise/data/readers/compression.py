"""Text files, compressed or not: one entry for each compression."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import cast

from equipoise.data.readers.base import memory_limit, require
from equipoise.errors import RequestError

BLOCK_BYTES = 1 << 20
MAX_UNPACKED = 8 * 2**30  # bytes, where the system does not tell how much memory is free
# Memory of a cell while pandas reads a table, beside its text: 12 to 22 were measured.
CELL_BYTES = 16


def open_gzip(path: Path) -> io.RawIOBase:
    """A gzip file's content, unpacked as it is read."""
    import gzip

    return cast(io.RawIOBase, gzip.open(path, "rb"))


def open_zstd(path: Path) -> io.RawIOBase:
    """A Zstandard file's content, unpacked as it is read."""
    require("pyarrow", path)
    import pyarrow as pa

    return cast(io.RawIOBase, pa.input_stream(str(path), compression="zstd"))


COMPRESSIONS: dict[str, Callable[[Path], io.RawIOBase]] = {".gz": open_gzip, ".zst": open_zstd}


def open_text(path: Path) -> io.BufferedReader:
    """The bytes of a text file, unpacked if its name says that it is compressed."""
    opener = COMPRESSIONS.get(path.suffix.lower())
    return path.open("rb") if opener is None else io.BufferedReader(opener(path))


def table_memory(path: Path, delimiter: bytes) -> int:
    """Bytes of memory that a table of text takes while it is read.

    The file is read, and unpacked, block by block to count its cells, since what it
    says of its size may be wrong. Counting ends once memory has no room.

    Args:
        path: The file.
        delimiter: What is between two cells of a line.

    Raises:
        RequestError: For more than MAX_UNPACKED where free memory is not known.
    """
    limit, size = memory_limit(), 0
    with open_text(path) as file:
        while block := file.read(BLOCK_BYTES):
            cells = block.count(delimiter) + block.count(b"\n")
            size += len(block) + CELL_BYTES * cells
            if limit is None and size > MAX_UNPACKED:
                raise RequestError(
                    f"{path} holds over {MAX_UNPACKED / 2**30:.0f} GiB unpacked: give fewer "
                    "samples at once"
                )
            if limit is not None and size > limit:
                break
    return size
