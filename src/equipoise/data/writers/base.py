"""What a writer of one format of tables is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, TypeVar

from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd


class Writer(ABC):
    """Writes tables into files of one format.

    To add a format, put a subclass with `@register` into a file of this folder.
    """

    endings: ClassVar[tuple[str, ...]]
    """How names of such files end, in small letters: (".csv", ".csv.gz")."""
    package: ClassVar[str | None] = None
    """What it needs beside pandas."""
    install: ClassVar[str] = ""
    """What pip installs for it."""

    def write(self, path: Path, parts: Iterable[pd.DataFrame]) -> int:
        """Write a table, whole or not at all.

        Args:
            path: The file.
            parts: Its rows in parts of the same columns and types; at least one part,
                which may be empty.

        Returns:
            The number of rows.

        Raises:
            RequestError: If the format cannot hold the table, or a package is missing.
            EquipoiseError: If the file cannot be written.
        """
        from equipoise.utils.atomic_io import replacing

        self.check_installed(path.name)
        counted = _Counted(parts)
        with replacing(path) as file:
            self.write_parts(file, path, counted)
        return counted.rows

    def check_installed(self, what: str) -> None:
        """Check that the package is there.

        Args:
            what: Is written, for the message.

        Raises:
            RequestError: If it is missing.
        """
        if self.package is None:
            return
        try:
            import_module(self.package)
        except ImportError:
            raise RequestError(
                f"writing {what} needs {self.package}: pip install {self.install}"
            ) from None

    @abstractmethod
    def write_parts(self, file: BinaryIO, path: Path, parts: Iterable[pd.DataFrame]) -> None:
        """Write into an open file. Arguments and errors as for `write`."""


class _Counted:
    """Parts of a table, whose rows are counted as they come."""

    def __init__(self, parts: Iterable[pd.DataFrame]) -> None:
        self._parts, self.rows = parts, 0

    def __iter__(self) -> Any:
        for part in self._parts:
            yield part
            self.rows += len(part)


WRITERS: list[Writer] = []
W = TypeVar("W", bound=type[Writer])


def register(writer: W) -> W:
    """Class decorator: makes a writer known to `sample` and its help."""
    WRITERS.append(writer())
    return writer
