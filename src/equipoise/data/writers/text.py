"""Comma- and tab-separated values and JSON Lines, compressed or not.

A cell is written as it is, also one that begins with "=", "+", "-" or "@", which a
spreadsheet takes for a formula: cells of text are those of the training data, in which
they stood just so, "-5" and "+49 30" are no formulas, and a cell that was changed would
not be one of the column any more, so that samples could not be compared with the data.
Names of columns are written with a quotation mark before such a beginning.
"""

from __future__ import annotations

import gzip
import io
import json
import math
from abc import abstractmethod
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, cast

from equipoise.data.writers.base import Writer, register
from equipoise.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

UNITS = ("D", "s", "ms", "us", "ns")  # of dates, the coarsest first


def _gzip(file: BinaryIO) -> BinaryIO:
    # Without a name and a time, so that equal tables give equal files.
    return cast(BinaryIO, gzip.GzipFile("", "wb", 6, file, mtime=0))


def _zstd(file: BinaryIO) -> BinaryIO:
    try:
        import pyarrow as pa
    except ImportError:
        raise RequestError(
            "writing .zst files needs pyarrow: pip install 'equipoise[tables]'"
        ) from None
    return cast(BinaryIO, pa.CompressedOutputStream(_KeptOpen(file), "zstd"))


class _KeptOpen(io.RawIOBase):
    """A file that stays open where what writes into it closes it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        return self._file.write(content)


COMPRESSIONS: dict[str, Callable[[BinaryIO], BinaryIO]] = {".gz": _gzip, ".zst": _zstd}


def _compressed(ending: str) -> tuple[str, ...]:
    """The endings of a format of text: plain, and with each compression."""
    return (ending, *(f"{ending}{compression}" for compression in COMPRESSIONS))


class TextWriter(Writer):
    """Rows as lines of text."""

    def write_parts(self, file: BinaryIO, path: Path, parts: Iterable[pd.DataFrame]) -> None:
        with _packed(file, path) as packed:
            for text in self.texts(parts):
                packed.write(text)

    @abstractmethod
    def texts(self, parts: Iterable[pd.DataFrame]) -> Iterator[bytes]:
        """The lines of each part, in UTF-8. Halves of characters are escaped."""


@register
class CsvWriter(TextWriter):
    """Comma-separated values, as pandas writes them."""

    endings: ClassVar[tuple[str, ...]] = _compressed(".csv")
    delimiter: ClassVar[str] = ","

    def texts(self, parts: Iterable[pd.DataFrame]) -> Iterator[bytes]:
        units: dict[Any, str] = {}
        for number, part in enumerate(parts):
            text = _with_dates_as_text(part, units).rename(columns=without_formula)
            yield text.to_csv(
                index=False, header=number == 0, sep=self.delimiter, lineterminator="\n"
            ).encode(errors="backslashreplace")


@register
class TsvWriter(CsvWriter):
    """Tab-separated values."""

    endings: ClassVar[tuple[str, ...]] = _compressed(".tsv")
    delimiter = "\t"


@register
class JsonLinesWriter(TextWriter):
    """An object a row. Blanks are null, as are infinities, which JSON lacks. Dates and
    spans of time are ISO 8601."""

    endings: ClassVar[tuple[str, ...]] = _compressed(".jsonl")

    def texts(self, parts: Iterable[pd.DataFrame]) -> Iterator[bytes]:
        units: dict[Any, str] = {}
        for part in parts:
            text = _with_dates_as_text(part, units)
            names = [str(name) for name in part.columns]
            columns = [_json_cells(text[name]) for name in part.columns]
            lines = [
                json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)
                for row in zip(*columns, strict=True)
            ]
            yield "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")


def without_formula(name: str | int) -> str | int:
    """A column's name, quoted if a spreadsheet would run it as a formula: it may come
    from an untrusted file."""
    risky = isinstance(name, str) and name.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{name}" if risky else name


@contextmanager
def _packed(file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    opener = COMPRESSIONS.get(path.suffix.lower())
    if opener is None:
        yield file
        return
    with opener(file) as packed:
        yield packed


def _with_dates_as_text(part: pd.DataFrame, units: dict[Any, str]) -> pd.DataFrame:
    """A part whose dates without a zone are text of one form from part to part: pandas
    leaves out what is zero in all rows of a part.

    Args:
        part: The part.
        units: The finest unit of each column so far, by name; it is updated.
    """
    text = part.copy(deep=False)
    for name in part.columns:
        if part[name].dtype.kind == "M" and getattr(part[name].dtype, "tz", None) is None:
            text[name] = _dates_as_text(part[name], name, units)
    return text


def _dates_as_text(series: pd.Series[Any], name: Any, units: dict[Any, str]) -> Any:
    import pandas as pd

    dates: NDArray[np.datetime64] = series.to_numpy()
    needed = next(unit for unit in UNITS if _holds(dates, unit))
    units[name] = max(units.get(name, "D"), needed, key=UNITS.index)
    texts = dates.astype(f"datetime64[{units[name]}]").astype(str).tolist()
    cells = [None if text == "NaT" else text.replace("T", " ") for text in texts]
    return pd.Series(cells, series.index, dtype=object)


def _holds(dates: NDArray[np.datetime64], unit: str) -> bool:
    import numpy as np

    cut = dates.astype(f"datetime64[{unit}]").astype(dates.dtype)
    return bool(((cut == dates) | np.isnat(dates)).all())


def _json_cells(series: pd.Series[Any]) -> list[Any]:
    """Cells as JSON has them."""
    objects = series.astype(object).where(series.notna(), None)
    return [_json_cell(cell) for cell in objects.tolist()]


def _json_cell(cell: Any) -> Any:
    if hasattr(cell, "item"):
        cell = cell.item()
    if isinstance(cell, Decimal):
        whole = cell.is_finite() and cell == cell.to_integral_value()
        cell = int(cell) if whole else float(cell)
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if cell is None or isinstance(cell, str | int):
        return cell
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
