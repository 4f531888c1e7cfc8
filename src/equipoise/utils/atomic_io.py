"""Atomic writes: a file is written beside its place, forced to disk and renamed. And
reading files that may be hostile."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.utils.system import MEMORY_FRACTION, available_memory

POSIX = os.name == "posix"
SMALL_FILE = 2**24  # bytes; it is read whatever memory is free


def data_home() -> Path:
    """The folder of downloaded data and decoded images: `$EQUIPOISE_DATA`, else
    `~/.cache/equipoise`."""
    return Path(os.environ.get("EQUIPOISE_DATA") or Path.home() / ".cache" / "equipoise")


def write_atomic(
    path: Path,
    content: bytes | Iterable[bytes | memoryview],
    beside: Path | None = None,
) -> None:
    """Replace the file at `path` atomically: a reader, even after a crash at any
    moment, sees the old file or the new one, never a part of it.

    Args:
        content: Whole or in parts.
        beside: Folder for the temporary file; by default that of `path`.

    Raises:
        EquipoiseError: When it cannot be written.
    """
    aside = (beside or path.parent) / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_synced(aside, content)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise EquipoiseError(
            f"{path} could not be written: {error.strerror or error}; earlier saves are intact"
        ) from error


def read_file(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file that a stranger may have made.

    Raises:
        OSError: If it is a pipe, a device or any other file that is not regular, has
            more than `max_bytes` bytes, or more than half of the free memory.
    """
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "it is not a plain file", str(path))
        if about.st_size > max_bytes:
            raise OSError(
                errno.EFBIG,
                f"it has {about.st_size:,} bytes, more than the {max_bytes:,} that are read",
                str(path),
            )
        free = available_memory() if about.st_size > SMALL_FILE else None
        if free is not None and about.st_size > MEMORY_FRACTION * free:
            raise OSError(
                errno.ENOMEM,
                f"it has {about.st_size:,} bytes, and {free:,} bytes of memory are free",
                str(path),
            )
        return file.read()


def temporary_files(folder: Path) -> Iterator[Path]:
    """The temporary files of `write_atomic` in a folder, of writes that are under way
    or were cut off."""
    return (path for path in folder.glob(".*") if re.fullmatch(r"\..+\.\d+-[0-9a-f]{8}", path.name))


def write_synced(path: Path, content: bytes | Iterable[bytes | memoryview]) -> None:
    """Write a file, whole or in parts, and force it to disk."""
    with path.open("wb") as file:
        for part in [content] if isinstance(content, bytes) else content:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk; Windows has no way to."""
    if not POSIX:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
