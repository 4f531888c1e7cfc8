"""Printing on the command line."""

from __future__ import annotations

import sys

from equipoise.errors import printable
from equipoise.runtime.launch import rank


def echo(text: str) -> None:
    """Print lines on stdout, with escapes for what the terminal cannot show."""
    from equipoise.utils.formatting import for_terminal

    print(for_terminal("\n".join(map(printable, text.split("\n")))))


def warn(message: str) -> None:
    """Print a warning on stderr; of several processes rank 0 does."""
    if rank() == 0:
        print(printable(f"equipoise: {message}"), file=sys.stderr)
