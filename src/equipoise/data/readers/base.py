"""What a reader of one file format is, and the limits that hold for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from equipoise.errors import RequestError, clipped
from equipoise.utils.system import MEMORY_FRACTION, available_memory, free_words

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MAX_COLUMNS = 10_000  # of a table
MAX_LISTED = 3  # names in a note


@dataclass(frozen=True)
class FileContent:
    """What a file holds: an array in any layout, or a table.

    `labels` are those that the file has beside an array. `note` is what the user should
    know of how it was read.
    """

    values: NDArray[Any] | pd.DataFrame
    labels: NDArray[Any] | None = None
    note: str = ""
    codes: tuple[str, ...] = ()
    """Columns of digits that are texts, since some begin with 0."""
    as_written: Callable[[list[str]], pd.DataFrame] | None = None
    """Reads these columns of a table of text again, as texts."""


class Reader(ABC):
    """Reads one file format. A stranger may have made the file: nothing in it may run.

    To add a format, put a subclass with `@register` into a new file of this folder.
    """

    endings: ClassVar[tuple[str, ...]]
    """How names of such files end, in small letters: (".npy",)."""
    summary: ClassVar[str]
    """A line for the help."""
    has_columns: ClassVar[bool]
    """Whether `read` returns a table."""

    @abstractmethod
    def claimed_bytes(self, path: Path) -> int:
        """An upper bound of the memory that `read` takes, in bytes, found without
        holding the content: from the file's header, or for text by counting.

        Raises:
            RequestError: For a file that contradicts itself.
        """

    @abstractmethod
    def read(self, path: Path) -> FileContent:
        """The content. Any exception but a RequestError or a MemoryError is taken to
        mean that the file is damaged.

        Raises:
            RequestError: For content that cannot be data.
        """


READERS: list[Reader] = []
R = TypeVar("R", bound=type[Reader])


def register(reader: R) -> R:
    """Class decorator: makes a reader known to `fit`, `train` and the help."""
    READERS.append(reader())
    return reader


def require(package: str, path: Path) -> None:
    """Check that a package is installed.

    Raises:
        RequestError: If it is not, with what installs it.
    """
    try:
        import_module(package)
    except ImportError:
        raise RequestError(
            f"reading {path.name} needs {package}: pip install 'equipoise[tables]'"
        ) from None


def memory_limit() -> int | None:
    """Bytes that a file may take in memory: half of what is free, since what is read is
    copied at least once. None where the system does not tell."""
    free = available_memory()
    return None if free is None else int(MEMORY_FRACTION * free)


def refuse_too_large(path: Path, claimed: int) -> None:
    """Check that memory has room for `claimed` bytes.

    Raises:
        RequestError: If it has not.
    """
    limit = memory_limit()
    if limit is not None and claimed > limit:
        raise RequestError(
            f"{path} takes {claimed / 2**30:.1f} GiB of memory, and "
            f"{free_words(limit / MEMORY_FRACTION)}: "
            "give fewer samples at once, or a table as Parquet files, which are read in parts "
            "where they are over --memory-budget"
        )


def refuse_columns(path: Path, columns: int) -> None:
    """Check the number of columns of a table.

    Raises:
        RequestError: If there are too many.
    """
    if columns > MAX_COLUMNS:
        raise RequestError(
            f"{path.name} has {columns:,} columns: give at most {MAX_COLUMNS:,}, or an array "
            "in a .npy file"
        )


def listed_columns(names: Sequence[str]) -> str:
    """The first names of columns, and how many there are beside them, for a note."""
    listed = ", ".join(clipped(repr(name)) for name in names[:MAX_LISTED])
    more = len(names) - MAX_LISTED
    return f"{listed} and {more:,} more" if more > 0 else listed


def refuse_repeated(file: str, names: Sequence[str]) -> None:
    """Check that no two columns have one name.

    Raises:
        RequestError: If two have.
    """
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise RequestError(
            f"{file} has several columns named {clipped(repr(repeated[0]))}: give each its own name"
        )
