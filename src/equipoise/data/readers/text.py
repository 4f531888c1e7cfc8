"""What readers of text have in common: compressions, and archives that hold them."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from equipoise.data.readers.base import FileContent, Reader, refuse_too_large
from equipoise.data.readers.compression import TextFile


class TextReader(Reader):
    """Reads a table of text, from a file of its own or from one in an archive."""

    has_columns = True

    def claimed_bytes(self, path: Path) -> int:
        refuse_too_large(path, path.stat().st_size)
        return self.claimed_by_text(TextFile(path))

    def read(self, path: Path) -> FileContent:
        return self.read_text(TextFile(path))

    @abstractmethod
    def claimed_by_text(self, file: TextFile) -> int:
        """As `claimed_bytes`."""

    @abstractmethod
    def read_text(self, file: TextFile) -> FileContent:
        """As `read`."""
