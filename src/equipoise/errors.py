"""Errors whose message is for the user: one line that names what is wrong, what was
given and what would be right."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Iterable

LONGEST = 1000  # characters of a message
# Packages whose lines say nothing to whoever called: the latter two decorate functions
# here.
INNER = ("equipoise", "torch", "contextlib")


class EquipoiseError(Exception):
    """Something could not be completed; the message says what and why.

    The command line exits with `status`.
    """

    status = 1

    def __init__(self, message: str) -> None:
        super().__init__(clipped(printable(message), LONGEST))


class EquipoiseWarning(UserWarning):
    """Something that the user should know, and that went on."""


class RequestError(EquipoiseError, ValueError):
    """The request is wrong: a bad argument, bad data, a setting that does not fit."""

    status = 2


def printable(text: str) -> str:
    """A line that a terminal can be shown, whatever names it holds: control characters,
    line breaks, marks that turn the direction of writing and halves of characters as
    Python escapes them."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    )


def warn(message: str) -> None:
    """Tell whoever called Equipoise by an EquipoiseWarning,
    which names the line of theirs that did."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(printable(message), EquipoiseWarning, stacklevel=level)


def first_line(error: BaseException) -> str:
    """What an error of another library says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def clipped(text: str, most: int = 80) -> str:
    """A text that is quoted in a message, as far as one wants to read it."""
    return text if len(text) <= most else f"{text[:most]}..."


def nearest(given: str, known: Iterable[str]) -> str:
    """The tail of a message about an unknown name: the nearest known one if any is
    near, else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}"
