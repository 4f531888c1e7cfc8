"""Printing on the command line."""

from __future__ import annotations

import sys

from equipoise.errors import printable


def echo(text: str) -> None:
    """Print lines on stdout, with escapes for what the terminal cannot show."""
    from equipoise.utils.formatting import for_terminal

    print(for_terminal("\n".join(map(printable, text.split("\n")))))


def warn(message: str) -> None:
    """Print a warning on stderr."""
    print(printable(f"equipoise: {message}"), file=sys.stderr)
