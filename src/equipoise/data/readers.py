"""Reading the files that hold numbers: .npy, .npz, .csv and .parquet, which a stranger
may have made.

Nothing in them runs, nothing is unpacked that memory has no room for, and whatever is
wrong with one is told in a line.
"""

from __future__ import annotations

import math
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import RequestError, clipped, first_line
from equipoise.utils.system import MEMORY_FRACTION, available

if TYPE_CHECKING:
    import pandas as pd

MAX_COLUMNS = 10_000  # of a table
NOTE = "note"  # in the attributes of a table: what the user should know of how it was read
MAGIC = b"\x93NUMPY"
SHOWN = 5  # names in a message


def read_numpy(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The array of a .npy file, or the array `x` of a .npz file, or its only one, and
    its array `y`, the labels, if there is one."""
    try:
        _refuse_unpacked(path, _claimed_by_numpy(path))
        stored = np.load(path, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            return stored, None
        with stored:
            names = stored.files
            if "x" in names:
                return stored["x"], stored["y"] if "y" in names else None
            if len(names) == 1:
                return stored[names[0]], None
    except (RequestError, MemoryError):
        raise
    except Exception as error:  # a file that is made to do harm leads NumPy, zipfile and its unpackers to raise whatever there is
        if "allow_pickle" in str(error):
            raise RequestError(
                f"{path} is not {path.suffix}, or holds Python objects, which can run code "
                "when read: save it as an array of numbers"
            ) from None
        raise _unreadable(path, error) from None
    some = ", ".join(names[:SHOWN]) + (
        f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    )
    raise RequestError(f"{path} holds the arrays {some}: name the samples x (and the labels y)")


def read_table(path: Path) -> pd.DataFrame:
    """The table of a .csv or .parquet file."""
    try:
        import pandas as pd
    except ImportError:
        raise RequestError(
            f"reading {path.name} needs pandas: pip install 'equipoise[tables]'"
        ) from None
    try:
        if path.suffix.lower() == ".parquet":
            claimed, texts = _claimed_by_parquet(path)
            _refuse_unpacked(path, claimed)
            return pd.read_parquet(path, engine="pyarrow", read_dictionary=texts)
        _refuse_unpacked(path, path.stat().st_size)
        top = pd.read_csv(path, header=None, nrows=1, dtype=str).iloc[0]
        _refuse_columns(path, len(top))
        headed = not all(_is_number(str(cell)) for cell in top.dropna())
        twice = (
            [name for name, times in Counter(top.dropna()).items() if times > 1] if headed else []
        )
        if twice:
            raise RequestError(
                f"{path.name} has several columns named {clipped(repr(twice[0]))}: give each "
                "its own name"
            )
        frame = _of_csv(path, headed, len(top))
        if (
            _counts_up(top) and (frame.dtypes != np.int64).any()
        ):  # names that pandas gives; among whole numbers it may be a row
            frame = _of_csv(path, True, len(top))
    except (RequestError, MemoryError):
        raise
    except Exception as error:  # as above: pandas and pyarrow
        raise _unreadable(path, error) from None
    if not frame.index.equals(
        pd.RangeIndex(len(frame))
    ):  # pandas takes what stands beyond the first line's columns for row names
        raise RequestError(
            f"{path} has {len(top)} columns in its first line and more below: give every "
            "line as many"
        )
    return _without_row_names(frame) if pd.isna(top.iloc[0]) else frame


def _of_csv(path: Path, headed: bool, columns: int) -> pd.DataFrame:
    """The table of a .csv file, read in one piece: in parts, each would have its own
    types."""
    import pandas as pd

    if headed:
        return pd.read_csv(path, low_memory=False)
    return pd.read_csv(path, header=None, names=[f"x{i}" for i in range(columns)], low_memory=False)


def _without_row_names(frame: pd.DataFrame) -> pd.DataFrame:
    """A table without its first column, that has no name, where it holds what pandas
    writes there: another whole number for every row."""
    first = frame.iloc[:, 0]
    if len(frame.columns) < 2 or first.dtype != np.int64 or not first.is_unique:
        return frame
    table = frame.iloc[:, 1:]
    table.attrs[NOTE] = "the first column has no name and numbers the rows: it is left out"
    return table


def _counts_up(top: pd.Series[Any]) -> bool:
    """Whether a first line says 0, 1, 2, ..., perhaps with nothing above the rows'
    names."""
    named = top[0 if isinstance(top.iloc[0], str) else 1 :].tolist()
    return len(named) > 1 and named == [str(i) for i in range(len(named))]


def _unreadable(path: Path, error: Exception) -> RequestError:
    return RequestError(
        f"{path} could not be read as {path.suffix}: {clipped(first_line(error), 200)}"
    )


def _claimed_by_numpy(path: Path) -> int:
    """The bytes that a file's arrays have by its own words.

    Raises:
        RequestError: For a .npy file that is shorter than it says.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:  # NumPy says what it is instead
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
        except (
            MemoryError
        ):  # Python's parser, of brackets in brackets; there is no array yet that would need any
            raise ValueError("its header describes no array") from None
        claimed, there = math.prod(shape) * dtype.itemsize, path.stat().st_size - file.tell()
    if claimed > there and not dtype.hasobject:
        raise RequestError(
            f"{path} says that it holds {claimed:,} bytes of numbers, and has {there:,}: it "
            "is cut off, or damaged"
        )
    return claimed


def _claimed_by_parquet(path: Path) -> tuple[int, list[str]]:
    """As `_claimed_by_numpy`, of a .parquet file as float64, and its columns of texts,
    each of which is to be in memory once.

    Raises:
        RequestError: For columns of lists, since one row of those can hold any number
            of numbers.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        about = file.metadata
        _refuse_columns(path, about.num_columns)
        schema = file.schema_arrow
        nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        if nested:
            raise RequestError(
                f"{path.name}: column {clipped(repr(nested[0]))} holds lists, not numbers: "
                "drop it, or give it a column each"
            )
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
        rows = sum(
            group.num_rows for group in groups
        )  # which pyarrow takes memory for, whatever the whole says
        if rows != about.num_rows:
            raise RequestError(
                f"{path} says that it has {about.num_rows:,} rows, and {rows:,} in its parts: "
                "it is damaged"
            )
        numbers = rows * about.num_columns * np.dtype(np.float64).itemsize
        is_text = (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
        )
        texts = [field.name for field in schema if any(is_one(field.type) for is_one in is_text)]
        return numbers + sum(group.total_byte_size for group in groups), texts


def _refuse_columns(path: Path, columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise RequestError(
            f"{path.name} has {columns:,} columns: give at most {MAX_COLUMNS:,}, or an array "
            "in a .npy file"
        )


def _refuse_unpacked(path: Path, claimed: int) -> None:
    free = available()
    if free is not None and claimed > MEMORY_FRACTION * free:
        raise RequestError(
            f"{path} holds {claimed / 2**30:.1f} GiB unpacked, and {free / 2**30:.1f} GiB of "
            "memory are free: give fewer samples at once"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
