"""NumPy's .npy: one array."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

from equipoise.data.readers.base import FileContent, Reader, register
from equipoise.errors import RequestError

MAGIC = b"\x93NUMPY"
MAX_NAMES = 5  # in a message


@register
class NpyReader(Reader):
    """An array, by NumPy's own reader with pickles refused."""

    endings = (".npy",)
    summary = "a NumPy array of samples"
    has_columns = False

    def claimed_bytes(self, path: Path) -> int:
        if zipfile.is_zipfile(path):  # NumPy goes by the content, not by the name
            with zipfile.ZipFile(path) as archive:
                return sum(entry.file_size for entry in archive.infolist())
        return _claimed_by_header(path)

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


def _claimed_by_header(path: Path) -> int:
    """Bytes of the array that the header describes; 0 for a file of another format,
    which NumPy refuses.

    Raises:
        RequestError: For a file that is shorter than it says.
    """
    import numpy as np

    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return 0
        file.seek(0)
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        try:
            shape, _, dtype = read(file)
        except MemoryError:  # Python's parser, of nested brackets: no array needs any yet
            raise ValueError("its header describes no array") from None
        claimed, there = math.prod(shape) * dtype.itemsize, path.stat().st_size - file.tell()
    if claimed > there and not dtype.hasobject:
        raise RequestError(
            f"{path} says that it holds {claimed:,} bytes of numbers, and has {there:,}: it is "
            "cut off, or damaged"
        )
    return claimed
