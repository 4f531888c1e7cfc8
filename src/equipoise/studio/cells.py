"""The cells of tables as text."""

from __future__ import annotations

from typing import Any


def cell_text(cell: Any) -> str:
    """A cell of a table as the page shows it; empty for a blank."""
    if cell is None or str(cell) in ("nan", "NaT", "<NA>"):
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)[:200]
