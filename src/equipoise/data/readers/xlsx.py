"""Excel workbooks: the table in the first sheet."""

from __future__ import annotations

import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from equipoise.data.readers.base import (
    FileContent,
    Reader,
    listed_columns,
    refuse_repeated,
    register,
    require,
)
from equipoise.data.readers.cells import plain_objects, replaced, without_row_numbers
from equipoise.data.readers.header import MIN_WIDTH_OF_TITLED, UNNAMED, has_names
from equipoise.data.readers.workbook import workbook_memory
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

OLD_FORMAT = b"\xd0\xcf\x11\xe0"  # which a workbook with a password has too
SAMPLE_ROWS = 200  # that tell whether the first has names


@register
class XlsxReader(Reader):
    """A table in a workbook, by pandas and openpyxl. Formulas are not computed: the
    values that were saved with them are read."""

    endings: ClassVar[tuple[str, ...]] = (".xlsx",)
    summary = "an Excel workbook, of which the first sheet is read"
    has_columns = True

    def claimed_bytes(self, path: Path) -> int:
        with path.open("rb") as file:
            if file.read(len(OLD_FORMAT)) == OLD_FORMAT:
                raise RequestError(
                    f"{path.name} is protected by a password, or has the format of old Excel: "
                    "save it as .xlsx without one"
                )
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no Excel workbook")
        return workbook_memory(path)

    def read(self, path: Path) -> FileContent:
        require("pandas", path)
        require("openpyxl", path)
        import pandas as pd

        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # of what openpyxl leaves out, such as styles
            with pd.ExcelFile(file, engine="openpyxl") as book:
                sheets = [str(name) for name in book.sheet_names]
                cells = book.parse(0, header=None, dtype=object)
        frame, notes = _table(path, cells)
        if sheets[1:]:
            notes.insert(
                0,
                f"read as: the first sheet, {listed_columns(sheets[:1])}, without "
                f"{listed_columns(sheets[1:])}",
            )
        return FileContent(frame, note="; ".join(notes))


def _table(path: Path, cells: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table in a sheet, and notes on it.

    Raises:
        RequestError: For several columns of one name.
    """
    notes: list[str] = []
    cells = cells.dropna(how="all").dropna(how="all", axis=1)
    while len(cells) > 1 and len(cells.columns) >= MIN_WIDTH_OF_TITLED and _is_title(cells):
        cells = cells.iloc[1:].dropna(how="all", axis=1)
        notes = ["the title above the table is left out"]
    if cells.empty:
        raise ValueError("its first sheet is empty")
    sample = [
        [_text(cell) for cell in row] for row in cells.iloc[:SAMPLE_ROWS].itertuples(index=False)
    ]
    names = [f"x{i}" for i in range(len(cells.columns))]
    if has_names(sample):
        names = [name or UNNAMED.format(i) for i, name in enumerate(sample[0])]
        cells = cells.iloc[1:]
    refuse_repeated(path.name, names)
    frame = _with_whole_numbers(cells.reset_index(drop=True).set_axis(names, axis=1))
    frame = frame.infer_objects()
    left = {name: plain_objects(frame[name]) for name in names if frame[name].dtype == object}
    frame = replaced(frame, left)
    if blank := [name for name in names if frame[name].isna().all()]:
        notes.append(
            f"nothing is in {listed_columns(blank)}: formulas have values once Excel has saved them"
        )
    frame, note = without_row_numbers(frame)
    return frame, [*notes, *note]


def _with_whole_numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells, whole numbers beside blanks as such."""
    import pandas as pd

    whole: dict[str, pd.Series[Any]] = {}
    for name in cells.columns:
        column = cells[name]
        if column.isna().any() and pd.api.types.infer_dtype(column, skipna=True) == "integer":
            with suppress(OverflowError):  # beyond 64 bits
                whole[name] = column.astype("Int64")
    return replaced(cells, whole)


def _is_title(cells: pd.DataFrame) -> bool:
    return int(cells.iloc[0].notna().sum()) == 1


def _text(cell: Any) -> str:
    """A cell as text; nothing for a blank one."""
    import pandas as pd

    return "" if pd.isna(cell) else str(cell).strip()
