"""The dialect of a table of text: what separates cells, and what quotes them.

That dialect is taken whose rows have the same length, and whose cells look like
values: van den Burg, Nazábal and Sutton, "Wrangling messy CSV files by detecting row
and type patterns", 2019 (equations 1 to 3, with a row's length for its pattern).
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from equipoise.data.readers.numbers import is_number

DELIMITERS = (",", ";", "\t", "|")
BLANKS = " "  # as a delimiter: any number of blanks and tabs
NAMES = {"\t": "tab", BLANKS: "blanks"}
MAX_ROWS, MAX_CELLS = 200, 20_000  # that a dialect is judged by
# What the paper calls alpha: a row of one cell has a pattern too, hardly worth a thing.
ONE_CELL = 1e-3
# Cells with a delimiter or quotation marks in them seem to be cut in the wrong places,
# but for a comma between words.
UNLIKELY = re.compile(r",(?! )|[;\t|\"]|'.*'")
SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'[^'\n]*'(?:[,;\t|\r\n]|$)", re.MULTILINE)


@dataclass(frozen=True)
class Dialect:
    """How cells are told apart; the fields are those of `csv.Dialect`."""

    delimiter: str = ","
    """One character; " " stands for any number of blanks and tabs."""
    quotechar: str = '"'
    """Empty where quotation marks are characters as all others."""
    escapechar: str = ""
    """What stands before a quotation mark in a quoted cell; empty where two of them
    are one."""
    skipinitialspace: bool = False
    """Whether there are blanks beside delimiters. It takes pandas a sixth of its time
    to pass over them."""

    def rows(self, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
        """Each row's cells, with the number of the line it ends in, from 1 on. A line
        without any characters is an empty row.

        Raises:
            csv.Error: For a cell of over 131,072 characters.
        """
        if self.delimiter == BLANKS:
            lines = (" ".join(line.split()) for line in lines)
        reader = csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quotechar or None,
            quoting=csv.QUOTE_MINIMAL if self.quotechar else csv.QUOTE_NONE,
            escapechar=self.escapechar or None,
            doublequote=not self.escapechar,
            skipinitialspace=True,
        )
        for row in reader:
            yield reader.line_num, [cell.strip() for cell in row]

    def cells(self, line: str) -> list[str]:
        """The cells of one line; none where it has a cell that is too long."""
        try:
            return next((row for _, row in self.rows([line])), [])
        except csv.Error:
            return []

    @property
    def separator(self) -> str:
        """The delimiter's name in messages."""
        return NAMES.get(self.delimiter, repr(self.delimiter))

    def described(self) -> list[str]:
        """What differs from commas and plain quotation marks, in words."""
        words = []
        if self.delimiter != ",":
            words.append(f"separator {self.separator}")
        if not self.quotechar:
            words.append("quotation marks kept as characters")
        elif self.quotechar != '"':
            words.append(f"quotation mark {self.quotechar}")
        if self.escapechar:
            words.append(f"quotation marks escaped by {self.escapechar}")
        return words


def lines_of(text: str) -> Iterable[str]:
    """The lines with what ends them: \\n, \\r\\n or \\r."""
    return io.StringIO(text, newline="")


def find_dialect(text: str, *, is_whole: bool) -> Dialect:
    """The dialect of a table that begins with this text.

    Args:
        text: Its first lines, without comments.
        is_whole: Whether the table ends with it.
    """
    best, most = Dialect(), 0.0
    for delimiter, (quotechar, escapechar) in product(DELIMITERS, _quotings(text)):
        dialect = Dialect(delimiter, quotechar, escapechar)
        score = _score(sample(dialect, text, is_whole=is_whole))
        if score > most * (1 + 1e-9):  # the plainest of those that are as good
            best, most = dialect, score
    if any(len(row) > 1 for _, row in sample(best, text, is_whole=is_whole)):
        return best
    blanks = Dialect(BLANKS)
    return blanks if _is_aligned(sample(blanks, text, is_whole=is_whole)) else Dialect()


def sample(dialect: Dialect, text: str, *, is_whole: bool) -> list[tuple[int, list[str]]]:
    """The first rows of a text as `Dialect.rows` gives them, but no blank lines, none
    that is cut off, and none after a cell that is too long for the csv module."""
    rows: list[tuple[int, list[str]]] = []
    cells = 0
    try:
        for line, row in dialect.rows(lines_of(text)):
            if len(rows) == MAX_ROWS or cells > MAX_CELLS:
                return rows
            if row not in ([], [""]):
                rows.append((line, row))
                cells += len(row)
    except csv.Error:
        return rows
    return rows if is_whole or len(rows) < 2 else rows[:-1]


def _quotings(text: str) -> list[tuple[str, str]]:
    """Quotation marks, and what escapes them, that a text may have."""
    quotings = [('"', "")]
    if '\\"' in text:
        quotings.append(('"', "\\"))
    if '"' in text:
        quotings.append(("", ""))
    elif SINGLE_QUOTED.search(text):
        quotings.append(("'", ""))
    return quotings


def _score(numbered: list[tuple[int, list[str]]]) -> float:
    """The paper's consistency: patterns of rows times types of cells."""
    rows = [row for _, row in numbered]
    lengths = Counter(map(len, rows))
    if not lengths:
        return 0.0
    pattern = sum(
        times * max(ONE_CELL, length - 1) / length for length, times in lengths.items()
    ) / len(lengths)
    cells = [cell for row in rows for cell in row][:MAX_CELLS]
    likely = sum(not UNLIKELY.search(cell) or is_number(cell) for cell in cells)
    return pattern * likely / len(cells)


def _is_aligned(numbered: list[tuple[int, list[str]]]) -> bool:
    """Whether rows of words are a table: all as long, with a column of numbers. R does
    not write a name above the names of its rows."""
    (_, first), *below = numbered or [(0, [])]
    rows = [row for _, row in below] or [first]
    width = len(rows[0])
    if len(first) < 2 or len(first) not in (width, width - 1) or {*map(len, rows)} != {width}:
        return False
    return any(all(map(is_number, column)) for column in zip(*rows, strict=True))
