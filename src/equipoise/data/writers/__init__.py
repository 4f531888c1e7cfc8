"""Formats that tables are written in: registered by their endings. Help and messages
list them from here.

A table is written in parts, so that it may be larger than memory. This package imports
nothing heavy: `--help` reads it.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

from equipoise.data.writers.base import WRITERS, Writer

__all__ = ["WRITERS", "Writer", "ending_of", "endings", "find"]

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


def endings() -> tuple[str, ...]:
    """The endings that can be written, sorted."""
    return tuple(sorted(ending for writer in WRITERS for ending in writer.endings))


def ending_of(path: str | Path) -> str | None:
    """The ending of a file's name that can be written, the longest one: ".csv.gz"."""
    name = Path(path).name.lower()
    return max((end for end in endings() if name.endswith(end)), key=len, default=None)


def find(ending: str) -> Writer:
    """The writer of files with this ending."""
    return next(writer for writer in WRITERS if ending in writer.endings)
