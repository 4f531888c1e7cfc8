"""Errors whose message is for the user: one line that names what is wrong, what was given and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EquipoiseError(Exception):
    """Something could not be completed; the message says what and why. The command line exits with `status`."""

    status = 1


class RequestError(EquipoiseError, ValueError):
    """The request is wrong: a bad argument, bad data, a setting that does not fit."""

    status = 2


def nearest(given: str, known: Iterable[str]) -> str:
    """The tail of a message about an unknown name: the nearest known one if any is near, else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}"
