"""ZIP archives: the table of text in one."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import ClassVar

from equipoise.data.hidden import is_hidden
from equipoise.data.readers.archive import METHODS, directory_bytes
from equipoise.data.readers.base import READERS, FileContent, Reader, refuse_too_large, register
from equipoise.data.readers.compression import TextFile
from equipoise.data.readers.text import TextReader
from equipoise.errors import RequestError, clipped

MAX_NAMES = 5  # in a message


@register
class ZipReader(Reader):
    """The one table of text in an archive, read as it would be outside of it."""

    endings: ClassVar[tuple[str, ...]] = (".zip",)
    summary = "a ZIP archive of one table of text"
    has_columns = True

    def claimed_bytes(self, path: Path) -> int:
        reader, file = _table(path)
        return reader.claimed_by_text(file)

    def read(self, path: Path) -> FileContent:
        reader, file = _table(path)
        return reader.read_text(file)


def _table(path: Path) -> tuple[TextReader, TextFile]:
    """The archive's table, and who reads it.

    Raises:
        RequestError: If there is none, or there are several.
    """
    refuse_too_large(path, directory_bytes(path))
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if _is_content(entry)]
    found = [
        (reader, entry)
        for entry in entries
        for reader in READERS
        if isinstance(reader, TextReader) and _ending(entry) in reader.endings
    ]
    if len(found) != 1:
        kinds = "no table of text" if not found else f"{len(found):,} tables"
        shown = [entry for _, entry in found] or entries
        listed = ", ".join(clipped(repr(entry.filename)) for entry in shown[:MAX_NAMES])
        if len(shown) > MAX_NAMES:
            listed += f" and {len(shown) - MAX_NAMES:,} more"
        raise RequestError(
            f"{path.name} holds {kinds}{f' ({listed})' if listed else ''}: give an archive of one "
            ".csv file, or unpack it and give a file of it"
        )
    reader, entry = found[0]
    if entry.compress_type not in METHODS:
        raise RequestError(
            f"{path.name} is compressed by method {entry.compress_type} of ZIP, which is not "
            "read: unpack it and give the file itself"
        )
    return reader, TextFile(path, entry.filename)


def _is_content(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is a file that is not hidden."""
    return not (entry.is_dir() or is_hidden(PurePosixPath(entry.filename).parts))


def _ending(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename).suffix.lower()
