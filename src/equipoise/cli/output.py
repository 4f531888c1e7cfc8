"""What the command line prints."""

from __future__ import annotations

import sys

from equipoise.errors import printable


def echo(text: str) -> None:
    """Print lines that may hold names from files, on any terminal."""
    from equipoise.utils.formatting import for_terminal

    print(for_terminal("\n".join(map(printable, text.split("\n")))))


def warn(message: str) -> None:
    """Print a warning on stderr."""
    print(printable(f"equipoise: {message}"), file=sys.stderr)
