"""Excel workbooks, by openpyxl. Text is written as text, whatever it begins with: no
cell becomes a formula."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from equipoise.data.writers.base import Writer, register
from equipoise.errors import RequestError, clipped

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS, MAX_COLUMNS = 2**20, 2**14  # of a sheet, the line of names included


@register
class XlsxWriter(Writer):
    """A workbook of one sheet, whose rows are not kept in memory."""

    endings: ClassVar[tuple[str, ...]] = (".xlsx",)
    package: ClassVar[str | None] = "openpyxl"
    install: ClassVar[str] = "openpyxl"

    def write_parts(self, file: BinaryIO, path: Path, parts: Iterable[pd.DataFrame]) -> None:
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet("Sheet1")
        rows = 1
        for number, part in enumerate(parts):
            rows += len(part)
            if rows > MAX_ROWS or len(part.columns) > MAX_COLUMNS:
                raise RequestError(
                    f"{path.name} would have over {MAX_ROWS:,} rows or {MAX_COLUMNS:,} columns, "
                    "more than a sheet holds: write a .csv or .parquet file"
                )
            if number == 0:
                sheet.append([_cell(sheet, path, str(name)) for name in part.columns])
            columns = [_cells(part[name]) for name in part.columns]
            for row in zip(*columns, strict=True):
                sheet.append([_cell(sheet, path, cell) for cell in row])
        book.save(file)


def _cells(series: pd.Series[Any]) -> list[Any]:
    """Cells as objects of Python, None for blanks."""
    objects: list[Any] = series.astype(object).where(series.notna(), None).tolist()
    return objects


def _cell(sheet: Any, path: Path, cell: Any) -> Any:
    """A cell as openpyxl takes it. Times with a zone, which Excel lacks, are text."""
    import datetime

    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils.exceptions import IllegalCharacterError

    if cell is None or isinstance(cell, bool | int | float | Decimal):
        return cell
    if hasattr(cell, "to_pytimedelta"):
        return cell.to_pytimedelta()
    if isinstance(cell, datetime.datetime) and cell.tzinfo is None:
        return cell.to_pydatetime() if hasattr(cell, "to_pydatetime") else cell
    if isinstance(cell, datetime.date | datetime.time | datetime.timedelta) and not isinstance(
        cell, datetime.datetime
    ):
        return cell
    text = cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
    try:
        made = WriteOnlyCell(sheet, text)
    except IllegalCharacterError:
        raise RequestError(
            f"{path.name} cannot hold the control characters of {clipped(repr(text))}: write a "
            ".csv or .jsonl file"
        ) from None
    made.data_type = "s"
    return made
