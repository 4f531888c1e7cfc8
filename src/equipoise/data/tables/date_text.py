"""Dates and times as people write them, and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import RequestError, clipped

# The likelier ones first: as pandas does, 01/02/2024 is read as the second of January,
# unless another date of the column shows that it is not.
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y",
         "%d-%m-%Y", "%m-%d-%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y", "%d-%b-%Y",
         "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
         "%d%b%Y", "%a, %d %b %Y", "%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%Y",
         "%b-%y")  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f",
         ", %H:%M", ", %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")  # fmt: skip
SHAPES = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": r"(?:0?[1-9]|1[0-2])",
    "d": r"(?:0?[1-9]|[12]\d|3[01])",
    "H": r"(?:[01]?\d|2[0-3])",
    "I": r"(?:0?[1-9]|1[0-2])",
    "M": r"[0-5]\d",
    "S": r"[0-5]\d",
    "f": r"\d{1,9}",
    "p": r"[ap]m",
    "b": r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    "B": r"[a-z]{3,9}",
    "a": r"(?:mon|tue|wed|thu|fri|sat|sun)",
}
ZONE = re.compile(r"(?<=:\d\d)((?:\.\d+)?)( ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August",
          "September", "October", "November", "December")  # fmt: skip
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# A format of a day, then of a time of the day.
DAY_AND_TIME = re.compile(r"((?:%[YymdbBa]|[^%])*?)([^%]?%[HIMSfp](?:%[HIMSfp]|[^%])*)")
EPOCH = np.datetime64(0, "D")
SAMPLE = 500  # texts that a format is chosen by
MIN_READ = 0.8  # of them; the rest may be markers


@dataclass(frozen=True)
class DateText:
    """How a column of text writes its dates."""

    format: str
    """As `strftime` has it: %d.%m.%Y."""
    zone: str = ""
    """What follows: "Z", "+02:00"."""
    padded: bool = True
    """Whether days, months and hours below 10 have a zero in front."""
    digits: int = 6
    """Decimals of seconds."""
    upper: bool = False
    """Whether names of months are in capitals."""

    @property
    def is_valid(self) -> bool:
        """Whether what comes from a file is a way to write dates."""
        known = re.fullmatch(rf"(%[{''.join(SHAPES)}]|[^%{{}}]){{1,60}}", self.format)
        directives = re.findall("%.", self.format)
        once = len(set(directives)) == len(directives)
        return known is not None and once and len(self.zone) <= 10 and 0 <= self.digits <= 9

    def parse(self, texts: Sequence[str]) -> NDArray[np.datetime64]:
        """The dates, (M,), NaT for a text that is none."""
        import pandas as pd

        bodies, shifts = self._without_zone([text.strip() for text in texts])
        fitting = map(_shape(self.format).fullmatch, bodies)
        wrong = np.array([found is None for found in fitting], bool)
        read = pd.to_datetime(pd.Series(bodies, dtype=object), format=self.format, errors="coerce")
        dates: NDArray[np.datetime64] = np.where(wrong, np.datetime64("NaT"), read.to_numpy())
        return dates if shifts is None else dates + shifts

    def _without_zone(self, texts: list[str]) -> tuple[list[str], NDArray[np.timedelta64] | None]:
        """Texts without the offsets of their time zones, and how far they are from the
        column's, (M,); None where all have the column's. One without an offset, or with
        one where the column has none, is left empty."""
        if not self.zone:
            return texts, None  # an offset has no place in the format
        if all(text.endswith(self.zone) for text in texts):
            return [text[: -len(self.zone)] for text in texts], None
        split = [_split_zone(text) for text in texts]
        minutes = [_minutes(self.zone) - _minutes(zone) for _, zone in split]
        return [body if zone else "" for body, zone in split], np.array(minutes, "m8[m]")

    def write(self, dates: NDArray[np.datetime64]) -> list[str]:
        """Dates as text, (N,)."""
        # Each day and each time of day is written once, where they can be told apart.
        found = DAY_AND_TIME.fullmatch(self.format)
        if found is None:
            return [text + self.zone for text in self._written(dates, self.format)]
        days, day = np.unique(dates.astype("M8[D]"), return_inverse=True)
        rest, time = np.unique(dates - days[day], return_inverse=True)
        of_days = np.array(self._written(days, found[1]), object)
        of_times = np.array(self._written(EPOCH + rest, found[2] + self.zone), object)
        joined: list[str] = (of_days[day] + of_times[time]).tolist()
        return joined

    def _written(self, dates: NDArray[np.datetime64], name: str) -> list[str]:
        """Dates in a format, or in a part of it."""
        parts = _parts(dates, self)
        columns = [parts[letter].tolist() for letter in re.findall(r"%(.)", name)]
        template = re.sub(r"%(.)", self._place, name)
        if not columns:
            return [template] * len(dates)
        return [template.format(*row) for row in zip(*columns, strict=True)]

    def _place(self, found: re.Match[str]) -> str:
        """The place of a part in a template of `str.format`."""
        width = {"Y": 4, "y": 2, "M": 2, "S": 2, "f": self.digits}.get(found[1])
        if found[1] in "mdHI" and self.padded:
            width = 2
        return "{}" if width is None else f"{{:0{width}d}}"


def _parts(dates: NDArray[np.datetime64], way: DateText) -> dict[str, NDArray[np.object_]]:
    """By the letters of `strftime`: the parts of dates, (N,) each."""
    months = dates.astype("M8[M]")
    days = dates.astype("M8[D]")
    seconds = dates.astype("M8[s]")
    of_day = (seconds - days.astype("M8[s]")).astype(np.int64)
    year = months.astype(np.int64) // 12 + 1970
    month = months.astype(np.int64) % 12
    hour = of_day // 3600
    names = np.array([name.upper() if way.upper else name for name in MONTHS], object)
    short = np.array([name[:3] for name in names], object)
    nanoseconds = (dates - seconds.astype(dates.dtype)).astype("m8[ns]").astype(np.int64)
    return {
        "Y": year,
        "y": year % 100,
        "m": month + 1,
        "d": (days - months.astype("M8[D]")).astype(np.int64) + 1,
        "H": hour,
        "I": (hour + 11) % 12 + 1,
        "p": np.array(["AM", "PM"], object)[hour // 12],
        "M": of_day // 60 % 60,
        "S": of_day % 60,
        "f": nanoseconds // 10 ** (9 - way.digits),
        "b": short[month],
        "B": names[month],
        "a": np.array(WEEKDAYS, object)[(days.astype(np.int64) + 3) % 7],
    }


def find_date_text(texts: Sequence[str]) -> tuple[DateText, str] | None:
    """How these texts write dates.

    Returns:
        The way, and another format that reads them all as well, which is empty where
        there is none; None if they are no dates.
    """
    some = _some(texts)
    if not any(char.isdigit() for text in some[:20] for char in text):
        return None
    bodies = [_split_zone(text)[0] for text in some]
    read = {name: sum(map(bool, map(_shape(name).fullmatch, bodies))) for name in _likely(bodies)}
    if not read or max(read.values()) < MIN_READ * len(some):
        return None
    best = [name for name, count in read.items() if count >= MIN_READ * len(some)]
    ways = {name: _way(name, some) for name in best}
    if len(best) == 1:
        return ways[best[0]], ""
    parsed = {name: int((~np.isnat(way.parse(texts))).sum()) for name, way in ways.items()}
    chosen = max(best, key=lambda name: parsed[name])
    others = [name for name in best if name != chosen and parsed[name] == parsed[chosen]]
    return ways[chosen], others[0] if others else ""


def date_text_of(asked: str, texts: Sequence[str]) -> DateText:
    """How texts write dates in the user's format.

    Raises:
        RequestError: If it is not a format of dates.
    """
    asked = asked.removesuffix("%z").removesuffix("Z")
    if not DateText(asked).is_valid or "%" not in asked:
        raise RequestError(
            f"format = {clipped(repr(asked))}: must be like '%d.%m.%Y %H:%M', of "
            f"{' '.join('%' + name for name in SHAPES)}, each at most once"
        )
    return _way(asked, _some(texts))


def _some(texts: Sequence[str]) -> list[str]:
    """A sample of texts, without blanks around."""
    return [text.strip() for text in texts[:: max(len(texts) // SAMPLE, 1)]]


def _likely(bodies: Sequence[str]) -> list[str]:
    """The formats that at least one of the first texts has."""
    first = bodies[:20]
    return [
        date + time
        for date in DATES
        for time in TIMES
        if any(map(_shape(date + time).fullmatch, first))
    ]


@lru_cache(maxsize=1024)
def _shape(name: str) -> re.Pattern[str]:
    """What a date of this format looks like."""
    pieces = re.split(r"%(.)", name)
    known = [SHAPES[piece] if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)]
    shape = "".join(known)
    if re.search(r"%[Yymd]%[Yymd]", name):  # only zeros in front tell these apart
        shape = shape.replace("0?", "0")
    return re.compile(shape, re.IGNORECASE)


def _way(name: str, texts: Sequence[str]) -> DateText:
    """How texts of a known format write zones, zeros in front and months."""
    bodies, zones = zip(*map(_split_zone, texts), strict=True) if texts else ((), ())
    shape = _shape(name)
    fitting = [body for body in bodies if shape.fullmatch(body)]
    fraction = [len(body.rpartition(".")[2]) for body in fitting] if name.endswith("%f") else [6]
    bare = [body.rpartition(".")[0] if name.endswith("%f") else body for body in fitting]
    single = any(re.search(r"(?<!\d)[1-9](?!\d)", body) for body in bare)
    zero = any(re.search(r"(?<!\d)0[1-9](?=\D|$)(?<!:\d\d)", body) for body in bare)
    upper = "%b" in name.lower() and all(body.upper() == body for body in fitting)
    zone = Counter(zones).most_common(1)[0][0] if zones else ""
    return DateText(name, zone, zero or not single, max(fraction, default=6), upper)


def _split_zone(text: str) -> tuple[str, str]:
    """A text without the offset of its time zone, and the offset."""
    text = text.strip()
    found = ZONE.search(text)
    if found is None or found.end() != len(text):
        return text, ""
    return text[: found.start(2)], found[2]


def _minutes(zone: str) -> int:
    """An offset in minutes: +02:00 is 120."""
    digits = re.sub(r"\D", "", zone)
    if not digits:
        return 0
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return -minutes if "-" in zone else minutes
