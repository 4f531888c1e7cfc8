"""Files of text, compressed or not: one entry for each compression."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from equipoise.data.readers.base import memory_limit, require
from equipoise.errors import RequestError, clipped

BLOCK_BYTES = 1 << 20
MAX_UNPACKED = 8 * 2**30  # bytes, where the system does not tell how much memory is free


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


def with_compressions(*endings: str) -> tuple[str, ...]:
    """These endings, and each with that of every compression: ".csv", ".csv.gz"."""
    return tuple(f"{ending}{more}" for ending in endings for more in ("", *COMPRESSIONS))


def count_bytes(block: bytes, wanted: bytes) -> int:
    """How many bytes of a block are one of those wanted, four times as fast as
    `bytes.count` does it."""
    import numpy as np

    characters = np.frombuffer(block, np.uint8)
    return sum(int(np.count_nonzero(characters == one)) for one in wanted)


@dataclass(frozen=True)
class TextFile:
    """A file of text, or one in a ZIP archive. Its bytes are unpacked as they are
    read."""

    path: Path
    entry: str = ""
    """The name in the archive."""

    @property
    def name(self) -> str:
        """Its name in messages."""
        return f"{clipped(repr(self.entry))} in {self.path.name}" if self.entry else self.path.name

    @property
    def is_compressed(self) -> bool:
        """Whether the file's size does not tell that of the text."""
        return bool(self.entry) or self.path.suffix.lower() in COMPRESSIONS

    def open(self) -> io.BufferedReader:
        """Its bytes from the first on, unpacked."""
        if self.entry:
            with zipfile.ZipFile(self.path) as archive:  # the entry keeps the file open
                return io.BufferedReader(cast(io.RawIOBase, archive.open(self.entry)))
        opener = COMPRESSIONS.get(self.path.suffix.lower())
        return self.path.open("rb") if opener is None else io.BufferedReader(opener(self.path))

    def head(self, size: int) -> bytes:
        """Its first bytes."""
        with self.open() as file:
            return file.read(size)

    def memory(self, separators: bytes, cell_bytes: float) -> int:
        """Bytes of memory that a table of text takes while it is read.

        The file is read, and unpacked, block by block to count its cells, since what it
        says of its size may be wrong. Counting ends once memory has no room. A file
        that is not compressed is not read if memory has room for a cell in each byte.

        Args:
            separators: The characters that end a cell.
            cell_bytes: Memory of a cell beside its text.

        Raises:
            RequestError: For more than MAX_UNPACKED where free memory is not known.
        """
        limit, size = memory_limit(), 0.0
        if limit is not None and not self.is_compressed:
            most = (1 + cell_bytes) * self.path.stat().st_size
            if most <= limit:
                return int(most)
        with self.open() as file:
            while block := file.read(BLOCK_BYTES):
                size += len(block) + cell_bytes * count_bytes(block, separators)
                if limit is None and size > MAX_UNPACKED:
                    raise RequestError(
                        f"{self.path} holds over {MAX_UNPACKED / 2**30:.0f} GiB unpacked: give "
                        "fewer samples at once"
                    )
                if limit is not None and size > limit:
                    break
        return int(size)
