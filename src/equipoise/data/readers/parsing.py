"""A table of text as pandas parses it, once its first lines are known."""

from __future__ import annotations

import csv
import io
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from equipoise.data.readers.cells import MAX_EXACT, replaced
from equipoise.data.readers.compression import TextFile
from equipoise.data.readers.dialect import BLANKS
from equipoise.data.readers.header import Head
from equipoise.data.readers.lines import look_at_lines, refuse_odd_lines
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd


def parse_table(
    file: TextFile, encoding: str, head: Head, dtype: dict[str, Any]
) -> tuple[pd.DataFrame, Head]:
    """The table as pandas reads it.

    Args:
        file: The table.
        encoding: Its encoding.
        head: What its first lines told.
        dtype: Types of columns that pandas is not to infer.

    Returns:
        The table, and what was learned of its dialect meanwhile.

    Raises:
        RequestError: For lines of different lengths, or a quotation mark that is not
            closed.
        UnicodeDecodeError: For another encoding.
    """
    import pandas as pd

    if len(head.names) != head.width:
        refuse_odd_lines(file, encoding, head)
    try:
        frame = _parsed(file, encoding, head, dtype=dtype)
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        if "EOF inside string" not in str(error):
            refuse_odd_lines(file, encoding, head)
            if head.dialect.skipinitialspace:
                raise
            # Blanks before quotation marks, further down.
            spaced = replace(head.dialect, skipinitialspace=True)
            return parse_table(file, encoding, replace(head, dialect=spaced), dtype)
        unquoted = replace(head, dialect=replace(head.dialect, quotechar=""))
        if look_at_lines(file, encoding, unquoted)[0] is not None:
            _, line = look_at_lines(file, encoding, head)
            raise RequestError(
                f"{file.name}: a quotation mark in line {line:,} is never closed: close it, or "
                f"leave the line out (sed {line}d FILE > NEW)"
            ) from None
        head = unquoted
        frame = _parsed(file, encoding, head, dtype=dtype)
    return frame, head


def _parsed(file: TextFile, encoding: str, head: Head, **options: Any) -> pd.DataFrame:
    """The table, in parts that fit the processor's cache; as a whole where the parts
    would have different types.

    Raises:
        ParserError: For a line that is longer than those before it, or the first row.
        ParserWarning: For a first row that is longer than the names.
    """
    import pandas as pd

    dialect = head.dialect
    options |= {
        "sep": r"\s+" if dialect.delimiter == BLANKS else dialect.delimiter,
        "quoting": csv.QUOTE_MINIMAL if dialect.quotechar else csv.QUOTE_NONE,
        "escapechar": dialect.escapechar or None,
        "doublequote": not dialect.escapechar,
        "decimal": parsed_decimal(head),
        "header": None,
        "names": list(head.names),
    }
    if dialect.quotechar:
        options["quotechar"] = dialect.quotechar
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        warnings.simplefilter("error", pd.errors.DtypeWarning)
        for low_memory in (True, False):
            with io.TextIOWrapper(file.open(), encoding, newline="") as text:
                text.read(len(head.before))
                try:
                    frame: pd.DataFrame = pd.read_csv(
                        text,
                        engine="c",
                        index_col=False,
                        skipinitialspace=dialect.skipinitialspace,
                        low_memory=low_memory,
                        **options,
                    )
                    return frame
                except pd.errors.DtypeWarning:
                    continue
    raise AssertionError("a table in one piece has one type a column")


def parse_texts(file: TextFile, encoding: str, head: Head, names: list[str]) -> pd.DataFrame:
    """Some columns of a table that `parse_table` has read, as they are written."""
    return _parsed(file, encoding, head, usecols=names, dtype=str)


def parsed_decimal(head: Head) -> str:
    """The decimal mark that pandas is told."""
    return head.decimal if head.decimal and head.decimal != head.dialect.delimiter else "."


def with_long_numbers(
    file: TextFile, encoding: str, head: Head, frame: pd.DataFrame
) -> pd.DataFrame:
    """The table with all digits of whole numbers of 16 and more, which are rounded
    where blanks among them have made them floats."""
    floats = frame.select_dtypes("float64")
    rounded = list(floats.columns[(floats.abs() > MAX_EXACT).any()])
    if not rounded:
        return frame
    texts = parse_texts(file, encoding, head, rounded)
    whole: dict[str, pd.Series[Any]] = {}
    for name in rounded:
        if texts[name].dropna().str.fullmatch(r"\s*[+-]?[0-9]+\s*").all():
            whole[name] = _whole(texts[name].str.strip())
    return replaced(frame, whole)


def _whole(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Whole numbers with all of their digits, as texts where 64 bits do not hold
    them."""
    for dtype in ("Int64", "UInt64"):
        try:
            return texts.astype(dtype)
        except (ValueError, OverflowError, TypeError):
            continue
    return texts
