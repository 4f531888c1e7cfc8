"""Spans of time as people write them, 7:30, 07:30:15, 2 days 07:30:15, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

CLOCK = r"(\d{1,4}):([0-5]\d)"
PATTERNS = {
    "h:m": re.compile(rf"(-?)(){CLOCK}()()"),
    "h:m:s": re.compile(rf"(-?)(){CLOCK}:([0-5]\d)(?:\.(\d{{1,9}}))?"),
    "days": re.compile(rf"(-?)(\d{{1,5}}) days? \+?{CLOCK}:([0-5]\d)(?:\.(\d{{1,9}}))?"),
}
SAMPLE = 200  # texts that a form is chosen by
MIN_READ = 0.8  # of them; the rest may be markers


@dataclass(frozen=True)
class DurationText:
    """How a column of text writes its spans of time, or times of the day."""

    form: Literal["h:m", "h:m:s", "days"]
    """"days" is how pandas writes them."""
    padded: bool = True
    """Whether hours below 10 have a zero in front."""
    digits: int = 0
    """Decimals of seconds."""

    @property
    def is_valid(self) -> bool:
        """Whether what comes from a file is a way to write spans."""
        return 0 <= self.digits <= 9

    def parse(self, texts: Sequence[str]) -> NDArray[np.timedelta64]:
        """The spans, (M,), NaT for a text that is none."""
        pattern = PATTERNS[self.form]
        nanoseconds = []
        for text in texts:
            found = pattern.fullmatch(text.strip())
            nanoseconds.append(np.iinfo(np.int64).min if found is None else _nanoseconds(found))
        return np.array(nanoseconds, np.int64).view("m8[ns]")

    def write(self, spans: NDArray[np.timedelta64]) -> list[str]:
        """Spans as text, (N,)."""
        return [self._written(n) for n in spans.astype("m8[ns]").astype(np.int64).tolist()]

    def _written(self, nanoseconds: int) -> str:
        days = 0
        sign, rest = "-" if nanoseconds < 0 else "", abs(nanoseconds)
        if self.form == "days":  # whose clock runs forward from the day before
            days, rest = divmod(nanoseconds, 86_400 * 10**9)
            sign = "-" if days < 0 else ""
        seconds, below = divmod(rest, 10**9)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        text = f"{hour:0{2 if self.padded else 1}d}:{minute:02d}"
        if self.form != "h:m":
            text += f":{second:02d}"
            text += f".{below:09d}"[: self.digits + 1] if self.digits else ""
        if self.form == "days":
            return f"{sign}{abs(days)} days {'+' if sign else ''}{text}"
        return sign + text


def find_duration_text(texts: Sequence[str]) -> DurationText | None:
    """How these texts write spans of time; None if they are none."""
    some = [text.strip() for text in texts[:: max(len(texts) // SAMPLE, 1)]]
    for form, pattern in PATTERNS.items():
        fitting = [text for text in some if pattern.fullmatch(text)]
        if len(fitting) >= max(MIN_READ * len(some), 1):
            every = [found for text in texts if (found := pattern.fullmatch(text.strip()))]
            single = any(len(found[3]) == 1 for found in every)
            digits = max(len(found[6] or "") for found in every)
            return DurationText(form, not single, digits)  # type: ignore[arg-type]  # the keys of PATTERNS
    return None


def _nanoseconds(found: re.Match[str]) -> int:
    sign, days, hours, minutes, seconds, fraction = (part or "" for part in found.groups())
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)
    below = int(fraction.ljust(9, "0")) if fraction else 0
    if days:
        signed = -int(days) if sign else int(days)
        return (signed * 86_400 + whole) * 10**9 + below
    return (-1 if sign else 1) * (whole * 10**9 + below)
