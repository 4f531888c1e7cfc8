"""Numbers as people write them: 1,234.50, 1.234,50, $12, 45 %, and back."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

CURRENCIES = "$€£¥₹₽₩"
MAX_UNIT = 8  # characters after a number
# Marks before decimals and between thousands, the likelier ones first: "1,234" is a
# thousand and more, unless another number of the column shows that it is not.
MARKS = ((".", ""), (".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'"),
         (".", "\u00a0"), (",", "\u00a0"), (".", "\u202f"), (",", "\u202f"))  # fmt: skip
EXPONENT = r"(?:[eE][+-]?\d{1,3})?"
SPACES = r"\s\u00a0\u202f"
UNIT = rf"[^\d.,\-+]\D{{0,{MAX_UNIT - 1}}}"
SHAPE = re.compile(rf"-?([{CURRENCIES}]? ?)-?([\d.,'{SPACES}]*\d{EXPONENT})({UNIT}|)")
HEAD = 50  # texts among which the first number is looked for


@dataclass(frozen=True)
class NumberText:
    """How a column of text writes its numbers."""

    mark: str = "."
    """Between the whole number and its decimals."""
    thousands: str = ""
    prefix: str = ""
    suffix: str = ""
    fixed: bool = False
    """Whether all have as many decimals, zeros at the end too."""

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as in programs."""
        return (self.mark, self.thousands, self.prefix, self.suffix) == (".", "", "", "")

    @property
    def is_valid(self) -> bool:
        """Whether what comes from a file is a way to write numbers."""
        short = all(len(affix) <= MAX_UNIT + 1 for affix in (self.prefix, self.suffix))
        return (self.mark, self.thousands) in MARKS and short

    def pattern(self) -> re.Pattern[str]:
        """What a number looks like. Codes with zeros in front, such as 00123, are none,
        nor are phone numbers with +, or accounts of more digits than floats hold."""
        mark, thousands = re.escape(self.mark), re.escape(self.thousands)
        whole = r"(?:0|[1-9]\d{0,14})"
        if thousands:
            whole = rf"(?:0|[1-9]\d{{0,2}}(?:{thousands}\d{{3}}){{1,4}}|[1-9]\d{{0,2}})"
        decimals = rf"(?:{mark}\d+)?"
        number = rf"(?:{whole}{decimals}|{mark}\d+){'' if thousands else EXPONENT}"
        before, after = re.escape(self.prefix), re.escape(self.suffix)
        return re.compile(rf"\s*(?:-?{before}|{before}-)({number}){after}\s*")

    def parse(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The numbers, (M,), NaN for a text that is none."""
        pattern = self.pattern()
        numbers = np.full(len(texts), np.nan)
        for row, text in enumerate(texts):
            found = pattern.fullmatch(text)
            if found is not None:
                bare = found[1].replace(self.thousands, "").replace(self.mark, ".")
                number = float(bare)
                if math.isfinite(number):
                    numbers[row] = -number if "-" in text[: found.start(1)] else number
        return numbers

    def write(self, numbers: NDArray[np.float64], decimals: int | None) -> list[str]:
        """Numbers as text.

        Args:
            numbers: Finite ones, (N,).
            decimals: How many they are rounded to; None for all digits they have.
        """
        listed = numbers.tolist()
        if decimals is None:
            texts = [repr(number).removesuffix(".0") for number in listed]
        else:
            comma = "," if self.thousands else ""
            texts = [f"{number:{comma}.{decimals}f}" for number in listed]
            if decimals and not self.fixed:
                texts = [text.rstrip("0").rstrip(".") for text in texts]
        if self.mark != "." or self.thousands not in ("", ","):
            table = str.maketrans({",": self.thousands, ".": self.mark})
            texts = [text.translate(table) for text in texts]
        if not self.prefix and not self.suffix:
            return texts
        return [
            f"-{self.prefix}{text[1:]}{self.suffix}"
            if text.startswith("-")
            else f"{self.prefix}{text}{self.suffix}"
            for text in texts
        ]


def find_number_text(texts: Sequence[str]) -> NumberText | None:
    """How these texts write numbers: of the ways in which the first number can be read,
    that in which most of the others can. None if there is no number at the start."""
    first = next((found for text in texts[:HEAD] if (found := SHAPE.fullmatch(text.strip()))), None)
    if first is None:
        return None
    best, most = None, 0
    for marks in MARKS:
        way = NumberText(*marks, first[1], first[3])
        read = sum(map(bool, map(way.pattern().fullmatch, texts)))
        if read > most:
            best, most = way, read
        if read == len(texts):
            break
    if best is None:
        return None
    pattern = best.pattern()
    places = {_decimals(text, best) for text in texts if pattern.fullmatch(text)}
    return replace(best, fixed=len(places) == 1)


def _decimals(text: str, way: NumberText) -> int:
    """The decimals that a number is written with."""
    bare = text.strip().removesuffix(way.suffix)
    return len(bare.rpartition(way.mark)[2]) if way.mark in bare else 0
