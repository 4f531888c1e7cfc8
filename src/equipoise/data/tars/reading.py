"""The files in a .tar: their names, and where their bytes are.

A stranger may have made it. Names are only names: nothing is written anywhere. Links,
devices and sparse files are passed over. A size or a header that claims more than the
archive has is an error, as is anything but zeros where the next header should be.
"""

from __future__ import annotations

import errno
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from equipoise.errors import RequestError, clipped, first_line
from equipoise.utils.atomic_io import refuse_size

# Bytes of a header that are read: names, and what PAX adds to them.
MAX_HEADER_BYTES = 2**20


@dataclass(frozen=True)
class Member:
    """A file in a .tar."""

    archive: Path
    name: str
    offset: int
    """Where its bytes begin."""
    size: int

    def __str__(self) -> str:
        return f"{self.archive}: {self.name}"

    def read(self, max_bytes: int) -> bytes:
        """Its bytes.

        Raises:
            OSError: It cannot be read, or has more than `max_bytes` bytes or more than
                half of the free memory.
        """
        refuse_size(self.size, max_bytes, str(self))
        with self.archive.open("rb") as file:
            file.seek(self.offset)
            content = file.read(self.size)
        if len(content) < self.size:
            raise OSError(errno.EIO, "the archive is cut off", str(self))
        return content


@dataclass(frozen=True)
class PassedOver:
    """Something in a .tar that is no plain file."""

    name: str
    what: str


class _Headers:
    """An archive whose headers are read, and none that is too large."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.tell, self.seek = file.tell, file.seek

    def read(self, size: int) -> bytes:
        if size > MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header claims {size:,} bytes")
        return self.file.read(size)


def members(path: Path) -> Iterator[Member | PassedOver]:
    """The files in a .tar, in order, without their content. Folders are left out.

    Raises:
        RequestError: It cannot be read, is damaged, or is cut off.
    """
    try:
        with path.open("rb") as file:
            yield from _members(path, file)
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror or error}") from None


def _members(path: Path, file: BinaryIO) -> Iterator[Member | PassedOver]:
    total, position = os.fstat(file.fileno()).st_size, -1
    try:
        tar = tarfile.open(fileobj=cast("BinaryIO", _Headers(file)), mode="r:")  # noqa: SIM115  # it closes nothing
        while (entry := tar.next()) is not None:
            if tar.offset <= position:
                raise tarfile.ReadError("its headers lead in circles")
            position = tar.offset
            tar.members = []  # type: ignore[attr-defined]  # else it would grow with every file
            if entry.isdir():
                continue
            if not entry.isreg() or entry.issparse():
                yield PassedOver(entry.name, "a sparse file" if entry.issparse() else "a link")
                continue
            if entry.size < 0 or entry.offset_data + entry.size > total:
                raise tarfile.ReadError(f"it is cut off within {clipped(entry.name)}")
            yield Member(path, entry.name, entry.offset_data, entry.size)
        file.seek(tar.offset)
        if any(file.read(tarfile.BLOCKSIZE)):
            raise tarfile.ReadError(f"no file begins at byte {tar.offset:,}")
    except (RequestError, MemoryError, OSError):
        raise
    except Exception as error:  # tarfile raises whatever a damaged header leads it to
        raise RequestError(
            f"{path} is damaged, cut off or no .tar ({clipped(first_line(error), 200)}): give it "
            "whole"
        ) from None
