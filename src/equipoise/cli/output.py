"""Printing on the command line."""

from __future__ import annotations

import sys

from equipoise.errors import printable
from equipoise.runtime.launch import rank


def echo(text: str) -> None:
    """Print lines on stdout, with escapes for what the terminal cannot show."""
    from equipoise.utils.formatting import for_terminal

    print(for_terminal("\n".join(map(printable, text.split("\n")))))


def echo_json(content: object) -> None:
    """Print JSON, with escapes for what is not safe to print."""
    import json

    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def warn(message: str) -> None:
    """Print a warning on stderr; of several processes rank 0 does."""
    if rank() == 0:
        print(printable(f"equipoise: {message}"), file=sys.stderr)
