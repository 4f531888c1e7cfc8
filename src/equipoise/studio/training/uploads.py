"""Files that a browser sends: streamed to disk, bounded, under names that are safe.

An upload is one file, or one folder of files, in the folder of uploads. While it comes
it has a hidden name of its own; it gets the one it was sent under when it is whole, and
another number where that is taken. One that breaks off is removed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from equipoise.data import readers
from equipoise.errors import EquipoiseError, RequestError, clipped
from equipoise.utils.system import GIB

MAX_BYTES = 2 * GIB  # of one upload
MAX_FILES = 200_000  # of a folder
MAX_NAME, MAX_DEPTH = 200, 12  # bytes of a part of a path, and parts
MIN_FREE = GIB // 2  # bytes of disk that uploads leave
CHECK_EVERY = 2**26  # bytes after which the free disk is looked at again
STALE = 3600  # seconds after which what is half sent, and not written to, is removed
FORBIDDEN = set('<>:"|?*\\/')
UPLOADING = re.compile(r"\.uploading-[0-9a-f]{16}")


@dataclass(frozen=True)
class Upload:
    """Data that was sent."""

    name: str
    bytes: int
    files: int
    """1 for a file of its own."""
    is_folder: bool
    changed: float
    """When it came, in seconds since 1970."""


def safe_part(part: str) -> str:
    """A part of a path that is safe as a file's name everywhere.

    Raises:
        RequestError: If it cannot be one.
    """
    name = unicodedata.normalize("NFC", part)
    wrong = (
        "is empty"
        if not name
        else "is hidden"
        if name.startswith(".")
        else "has characters that names of files cannot have"
        if not name.isprintable() or FORBIDDEN & set(name)
        else "ends in a space or a dot"
        if name != name.rstrip(" .")
        else "is too long"
        if len(name.encode()) > MAX_NAME
        else ""
    )
    if wrong:
        raise RequestError(f"the name {clipped(repr(part))} {wrong}: rename the file")
    return name


def safe_path(text: str) -> Path:
    """A relative path of safe parts, "cats/1.png".

    Raises:
        RequestError: If it is not one.
    """
    parts = text.split("/")
    if len(parts) > MAX_DEPTH:
        raise RequestError(f"the path {clipped(repr(text))} has more than {MAX_DEPTH} folders")
    return Path(*map(safe_part, parts))


class Uploads:
    """The folder of uploads.

    Args:
        folder: Made when something comes.
        max_bytes: Of one upload.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self._coming: dict[str, _Folder] = {}

    def all(self) -> list[Upload]:
        """The uploads, the newest first."""
        if not self.folder.is_dir():
            return []
        found = [
            _described(path) for path in self.folder.iterdir() if not path.name.startswith(".")
        ]
        return sorted(found, key=lambda upload: -upload.changed)

    def path(self, name: str) -> Path:
        """Where an upload is.

        Raises:
            RequestError: There is none of this name.
        """
        path = self.folder / safe_part(name)
        if not path.exists() or path.is_symlink():
            raise RequestError(f"no upload {clipped(repr(name))}: it may have been removed")
        return path

    def remove(self, name: str) -> None:
        """Remove an upload. Raises as `path`."""
        path = self.path(name)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    async def receive(
        self, name: str, chunks: AsyncIterator[bytes], length: int | None = None
    ) -> str:
        """Write one file as it comes.

        Args:
            name: That it was sent under.
            chunks: Its bytes.
            length: How many bytes were announced; None if that is not known.

        Returns:
            The name that it has.

        Raises:
            RequestError: The name is not safe, or it is too large.
            EquipoiseError: It broke off, or the disk is full.
        """
        name = safe_part(name)
        self._make_folder()
        aside = self.folder / hidden_name()
        try:
            await self._write(aside, chunks, length, 0)
            return self.place(aside, name)
        finally:
            aside.unlink(missing_ok=True)

    def begin(self, name: str) -> str:
        """Begin a folder; `receive_into` takes its files, `finish` puts it in place.

        Returns:
            What it is called until then.

        Raises:
            RequestError: The name is not safe.
        """
        name = safe_part(name)
        self._make_folder()
        token = secrets.token_hex(8)
        path = self.folder / f".uploading-{token}"
        path.mkdir()
        self._coming[token] = _Folder(name, path)
        return token

    async def receive_into(
        self, token: str, path: str, chunks: AsyncIterator[bytes], length: int | None = None
    ) -> None:
        """Write one file of a folder as it comes. Raises as `receive`; a file that is
        there already is an error."""
        coming = self._coming_folder(token)
        target = coming.path / safe_path(path)
        if coming.files >= MAX_FILES:
            raise RequestError(f"the folder has more than {MAX_FILES:,} files: send fewer")
        coming.files += 1
        aside = self.folder / hidden_name()
        try:
            written = await self._write(aside, chunks, length, coming.bytes)
            coming.bytes += written
            if coming.bytes > self.max_bytes:  # of files that came at the same time
                raise self._too_large()
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                raise RequestError(f"the file {clipped(repr(path))} was sent twice")
            aside.replace(target)
        except OSError as error:
            raise _disk_error(error) from error
        finally:
            aside.unlink(missing_ok=True)

    def finish(self, token: str) -> str:
        """Put a folder in place, and return the name that it has."""
        coming = self._coming_folder(token)
        if not coming.files:
            raise RequestError("the folder is empty: give one with files")
        name = self.place(coming.path, coming.name)
        del self._coming[token]
        return name

    def abandon(self, token: str) -> None:
        """Remove a folder that is not whole."""
        shutil.rmtree(self._coming_folder(token).path, ignore_errors=True)
        del self._coming[token]

    def clean(self) -> None:
        """Remove what a server that was killed has left half sent."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if UPLOADING.fullmatch(path.name) and time.time() - path.stat().st_mtime > STALE:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def place(self, aside: Path, name: str) -> str:
        """Give what is whole its name, numbered where that is taken."""
        for candidate in _numbered(name):
            final = self.folder / candidate
            try:
                if aside.is_dir():
                    final.mkdir()
                else:
                    final.open("xb").close()
            except FileExistsError:
                continue
            aside.replace(final)
            return candidate
        raise AssertionError("there is always a next number")

    async def _write(
        self, path: Path, chunks: AsyncIterator[bytes], length: int | None, before: int
    ) -> int:
        """Write bytes into a new file, and return how many they are."""
        if length is not None and before + length > self.max_bytes:
            raise self._too_large()
        self._check_disk(length or 0)
        try:
            with path.open("xb") as file:
                written = await self._copy(file, chunks, before)
        except OSError as error:
            raise _disk_error(error) from error
        if length is not None and written != length:
            raise EquipoiseError(f"{written:,} of {length:,} bytes came: send it again")
        return written

    async def _copy(self, file: BinaryIO, chunks: AsyncIterator[bytes], before: int) -> int:
        written = 0
        checked = 0
        async for chunk in chunks:
            written += len(chunk)
            if before + written > self.max_bytes:
                raise self._too_large()
            if written - checked > CHECK_EVERY:
                self._check_disk(0)
                checked = written
            file.write(chunk)
        return written

    def _coming_folder(self, token: str) -> _Folder:
        if token not in self._coming:
            raise RequestError("this folder is not being sent: drop it again")
        return self._coming[token]

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def _check_disk(self, more: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if free - more < MIN_FREE:
            raise EquipoiseError(
                f"the disk of {self.folder} has {free / GIB:,.1f} GiB left: make room, or start "
                "the studio in another folder"
            )

    def _too_large(self) -> RequestError:
        return RequestError(
            f"this is larger than the {self.max_bytes / GIB:,.3g} GiB that are taken: start the "
            "studio with a larger --max-upload, or train by the command line"
        )


@dataclass
class _Folder:
    """A folder that is being sent."""

    name: str
    path: Path
    files: int = 0
    bytes: int = 0


def hidden_name() -> str:
    """A name for what is not whole yet."""
    return f".uploading-{secrets.token_hex(8)}"


def _numbered(name: str) -> list[str]:
    ending = readers.ending_of(name) or Path(name).suffix
    stem = name[: len(name) - len(ending)]
    return [name, *(f"{stem}-{number}{ending}" for number in range(2, 100_000))]


def _described(path: Path) -> Upload:
    stat = path.stat()
    if not path.is_dir():
        return Upload(path.name, stat.st_size, 1, False, stat.st_mtime)
    total = files = 0
    for folder, _, names in os.walk(path):
        files += len(names)
        total += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
    return Upload(path.name, total, files, True, stat.st_mtime)


def _disk_error(error: OSError) -> EquipoiseError:
    return EquipoiseError(f"the upload could not be written: {error.strerror or error}")
