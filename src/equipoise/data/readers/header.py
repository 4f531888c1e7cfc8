"""What comes before the rows of a table of text: comments, a title, and the names of
the columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from equipoise.data.readers.dialect import BLANKS, Dialect, find_dialect, lines_of, sample
from equipoise.data.readers.numbers import MISSING, decimal_mark, is_number

COMMENT = "#"
# Excel's own first line, which tells it the separator.
SEPARATOR_LINE = re.compile(r'\s*"?sep=([,;\t|:~^])"?\s*', re.IGNORECASE)
DATE = re.compile(r"\d[\d\s./:+-]*(?:T[\d:.+-]*)?Z?", re.ASCII)  # or a time
MIN_WIDTH_OF_TITLED = 3  # columns; a line of one cell in two columns may be a row
UNNAMED = "Unnamed: {}"  # pandas' name for a column without one
MIN_RECURRING = 0.5  # of a first line's texts, in their columns, if it is a row


@dataclass(frozen=True)
class Head:
    """What the first lines of a table of text tell."""

    dialect: Dialect
    names: tuple[str, ...]
    """Of the columns, in order; those of pandas where there are none."""
    width: int
    """Cells of most rows."""
    rows: tuple[tuple[str, ...], ...]
    """The first rows of cells."""
    before: str = ""
    """The text before the first row, names included."""
    names_line: int = 1
    """Number of the line of names in the file."""
    first_line: int = 1
    """Number of the first row's line."""
    notes: tuple[str, ...] = ()
    """What is unusual, in words."""

    @cached_property
    def decimal(self) -> str:
        """The decimal mark; empty where no number tells."""
        return decimal_mark(self.column(i) for i in range(len(self.names)))

    def column(self, i: int) -> list[str]:
        """The first cells of a column, blanks left out."""
        return [row[i] for row in self.rows if i < len(row) and row[i]]


@dataclass
class _Beginning:
    """Lines before the table, as they are passed over."""

    text: str
    start: int = 0
    lines: int = 0
    comment: str = ""
    """The last one."""
    notes: list[str] = field(default_factory=list)

    def skip(self, line: str) -> None:
        self.start += len(line)
        self.lines += 1

    @property
    def rest(self) -> str:
        return self.text[self.start :]


def find_head(text: str, *, is_whole: bool) -> Head:
    """What a table's first lines tell of it.

    Args:
        text: The first lines of the file.
        is_whole: Whether the file ends with them.

    Raises:
        ValueError: If there is no table.
    """
    beginning = _Beginning(text)
    dialect = _skip_comments(beginning)
    table = beginning.rest
    if not table.strip():
        raise ValueError("it is empty")
    dialect = dialect or find_dialect(table, is_whole=is_whole)
    rows = sample(dialect, table, is_whole=is_whole)
    if not rows:
        raise ValueError("its first line is one cell of over 131,072 characters")
    width = _width([row for _, row in rows])
    titles = 0
    while titles < len(rows) - 1 and _is_title(rows[titles][1], width):
        titles += 1
    if titles:
        beginning.notes.append(f"{_counted(titles, 'line')} of a title skipped")
    first = end = rows[titles - 1][0] if titles else 0
    cells = [row for _, row in rows[titles:]]
    if has_names(cells):
        end = rows[titles][0]
        names, cells = _names(cells[0], cells[1:], width), cells[1:]
    else:
        names = _names_elsewhere(cells, width, beginning, dialect)
    if _has_blanks_around(table, dialect):
        beginning.notes.append("blanks around cells left out")
        dialect = replace(dialect, skipinitialspace=True)
    return Head(
        dialect,
        names,
        width,
        rows=tuple(map(tuple, cells)),
        before=text[: beginning.start] + "".join(islice(lines_of(table), end)),
        names_line=beginning.lines + first + 1,
        first_line=beginning.lines + end + 1,
        notes=tuple(beginning.notes),
    )


def has_names(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of these rows has the names of columns.

    It has, where it has another kind of cell than all others of a column of numbers or
    dates. It is a row as all others where it has nothing but numbers, numbers or dates
    as those below, or texts that most often come again below.
    """
    first, rest = rows[0], rows[1:]
    if all(map(is_number, filter(None, first))):
        return _counts_up(first) and any(
            not cell.lstrip("+-").isdigit() for row in rest for cell in row
        )
    names = values = recurring = texts = 0
    for i, cell in enumerate(first):
        below = [row[i] for row in rest if i < len(row) and row[i]]
        kinds = {_kind(other) for other in below} - {"missing"}
        kind = _kind(cell)
        if not cell or kind == "missing" or not kinds:
            continue
        if kinds in ({"number"}, {"date"}):
            names += {kind} != kinds
            values += {kind} == kinds
        else:
            texts += 1
            recurring += cell in below
    if names or (values and not _are_years(first, rest)):
        return names > 0
    return not texts or recurring < MIN_RECURRING * texts


def _kind(cell: str) -> str:
    """What a cell seems to be."""
    if is_number(cell):
        return "number"
    if MISSING.fullmatch(cell) or not cell:
        return "missing"
    return "date" if DATE.fullmatch(cell) else "text"


def _are_years(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether the numbers of a first line follow one another, as years in names do, and
    are none of those in their columns."""
    places = [i for i, cell in enumerate(first) if cell.isdigit()]
    numbers = [int(first[i]) for i in places if len(first[i]) <= 4]
    return (
        len(numbers) == len(places) > 1
        and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        and not any(first[i] in (row[i] for row in rest if i < len(row)) for i in places)
    )


def _skip_comments(beginning: _Beginning) -> Dialect | None:
    """Pass over comments, and over a line that has the separator, which is returned."""
    dialect, comments = None, 0
    for line in lines_of(beginning.text):
        separator = SEPARATOR_LINE.fullmatch(line)
        if separator and dialect is None and not comments:
            dialect = Dialect(separator.group(1))
        elif line.startswith(COMMENT):
            comments += 1
            beginning.comment = line
        elif line.strip():
            break
        beginning.skip(line)
    if comments:
        beginning.notes.append(f"{_counted(comments, 'comment line')} skipped")
    return dialect


def _width(rows: Sequence[Sequence[str]]) -> int:
    """Cells of most rows, the first aside if there are others."""
    return Counter(map(len, rows[1:] or rows)).most_common(1)[0][0]


def _is_title(row: Sequence[str], width: int) -> bool:
    """Whether a row of a table of this width has no cells, or the first alone."""
    return not any(row) or (width >= MIN_WIDTH_OF_TITLED and not any(row[1:]))


def _names_elsewhere(
    rows: list[list[str]], width: int, beginning: _Beginning, dialect: Dialect
) -> tuple[str, ...]:
    """The names of columns where the first line has none: those in the last comment, or
    made up."""
    # "# a b" has a cell more than "#a b", unless that is the name of the first column.
    commented = dialect.cells(beginning.comment)
    if len(commented) != width:
        commented = dialect.cells(beginning.comment.removeprefix(COMMENT).strip())
    if len(commented) == width > 1 and beginning.comment:
        if commented[0] != COMMENT:
            commented[0] = commented[0].removeprefix(COMMENT).strip()
        beginning.notes[-1] += ", names from the last"
        return tuple(commented)
    if any(_kind(cell) == "text" for cell in rows[0]):
        beginning.notes.append("no line of names")
    return tuple(f"x{i}" for i in range(width))


def _names(first: list[str], rest: list[list[str]], width: int) -> tuple[str, ...]:
    """The names in a first line, as many as there are columns if a rule says how."""
    names = list(first)
    whole = [row for row in rest if len(row) == width]
    if whole and len(names) == width - 1:
        # Every row ends with a separator, or R has written names of rows before it.
        if not any(row[-1] for row in whole):
            names.append("")
        elif _are_row_names([row[0] for row in whole]):
            names.insert(0, "")
    while rest and len(names) > width and not names[-1]:
        del names[-1]
    return tuple(name or UNNAMED.format(i) for i, name in enumerate(names))


def _are_row_names(cells: Sequence[str]) -> bool:
    """Whether these are words, or the numbers from 1 on."""
    return not all(map(is_number, cells)) or cells == [str(i + 1) for i in range(len(cells))]


def _counts_up(first: Sequence[str]) -> bool:
    """Whether a first line says 0, 1, 2, ..., perhaps with nothing above the names of
    the rows."""
    named = list(first[0 if first[0] else 1 :])
    return len(named) > 1 and named == [str(i) for i in range(len(named))]


def _has_blanks_around(text: str, dialect: Dialect) -> bool:
    """Whether there are blanks beside a delimiter, in lines without quoted cells."""
    mark = dialect.delimiter
    return mark != BLANKS and any(
        (f"{mark} " in line or f" {mark}" in line)
        for line in lines_of(text)
        if not dialect.quotechar or dialect.quotechar not in line
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
