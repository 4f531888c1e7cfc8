"""What messages say of the entry points by which other packages add recipes, metrics
and trackers."""

from __future__ import annotations

from importlib.metadata import EntryPoint

from equipoise.errors import first_line


def origin(point: EntryPoint) -> str:
    """What an entry point names, and the package that does."""
    package = f"the package {point.dist.name!r}" if point.dist is not None else point.value
    return f"{point.value} of {package}"


def import_failure(point: EntryPoint, error: BaseException) -> str:
    """Why what an entry point names could not be imported, in one line."""
    return f"the import of {origin(point)} failed: {type(error).__name__}: {first_line(error)}"
