"""Compressed text files: one entry for each compression."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from equipoise.data.readers.base import memory_limit, require
from equipoise.errors import RequestError

BLOCK_BYTES = 1 << 20
MAX_UNPACKED = 8 * 2**30  # bytes, where the system does not tell how much memory is free


def open_gzip(path: Path) -> IO[bytes]:
    """A gzip file's content, unpacked as it is read."""
    import gzip

    return cast(IO[bytes], gzip.open(path, "rb"))


def open_zstd(path: Path) -> IO[bytes]:
    """A Zstandard file's content, unpacked as it is read."""
    require("pyarrow", path)
    import pyarrow as pa

    return cast(IO[bytes], pa.input_stream(str(path), compression="zstd"))


COMPRESSIONS: dict[str, Callable[[Path], IO[bytes]]] = {".gz": open_gzip, ".zst": open_zstd}


def open_text(path: Path) -> IO[bytes]:
    """The bytes of a text file, unpacked if its name says that it is compressed."""
    opener = COMPRESSIONS.get(path.suffix.lower())
    return path.open("rb") if opener is None else opener(path)


def unpacked_size(path: Path) -> int:
    """Bytes of a text file, unpacked. A compressed one is unpacked piece by piece to
    count them, since what it says of its size may be wrong. Counting ends once memory
    has no room for them.

    Raises:
        RequestError: For more than MAX_UNPACKED where free memory is not known.
    """
    if path.suffix.lower() not in COMPRESSIONS:
        return path.stat().st_size
    limit, size = memory_limit(), 0
    with open_text(path) as file:
        while block := _block(file):
            size += len(block)
            if limit is None and size > MAX_UNPACKED:
                raise RequestError(
                    f"{path} holds over {MAX_UNPACKED / 2**30:.0f} GiB unpacked: give fewer "
                    "samples at once"
                )
            if limit is not None and size > limit:
                break
    return size


def _block(file: Any) -> bytes:
    content: bytes = file.read(BLOCK_BYTES)
    return content
