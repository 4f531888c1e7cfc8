"""Lines of a table of text that have more or fewer cells than the others.

pandas refuses longer lines, but fills up shorter ones with blanks.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import NoReturn

from equipoise.data.readers.compression import BLOCK_BYTES, TextFile, count_bytes
from equipoise.data.readers.dialect import BLANKS
from equipoise.data.readers.header import COMMENT, Head
from equipoise.errors import RequestError

ONE_BYTE = ("utf-8", "utf-8-sig", "cp1252", "latin-1")  # for each character of ASCII


@dataclass(frozen=True)
class OddLine:
    """A line whose number of cells is not the table's."""

    number: int
    """From 1 on."""
    cells: int
    is_end: bool
    """Whether the file ends in it, without a line break."""
    is_comment: bool = False


def refuse_odd_lines(file: TextFile, encoding: str, head: Head, rows: int | None = None) -> None:
    """Check that all lines have as many cells.

    Args:
        file: The table.
        encoding: Its encoding.
        head: What its first lines told.
        rows: Rows that pandas read; None where it refused to.

    Raises:
        RequestError: For the first line that has not.
    """
    if len(head.names) != head.width:
        _refuse(file, head, OddLine(head.names_line, len(head.names), False))
    if rows is not None and _has_all_delimiters(file, encoding, head, rows):
        return
    odd, _ = look_at_lines(file, encoding, head)
    if odd is not None:
        _refuse(file, head, odd)


def look_at_lines(file: TextFile, encoding: str, head: Head) -> tuple[OddLine | None, int]:
    """The first line with another number of cells, if there is one, and the number of
    the line in which the last row begins that was looked at. A cell that is too long
    for the csv module ends the search."""
    passed, line = 0, head.first_line
    with io.TextIOWrapper(file.open(), encoding, newline="") as text:
        text.read(len(head.before))
        try:
            for end, row in head.dialect.rows(text):
                line, passed = head.first_line + passed, end
                if row in ([], [""]):
                    continue
                if len(row) != head.width:
                    is_end = len(row) < head.width and not text.read(1)
                    return OddLine(line, len(row), is_end, row[0].startswith(COMMENT)), line
        except csv.Error:
            pass
    return None, line


def _has_all_delimiters(file: TextFile, encoding: str, head: Head, rows: int) -> bool:
    """Whether the file has as many delimiters as its rows need, and no quotation marks
    in which others could be."""
    delimiter, quote = head.dialect.delimiter.encode(), head.dialect.quotechar.encode()
    if encoding not in ONE_BYTE or head.dialect.delimiter == BLANKS:
        return False
    found = -head.before.count(head.dialect.delimiter)
    with file.open() as content:
        while block := content.read(BLOCK_BYTES):
            if quote and quote in block:
                return False
            found += count_bytes(block, delimiter)
    return found == rows * (head.width - 1)


def _refuse(file: TextFile, head: Head, odd: OddLine) -> NoReturn:
    width = head.width
    found = (
        f"{file.name}: line {odd.number:,} has {odd.cells:,} cell{'s' * (odd.cells != 1)}, "
        f"expected {width:,}"
    )
    if odd.is_comment:
        raise RequestError(f"{found}: leave comments out (grep -v '^#' FILE > NEW)")
    if odd.is_end:
        raise RequestError(f"{found}: the file ends there, in the middle of a line; get it whole")
    if width == 1:
        raise RequestError(f"{found}: this is no table, or every line needs the same separators")
    remedy = "give it the cells that are missing"
    if odd.cells > width:
        separator = head.dialect.separator
        remedy = f"put quotation marks around cells that hold the separator, {separator}"
    raise RequestError(f"{found}: {remedy}, or leave it out (sed {odd.number}d FILE > NEW)")
