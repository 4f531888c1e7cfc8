"""The columns of a table as lines to print."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from equipoise.errors import clipped, printable

if TYPE_CHECKING:
    from equipoise.data.tables.table import Described

HEADER = ("column", "kind", "seen", "blank", "examples")
WIDEST = (24, 9, 44, 6)  # characters of each column but the last
NARROWEST_LAST = 12


def lines_of(columns: Sequence[Described], most: int | None = None) -> list[str]:
    """An aligned table, a line for each of the user's columns.

    Args:
        columns: The columns.
        most: Of how many to print lines; None for all.
    """
    rows = [HEADER, *(_cells(column) for column in columns[:most])]
    rows = [tuple(printable(cell) for cell in row) for row in rows]
    widths = [min(max(len(row[i]) for row in rows), widest) for i, widest in enumerate(WIDEST)]
    room = shutil.get_terminal_size((120, 24)).columns - sum(widths) - 2 * len(WIDEST) - 2
    last = max(room, NARROWEST_LAST)
    return [
        "  ".join(
            [f"{_cut(cell, width):{width}}" for cell, width in zip(row[:-1], widths, strict=True)]
            + [_cut(row[-1], last)]
        ).rstrip()
        for row in rows
    ]


def _cells(column: Described) -> tuple[str, ...]:
    blanks = (
        "" if not column.blanks else "<.1%" if column.blanks < 0.001 else f"{column.blanks:.1%}"
    )
    # What was seen of categories are examples already.
    examples = "" if column.kind in ("category", "constant") else column.examples
    return (column.name, column.kind, column.seen, blanks, examples)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else clipped(text, width - 3)
