"""Numbers, durations and signs as people read
them, and text as any terminal can show it."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime

PLAIN = str.maketrans({"↓": "v", "↑": "^", "≈": "~", "±": "+-", "∞": "inf", "é": "e"})
UNIT, THOUSANDS = 1e-3, 1e6  # between which numbers need no power of ten
UNITS = (  # of time: the seconds of each, and how many of it are too many
    ("second", 1, 100),
    ("minute", 60, 100),
    ("hour", 3600, 48),
    ("day", 86400, math.inf),
)
LESS = "less than a second"
MONTHS = (  # which strftime would write in the locale's language
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def number(value: float) -> str:
    """A metric's value as a person reads it."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "∞" if value > 0 else "-∞"
    size = abs(value)
    if size < THOUSANDS and value == int(value):
        return f"{int(value):,}"
    if not UNIT <= size < THOUSANDS:
        return f"{value:.3g}"
    return f"{value:,.{4 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0}f}"


def spoken(seconds: float) -> str:
    """About how long something takes, in a
    sentence: 8 seconds, 3 minutes, 1.5 hours."""
    if seconds < 0.5:
        return LESS
    fitting = ((unit, length) for unit, length, most in UNITS if round(seconds / length) < most)
    unit, length = next(fitting)
    count = seconds / length
    told = f"{count:.1f}" if unit in ("hour", "day") and count < 10 else f"{count:.0f}"
    told = told.removesuffix(".0")
    return f"{told} {unit}{'' if told == '1' else 's'}"


def about(seconds: float) -> str:
    """About how long something will take."""
    told = spoken(seconds)
    return told if told == LESS else f"about {told}"


def clock(seconds: float) -> str:
    """How long something still takes, for a line that is renewed: 8 s, 3:07, 1:02:09."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return (
        f"{minutes}:{rest:02d}"
        if minutes < 60
        else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
    )


def now() -> str:
    """This moment in UTC, to the second, in the form of ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def dated(moment: str) -> str:
    """A moment of `now` as a person writes it.

    Raises:
        ValueError: If it is none.
    """
    at = datetime.fromisoformat(moment).astimezone(UTC)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def for_terminal(text: str, encoding: str | None = None) -> str:
    """The text as output in this encoding, by default that of stdout, can hold it.

    Arrows and the like become ASCII where the encoding has none.
    """
    encoding = encoding or getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:  # an encoding that Python does not know
        return text.translate(PLAIN)
    return text
