"""Format numbers, durations and dates for people, and text for any terminal."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime

ASCII = str.maketrans({"↓": "v", "↑": "^", "≈": "~", "±": "+-", "∞": "inf", "é": "e"})
# Absolute values between these are written without an exponent.
MIN_PLAIN, MAX_PLAIN = 1e-3, 1e6
# Units of time: name, seconds, and the count from which the next unit is used.
UNITS = (
    ("second", 1, 100),
    ("minute", 60, 100),
    ("hour", 3600, 48),
    ("day", 86400, math.inf),
)
UNDER_A_SECOND = "less than a second"
# strftime would write them in the locale's language.
MONTHS = (
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
    """A metric's value as text, with 3 or 4 significant digits."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "∞" if value > 0 else "-∞"
    size = abs(value)
    if size < MAX_PLAIN and value == int(value):
        return f"{int(value):,}"
    if not MIN_PLAIN <= size < MAX_PLAIN:
        return f"{value:.3g}"
    return f"{value:,.{4 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0}f}"


def spoken(seconds: float) -> str:
    """A duration in a sentence: 8 seconds, 3 minutes, 1.5 hours."""
    if seconds < 0.5:
        return UNDER_A_SECOND
    unit, length = next(
        (unit, length) for unit, length, too_many in UNITS if round(seconds / length) < too_many
    )
    count = seconds / length
    text = f"{count:.1f}" if unit in ("hour", "day") and count < 10 else f"{count:.0f}"
    text = text.removesuffix(".0")
    return f"{text} {unit}{'' if text == '1' else 's'}"


def about(seconds: float) -> str:
    """An estimated duration in a sentence: about 3 minutes."""
    text = spoken(seconds)
    return text if text == UNDER_A_SECOND else f"about {text}"


def clock(seconds: float) -> str:
    """A remaining time for a progress line: 8 s, 3:07, 1:02:09."""
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
    """The time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def dated(moment: str) -> str:
    """A time in ISO 8601 in the form "3 May 2026, 14:05 UTC".

    Raises:
        ValueError: For text in another form.
    """
    at = datetime.fromisoformat(moment).astimezone(UTC)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def for_terminal(text: str, encoding: str | None = None) -> str:
    """The text with ASCII in place of arrows and other signs that the encoding lacks.

    Args:
        text: The text.
        encoding: By default that of stdout.
    """
    encoding = encoding or getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII).encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:  # an encoding that Python does not know
        return text.translate(ASCII)
    return text
