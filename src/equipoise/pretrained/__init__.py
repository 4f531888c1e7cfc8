"""The generators that come with Equipoise: run directories without checkpoints, in
float16. `scripts/pretrained.py` trains and writes them."""

from __future__ import annotations

from pathlib import Path

from equipoise.errors import RequestError, nearest

FOLDER = Path(__file__).parent
PREFIX = "pretrained:"
"""What the name of one begins with where a run's directory is asked for."""
SUMMARIES = {"mnist": "handwritten digits with labels, 28 x 28 (LeCun, Cortes, Burges)"}


def directory(name: str) -> Path:
    """The run directory of a generator.

    Raises:
        RequestError: There is none of this name.
    """
    if name not in SUMMARIES:
        raise RequestError(f"no pretrained generator {name!r}: {nearest(str(name), SUMMARIES)}")
    return FOLDER / name


def name_in(path: str | Path) -> str | None:
    """The name in "pretrained:NAME"; None for the path of a directory."""
    text = str(path)
    return text.removeprefix(PREFIX) if text.startswith(PREFIX) else None
