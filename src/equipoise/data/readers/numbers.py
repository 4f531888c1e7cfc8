"""How numbers are written: the decimal mark, and what separates thousands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MARKS = {".", ","}
SEPARATORS = (",", ".", " ", "\u00a0", "\u202f", "'", "\u2019")  # of thousands
ANY_NUMBER = re.compile(
    r"[+-]?(?:\d[\d., '\u00a0\u202f\u2019]*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|infinity|nan)",
    re.ASCII | re.IGNORECASE,
)
# What stands for a missing value: no letters and no digits, or one of these words.
MISSING = re.compile(r"[^\w]+|n/?a|n\.a\.|nan|null|none|missing|unknown", re.IGNORECASE)
GLANCE = 50  # cells that tell most columns of other texts from numbers


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written."""

    decimal: str = "."
    thousands: str = ""
    """What separates groups of three digits; empty where nothing does."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches a whole number of this format. Where digits are in groups, all but
        the first have three, and the first does not begin with 0."""
        integer = r"\d+"
        if self.thousands:
            integer = rf"(?:\d+|[1-9]\d{{0,2}}(?:{re.escape(self.thousands)}\d{{3}})+)"
        mark = re.escape(self.decimal)
        return re.compile(rf"[+-]?(?:{integer}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?", re.ASCII)

    def plain(self, texts: pd.Series[Any]) -> pd.Series[Any]:
        """The same numbers as Python writes them."""
        if self.thousands:
            texts = texts.str.replace(self.thousands, "", regex=False)
        return texts.str.replace(self.decimal, ".", regex=False)


PLAIN = NumberFormat()
FORMATS = [
    NumberFormat(decimal, thousands)
    for thousands in ("", *SEPARATORS)
    for decimal in (".", ",")
    if decimal != thousands
]


def is_number(text: str) -> bool:
    """Whether a text is a number, in any format; some dates are too."""
    return ANY_NUMBER.fullmatch(text) is not None


def are_numbers(texts: Iterable[str]) -> bool:
    """Whether all are numbers or stand for missing values, and there is a number."""
    found = False
    for text in texts:
        if is_number(text):
            found = True
        elif not MISSING.fullmatch(text):
            return False
    return found


def find_format(texts: Sequence[str], lean: str = "", otherwise: str = ".") -> NumberFormat | None:
    """The one format that all numbers of a column have; None where there is none.

    "1,234" is 1.234 or 1234. That is decided by the rest of the table, then by other
    numbers of the column (in thousands, those without a comma are below 1,000), then
    by what is usual.

    Args:
        texts: The numbers.
        lean: The decimal mark of the rest of the table; empty where it is not known.
        otherwise: The decimal mark where nothing decides.
    """
    fitting = _fitting(texts)
    if not fitting or _are_codes(texts, fitting):
        return None
    of_lean = [one for one in fitting if one.decimal == lean]
    if len(fitting) == 1 or (PLAIN in fitting and not of_lean):
        return fitting[0]
    if of_lean:
        return of_lean[0]
    decimal_comma, thousands = fitting  # "1,234", the only other case
    whole = [text.lstrip("+-") for text in texts if text.lstrip("+-").isdigit()]
    if whole:
        return thousands if max(map(len, whole)) <= 3 else decimal_comma
    return decimal_comma if otherwise == "," else thousands


def decimal_mark(columns: Iterable[Iterable[str]]) -> str:
    """The decimal mark of most columns whose numbers allow one only; empty where there
    is no such column."""
    votes: list[str] = []
    for cells in columns:
        numbers = sorted({cell for cell in cells if is_number(cell)})
        marks = {one.decimal for one in _fitting(numbers)}
        if len(marks) == 1 and not MARKS.isdisjoint("".join(numbers)):
            votes += marks
    return max(sorted(set(votes)), key=votes.count, default="")


def parse_numbers(
    texts: pd.Series[Any], lean: str, otherwise: str
) -> tuple[pd.Series[Any], NumberFormat] | None:
    """A column of texts as numbers, with their format; None for other texts.

    What stands for missing values, such as "?", stays. The numbers then stay texts too,
    but as Python writes them.

    Args:
        texts: The column, with blanks or without.
        lean: See `find_format`.
        otherwise: See `find_format`.
    """
    import pandas as pd

    glance = [text for text in texts.iloc[:GLANCE].tolist() if isinstance(text, str)]
    if glance and not are_numbers(glance):
        return None
    distinct = texts.dropna().unique()
    if not are_numbers(distinct):
        return None
    numbers = {text for text in distinct if is_number(text)}
    found = find_format(sorted(numbers), lean, otherwise)
    if found is None:
        return None
    if len(numbers) == len(distinct):
        try:
            parsed = pd.to_numeric(found.plain(texts))
        except ValueError:  # of pandas 2, for whole numbers beyond 64 bits
            return None
        return (parsed, found) if parsed.dtype.kind in "iuf" else None
    if found == PLAIN:
        return None
    return texts.mask(texts.isin(list(numbers)), found.plain(texts)), found


def _fitting(texts: Sequence[str]) -> list[NumberFormat]:
    """The formats that all of these texts have, of those whose marks they have."""
    written = set().union(*texts)
    return [
        one
        for one in FORMATS
        if (not one.thousands or one.thousands in written)
        and (one.decimal == "." or one.decimal in written or one.thousands == ".")
        and all(map(one.pattern.fullmatch, texts))
    ]


def _are_codes(texts: Sequence[str], fitting: Sequence[NumberFormat]) -> bool:
    """Whether these are telephone numbers or addresses rather than numbers: all as
    long, and of three groups or more."""
    if len(texts) == 1 or not all(one.thousands for one in fitting):
        return False
    separator = fitting[0].thousands
    return len(set(map(len, texts))) == 1 and all(text.count(separator) > 1 for text in texts)
