"""Comma-separated values, compressed or not: a table as pandas reads it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from equipoise.data.readers.base import FileContent, Reader, refuse_columns, register, require
from equipoise.data.readers.compression import COMPRESSIONS, open_text, table_memory
from equipoise.errors import RequestError, clipped

if TYPE_CHECKING:
    import pandas as pd


@register
class CsvReader(Reader):
    """A table of text, with or without a line of names."""

    endings = (".csv", *(f".csv{compressed}" for compressed in COMPRESSIONS))
    summary = "a table of comma-separated values"
    has_columns = True
    delimiter: ClassVar[str] = ","

    def claimed_bytes(self, path: Path) -> int:
        return table_memory(path, self.delimiter.encode())

    def read(self, path: Path) -> FileContent:
        require("pandas", path)
        import numpy as np
        import pandas as pd

        with open_text(path) as file:
            top = pd.read_csv(file, sep=self.delimiter, header=None, nrows=1, dtype=str).iloc[0]
        refuse_columns(path, len(top))
        has_names = not all(_is_number(str(cell)) for cell in top.dropna())
        if has_names:
            _refuse_repeated(path, top.dropna().tolist())
        frame = self._frame(path, has_names, len(top))
        # A line of 0, 1, 2, ... are the names that pandas writes, unless the table is
        # of whole numbers: then it may be a row.
        if _counts_up(top) and (frame.dtypes != np.int64).any():
            frame = self._frame(path, True, len(top))
        # pandas takes columns beyond those of the first line for names of rows.
        if not frame.index.equals(pd.RangeIndex(len(frame))):
            raise RequestError(
                f"{path} has {len(top)} columns in its first line and more below: give every "
                "line as many"
            )
        if pd.isna(top.iloc[0]) and _has_row_numbers(frame):
            note = "the first column has no name and numbers the rows: it is left out"
            return FileContent(frame.iloc[:, 1:], note=note)
        return FileContent(frame)

    def _frame(self, path: Path, has_names: bool, columns: int) -> pd.DataFrame:
        """The table, read in one piece: in parts, each would have its own types."""
        import pandas as pd

        named: dict[str, Any] = (
            {} if has_names else {"header": None, "names": [f"x{i}" for i in range(columns)]}
        )
        with open_text(path) as file:
            frame: pd.DataFrame = pd.read_csv(file, sep=self.delimiter, low_memory=False, **named)
        return frame


def _refuse_repeated(path: Path, names: list[Any]) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise RequestError(
            f"{path.name} has several columns named {clipped(repr(repeated[0]))}: give each its "
            "own name"
        )


def _has_row_numbers(frame: pd.DataFrame) -> bool:
    """Whether the first column holds what pandas writes there: another whole number for
    every row."""
    first = frame.iloc[:, 0]
    return len(frame.columns) > 1 and first.dtype == "int64" and bool(first.is_unique)


def _counts_up(top: pd.Series[Any]) -> bool:
    """Whether a first line says 0, 1, 2, ..., perhaps with nothing above the names of
    the rows."""
    named = top[0 if isinstance(top.iloc[0], str) else 1 :].tolist()
    return len(named) > 1 and named == [str(i) for i in range(len(named))]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
