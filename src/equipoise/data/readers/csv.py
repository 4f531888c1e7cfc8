"""Comma-separated values and their kin: a table of text as pandas reads it, whatever
its separator, encoding and format of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from equipoise.data.readers.base import (
    FileContent,
    listed_columns,
    refuse_columns,
    refuse_repeated,
    register,
    require,
)
from equipoise.data.readers.cells import (
    is_text,
    replaced,
    tidy,
    with_whole_numbers,
    without_row_numbers,
)
from equipoise.data.readers.compression import TextFile, with_compressions
from equipoise.data.readers.dialect import BLANKS
from equipoise.data.readers.encoding import NAMES, decode, encodings
from equipoise.data.readers.header import UNNAMED, Head, find_head
from equipoise.data.readers.lines import refuse_odd_lines
from equipoise.data.readers.misnamed import refuse_misnamed
from equipoise.data.readers.numbers import NumberFormat, are_numbers, is_number
from equipoise.data.readers.parsing import (
    parse_table,
    parse_texts,
    parsed_decimal,
    with_long_numbers,
)
from equipoise.data.readers.text import TextReader
from equipoise.errors import RequestError, first_line

if TYPE_CHECKING:
    import pandas as pd

HEAD_BYTES, MAX_HEAD_BYTES = 1 << 17, 1 << 21
ENOUGH_LINES = 20  # in the first bytes, to tell the dialect by
# Memory of a cell while pandas reads a table, beside its text. Measured: 1 to 12 of
# numbers, 10 to 60 of other texts.
NUMBER_BYTES, TEXT_BYTES = 16, 64
# What people write for a value as well, of the words that pandas reads as blanks.
BLANK_WORDS = {"NA", "N/A", "n/a", "NULL", "null", "None"}


@register
class CsvReader(TextReader):
    """A table of text, with or without a line of names."""

    endings: ClassVar[tuple[str, ...]] = with_compressions(".csv")
    summary = "a table of text, its cells separated by commas, semicolons, tabs, | or blanks"

    def claimed_by_text(self, file: TextFile) -> int:
        _, head = next(_heads(file))
        number = NumberFormat(parsed_decimal(head)).pattern.fullmatch
        texts = sum(not all(map(number, head.column(i))) for i in range(len(head.names)))
        cell_bytes = NUMBER_BYTES + (TEXT_BYTES - NUMBER_BYTES) * texts / len(head.names)
        delimiter = " \t" if head.dialect.delimiter == BLANKS else head.dialect.delimiter
        return file.memory((delimiter + "\n\r").encode(), cell_bytes)

    def read_text(self, file: TextFile) -> FileContent:
        require("pandas", file.path)
        failure = "its encoding is not known"
        for encoding, head in _heads(file):
            try:
                return _content(file, encoding, head)
            except UnicodeDecodeError as error:  # further down
                failure = first_line(error)
        raise RequestError(f"{file.name} is not text throughout: {failure}; save it as UTF-8")


def _heads(file: TextFile) -> Iterator[tuple[str, Head]]:
    """The encodings that the file may have, each with what its first lines then tell.

    Raises:
        RequestError: If it is no text, or has too many columns.
    """
    size = HEAD_BYTES
    while True:
        raw = file.head(size + 1)
        is_whole = len(raw) <= size
        lines = max(raw.count(end) - raw.count(end + b"#") for end in (b"\n", b"\r"))
        if is_whole or lines >= ENOUGH_LINES or size >= MAX_HEAD_BYTES:
            break
        size *= 4
    refuse_misnamed(file, raw)
    first = raw.partition(b"\n")[0]
    refuse_columns(file.path, 1 + max(map(first.count, (b",", b";", b"\t", b"|"))))
    failure: UnicodeDecodeError | None = None
    for encoding in encodings(raw):
        try:
            text = decode(raw[:size], encoding, is_whole=is_whole)
        except UnicodeDecodeError as error:
            failure = error
            continue
        head = find_head(text, is_whole=is_whole)
        refuse_columns(file.path, max(map(len, [head.names, *head.rows])))
        yield encoding, head
    if failure is not None:
        raise RequestError(f"{file.name} is not text: {first_line(failure)}; save it as UTF-8")


def _content(file: TextFile, encoding: str, head: Head) -> FileContent:
    """The table, with a note on how it was read."""
    refuse_repeated(file.name, head.names)
    coded = [name for i, name in enumerate(head.names) if _has_leading_zeros(head.column(i))]
    frame, head = parse_table(file, encoding, head, dict.fromkeys(coded, str))
    frame, late = _with_late_codes(file, encoding, head, frame)
    coded += late
    blank_notes: list[str] = []
    if head.width > 1 and frame.iloc[:, -1].isna().any():
        refuse_odd_lines(file, encoding, head, len(frame))
        rows = len(frame)
        frame = _without_blank_end(frame)
        if len(frame) < rows:
            blank_notes = [f"{rows - len(frame):,} rows of blanks at the end left out"]
    frame, formats = tidy(
        frame,
        texts=coded,
        padded=_padded(head),
        lean=head.decimal,
        otherwise="," if head.dialect.delimiter == ";" else ".",
    )
    frame = with_long_numbers(file, encoding, head, frame)
    frame = with_whole_numbers(frame, _real(head, formats))
    read_as = [*head.dialect.described(), *filter(None, [NAMES[encoding]]), *head.notes]
    read_as += _number_notes(formats, parsed_decimal(head))
    if coded:
        read_as.append(f"leading zeros kept in {listed_columns(coded)}")
    read_as += [*_words_for_blanks(head, frame), *blank_notes]
    notes = [f"read as: {', '.join(read_as)}"] if read_as else []
    frame, note = without_row_numbers(_without_empty(frame))
    return FileContent(
        frame,
        note="; ".join([*notes, *note]),
        codes=tuple(coded),
        as_written=partial(parse_texts, file, encoding, head),
    )


def _has_leading_zeros(cells: Sequence[str]) -> bool:
    """Whether cells are codes such as postal ones: digits of one length, some of which
    begin with 0."""
    return (
        len(set(map(len, cells))) == 1
        and len(cells[0]) > 1
        and all(cell.isascii() and cell.isdigit() for cell in cells)
        and any(cell.startswith("0") for cell in cells)
    )


def _with_late_codes(
    file: TextFile, encoding: str, head: Head, frame: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """The table with codes as texts whose first leading zero is further down than the
    first lines, and the names of their columns. Columns that may be such are read
    again."""
    columns = enumerate(head.names)
    maybe = [name for i, name in columns if _are_maybe_codes(head.column(i), frame[name])]
    if not maybe:
        return frame, []
    texts = parse_texts(file, encoding, head, maybe)
    codes = {
        name: texts[name] for name in maybe if _has_leading_zeros(texts[name].dropna().tolist())
    }
    return replaced(frame, codes), [*codes]


def _are_maybe_codes(first: Sequence[str], column: pd.Series[Any]) -> bool:
    """Whether the numbers of a column may be codes without their leading zeros: the
    first are as long as each other, and one is shorter."""
    lengths = {*map(len, first)}
    if column.dtype.kind not in "iuf" or len(lengths) != 1 or not all(map(str.isdigit, first)):
        return False
    (length,) = lengths
    ends = column.min(), column.max()
    return length > 1 and bool(0 <= ends[0] < 10 ** (length - 1) and ends[1] < 10**length)


def _real(head: Head, formats: dict[str, NumberFormat]) -> set[str]:
    """Columns that have a number with a decimal mark or an exponent in the first lines,
    "23.0" or "1e3"."""
    parsed = NumberFormat(parsed_decimal(head))
    found = set()
    for i, name in enumerate(head.names):
        marks = {formats.get(name, parsed).decimal, "e", "E"}
        numbers = filter(is_number, map(str.strip, head.column(i)))
        if not all(map(marks.isdisjoint, numbers)):
            found.add(name)
    return found


def _padded(head: Head) -> set[str]:
    """Columns that may have blanks around texts: all where some in the first lines
    have, else those that seemed to hold numbers, where one blank cell makes texts of
    all."""
    if head.dialect.skipinitialspace:
        return set(head.names)
    columns = enumerate(head.names)
    return {name for i, name in columns if are_numbers(head.column(i))}


def _without_blank_end(frame: pd.DataFrame) -> pd.DataFrame:
    """The table without the lines of mere separators that spreadsheets write below
    it."""
    if not frame.iloc[-1].isna().all():
        return frame
    filled = frame.notna().any(axis=1)
    return frame.iloc[: int(filled.to_numpy().nonzero()[0].max(initial=-1)) + 1]


def _without_empty(frame: pd.DataFrame) -> pd.DataFrame:
    """The table without what separators at the ends of all lines make: a last column of
    no name and no values."""
    last = len(frame.columns) - 1
    is_empty = frame.columns[last] == UNNAMED.format(last) and frame.iloc[:, last].isna().all()
    return frame.iloc[:, :last] if is_empty and last else frame


def _number_notes(formats: dict[str, NumberFormat], parsed: str) -> list[str]:
    """How numbers are written, in words.

    Args:
        formats: Of columns that were no numbers to pandas.
        parsed: The decimal mark that pandas was told.
    """
    words = ["decimal comma"] if parsed == "," else []
    commas = [name for name, one in formats.items() if one == NumberFormat(",")]
    if commas and parsed != ",":
        words.append(f"decimal comma in {listed_columns(commas)}")
    for separator in sorted({one.thousands for one in formats.values()} - {""}):
        names = [name for name, one in formats.items() if one.thousands == separator]
        words.append(f"thousands separator {separator!r} in {listed_columns(names)}")
    return words


def _words_for_blanks(head: Head, frame: pd.DataFrame) -> list[str]:
    """Which words pandas has read as blanks among texts, where it could be no blank."""
    found = {
        name: words
        for i, name in enumerate(head.names)
        if (words := BLANK_WORDS.intersection(head.column(i))) and is_text(frame[name])
    }
    if not found:
        return []
    listed = ", ".join(map(repr, sorted(set().union(*found.values()))))
    return [f"{listed} read as blank in {listed_columns(list(found))}"]
