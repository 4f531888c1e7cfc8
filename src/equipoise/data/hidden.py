"""Files and folders that people do not see."""

from __future__ import annotations

from collections.abc import Iterable


def is_hidden(parts: Iterable[str]) -> bool:
    """Whether a path, given by its parts, is hidden or lies in a hidden folder:
    thumbnails, previews, and what Jupyter and macOS add."""
    return any(
        part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in parts
    )
