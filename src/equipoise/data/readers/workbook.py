"""What an Excel workbook would take in memory, found by passing over its parts.

A workbook is a ZIP archive of XML. A few bytes of it may claim a cell in the last row
and column, or hold entities that grow without bounds.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from equipoise.data.readers.archive import METHODS, directory_bytes
from equipoise.data.readers.base import refuse_columns, refuse_too_large
from equipoise.data.readers.compression import BLOCK_BYTES
from equipoise.errors import RequestError

MAX_ROWS, MAX_SHEET_COLUMNS = 2**20, 2**14  # of a sheet of Excel
# Memory while openpyxl and pandas read: of a cell that is there, of a place in the
# table, and of any other element, such as one of a style. Measured: 210, 19 and 610.
CELL_BYTES, PLACE_BYTES, ELEMENT_BYTES = 250, 24, 1_000
CELL_ELEMENTS = {"row", "c", "v", "f", "is", "si", "t", "r"}


@dataclass
class _Part:
    """Counts of a part's elements, filled in by the parser."""

    path: Path
    rows: int = 0
    columns: int = 0
    cells: int = 0
    others: int = 0
    column: int = 0
    """The column of the cell before."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Count an element."""
        tag = name if name in CELL_ELEMENTS else name.rpartition(":")[2]
        if tag == "c":
            self.cells += 1
            reference = attributes.get("r")
            self.column = _column(reference) if reference else self.column + 1
            self.columns = max(self.columns, self.column)
        elif tag == "row":
            self.rows = max(self.rows, int(attributes.get("r") or self.rows + 1))
            self.column = 0
            if self.rows > MAX_ROWS:
                raise RequestError(
                    f"{self.path.name} has a row number of {self.rows:,}: Excel has {MAX_ROWS:,} "
                    "rows; it is damaged"
                )
        elif tag == "si":
            self.cells += 1
        elif tag not in CELL_ELEMENTS:
            self.others += 1

    def refuse_doctype(self, *_: Any) -> NoReturn:
        """Refuse what entities are declared in: Excel writes none."""
        raise RequestError(
            f"{self.path.name} declares XML entities, which can fill any memory: save it again "
            "in Excel or LibreOffice"
        )

    @property
    def memory(self) -> int:
        places = self.rows * self.columns
        return CELL_BYTES * self.cells + PLACE_BYTES * places + ELEMENT_BYTES * self.others


def workbook_memory(path: Path) -> int:
    """Bytes of memory that reading a workbook takes.

    Raises:
        RequestError: For entities, too many columns, or a compression that may take any
            memory.
    """
    refuse_too_large(path, directory_bytes(path))
    size = 0
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.compress_type not in METHODS:
                raise RequestError(
                    f"{path.name} is compressed by method {entry.compress_type} of ZIP, which is "
                    "not read: save it again in Excel or LibreOffice"
                )
            if entry.filename.lower().endswith((".xml", ".rels")):
                size += _part_memory(path, archive, entry)
                refuse_too_large(path, size)
    return size


def _part_memory(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    from xml.parsers import expat

    part, parser, length = _Part(path), expat.ParserCreate(), 0
    parser.StartElementHandler = part.start
    parser.StartDoctypeDeclHandler = part.refuse_doctype
    with archive.open(entry) as content:
        while block := content.read(BLOCK_BYTES):
            parser.Parse(block, False)
            length += len(block)
            refuse_columns(path, part.columns)
            refuse_too_large(path, part.memory + length)
    parser.Parse(b"", True)
    return part.memory + length


def _column(reference: str) -> int:
    """The number of a cell's column, from 1 on: 28 for "AB7"."""
    number = 0
    for letter in reference.upper():
        if not "A" <= letter <= "Z" or number > MAX_SHEET_COLUMNS:
            break
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
