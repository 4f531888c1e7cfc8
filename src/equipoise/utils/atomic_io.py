"""Atomic writes, and bounded reads of untrusted files.

An atomic write creates a temporary file, forces it to disk and renames it.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from equipoise.errors import EquipoiseError
from equipoise.utils.system import MEMORY_FRACTION, available_memory

POSIX = os.name == "posix"
# Size in bytes up to which a file is read without a look at the free memory.
SMALL_FILE = 2**24


def data_home() -> Path:
    """The folder of downloaded data and decoded images: `$EQUIPOISE_DATA`, else
    `~/.cache/equipoise`."""
    return Path(os.environ.get("EQUIPOISE_DATA") or Path.home() / ".cache" / "equipoise")


def write_atomic(
    path: Path,
    content: bytes | Iterable[bytes | memoryview],
    beside: Path | None = None,
) -> None:
    """Replace the file at `path` atomically.

    Readers see the old file or the new one, never a part of it, even after a crash.

    Args:
        path: The file.
        content: Its bytes, whole or in parts.
        beside: Folder for the temporary file; by default that of `path`.

    Raises:
        EquipoiseError: The file could not be written.
    """
    with replacing(path, beside) as file:
        for part in [content] if isinstance(content, bytes) else content:
            file.write(part)


@contextmanager
def replacing(path: Path, beside: Path | None = None) -> Iterator[BinaryIO]:
    """A new file that takes the place of that at `path` once it is whole. After an
    exception it is removed, and the old one stays.

    Args:
        path: The file.
        beside: Folder for the temporary file; by default that of `path`.

    Raises:
        EquipoiseError: The file could not be written.
    """
    temporary = (beside or path.parent) / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise EquipoiseError(
            f"{path} could not be written: {error.strerror or error}; earlier saves are intact"
        ) from error


def read_file(path: Path, max_bytes: int) -> bytes:
    """Read an untrusted file.

    Args:
        path: The file.
        max_bytes: Its maximum size.

    Raises:
        OSError: It is not a regular file, or has more than `max_bytes` bytes or more
            than half of the free memory.
    """
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        refuse_size(status.st_size, max_bytes, str(path))
        return file.read()


def refuse_size(size: int, max_bytes: int, name: str) -> None:
    """Check that so many bytes of untrusted content can be read.

    Args:
        size: Bytes that it has.
        max_bytes: The most that are read.
        name: Of the file, for the error.

    Raises:
        OSError: They are more than `max_bytes`, or than half of the free memory.
    """
    if size > max_bytes:
        raise OSError(
            errno.EFBIG,
            f"it has {size:,} bytes, more than the {max_bytes:,} that are read",
            name,
        )
    free = available_memory() if size > SMALL_FILE else None
    if free is not None and size > MEMORY_FRACTION * free:
        raise OSError(
            errno.ENOMEM,
            f"it has {size:,} bytes, and {free:,} bytes of memory are free",
            name,
        )


def temporary_files(folder: Path) -> Iterator[Path]:
    """The temporary files of `write_atomic` in a folder, of running or killed
    writes."""
    return (path for path in folder.glob(".*") if re.fullmatch(r"\..+\.\d+-[0-9a-f]{8}", path.name))


def write_synced(path: Path, content: bytes | Iterable[bytes | memoryview]) -> None:
    """Write a file, whole or in parts, and force it to disk."""
    with path.open("wb") as file:
        for part in [content] if isinstance(content, bytes) else content:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk; does nothing on Windows."""
    if not POSIX:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
