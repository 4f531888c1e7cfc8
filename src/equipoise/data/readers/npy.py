"""NumPy's .npy: one array."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from equipoise.data.readers.base import FileContent, Reader, register
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import numpy as np

MAGIC = b"\x93NUMPY"
MAX_NAMES = 5  # in a message


@register
class NpyReader(Reader):
    """An array, by NumPy's own reader with pickles refused."""

    endings: ClassVar[tuple[str, ...]] = (".npy",)
    summary = "a NumPy array of samples"
    has_columns = False

    def claimed_bytes(self, path: Path) -> int:
        if zipfile.is_zipfile(path):  # NumPy goes by the content, not by the name
            with zipfile.ZipFile(path) as archive:
                return sum(entry.file_size for entry in archive.infolist())
        with path.open("rb") as file:
            header = header_of(file, path.stat().st_size, str(path))
        return 0 if header is None else header.nbytes

    def read(self, path: Path) -> FileContent:
        try:
            return _loaded(path)
        except Exception as error:
            if "allow_pickle" not in str(error):
                raise
            raise RequestError(
                f"{path} is not {path.suffix}, or holds Python objects, which can run code when "
                "read: save it as an array of numbers"
            ) from None


def _loaded(path: Path) -> FileContent:
    import numpy as np

    stored = np.load(path, allow_pickle=False)
    if isinstance(stored, np.ndarray):
        return FileContent(stored)
    with stored:
        names = stored.files
        if "x" in names:
            return FileContent(stored["x"], stored["y"] if "y" in names else None)
        if len(names) == 1:
            return FileContent(stored[names[0]])
    listed = ", ".join(names[:MAX_NAMES])
    if len(names) > MAX_NAMES:
        listed += f" and {len(names) - MAX_NAMES:,} more"
    raise RequestError(f"{path} holds the arrays {listed}: name the samples x (and the labels y)")


@dataclass(frozen=True)
class Header:
    """What a .npy says of its array."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]
    offset: int
    """Where the array begins, in bytes."""

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.count * self.dtype.itemsize


def header_of(file: BinaryIO, size: int, what: str) -> Header | None:
    """The header of a .npy; None of a file of another format, which NumPy refuses.

    Args:
        file: At its beginning.
        size: Bytes that it has.
        what: Names it in messages.

    Raises:
        RequestError: For a file that is shorter than it says.
    """
    import numpy as np

    if file.read(len(MAGIC)) != MAGIC:
        return None
    file.seek(0)
    version = np.lib.format.read_magic(file)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    try:
        header = Header(*read(file), offset=file.tell())
    except MemoryError:  # Python's parser, of nested brackets: no array needs any yet
        raise ValueError("its header describes no array") from None
    there = size - header.offset
    if header.nbytes > there and not header.dtype.hasobject:
        raise RequestError(
            f"{what} says that it holds {header.nbytes:,} bytes of numbers, and has {there:,}: it "
            "is cut off, or damaged"
        )
    return header
