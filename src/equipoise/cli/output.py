"""What the command line prints."""

from __future__ import annotations

import sys

from equipoise.errors import printable


def say(text: str) -> None:
    """Print lines that may hold names from files, on any terminal."""
    from equipoise.utils.formatting import for_terminal

    print(for_terminal("\n".join(map(printable, text.split("\n")))))


def tell_of(trouble: str) -> None:
    """Print a line about a trouble that ends nothing, on stderr."""
    print(printable(f"equipoise: {trouble}"), file=sys.stderr)
