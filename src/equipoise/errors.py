"""Errors for the user: a message is one line that names what is wrong, what was given
and what would be right."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Iterable
from types import FrameType

# Characters of a message.
MAX_MESSAGE = 1000
# Packages that a warning's stack level skips. torch and contextlib decorate functions
# of Equipoise.
INTERNAL_PACKAGES = ("equipoise", "torch", "contextlib")


class EquipoiseError(Exception):
    """Something could not be completed. The message has the cause, in one line.

    The command line exits with `status`.
    """

    status = 1

    def __init__(self, message: str) -> None:
        super().__init__(clipped(printable(message), MAX_MESSAGE))


class EquipoiseWarning(UserWarning):
    """Something that the user should know. The work goes on."""


class RequestError(EquipoiseError, ValueError):
    """The request is wrong: a bad argument, bad data or settings that conflict."""

    status = 2


def printable(text: str) -> str:
    """A text that is safe to print, on one line.

    Control characters, line breaks, marks that change the direction of writing and lone
    surrogates are escaped as in Python.
    """
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    )


def warn(message: str) -> None:
    """Emit an EquipoiseWarning that names the caller's line, outside Equipoise."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _package_of(frame) in INTERNAL_PACKAGES:
        level, frame = level + 1, frame.f_back
    warnings.warn(printable(message), EquipoiseWarning, stacklevel=level)


def _package_of(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.split(".", maxsplit=1)[0]


def first_line(error: BaseException) -> str:
    """The first line of an error's message; its type's name where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def clipped(text: str, most: int = 80) -> str:
    """A text cut to `most` characters, for quoting in a message."""
    return text if len(text) <= most else f"{text[:most]}..."


def nearest(given: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the closest known name, or all names
    where none is close."""
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}"
