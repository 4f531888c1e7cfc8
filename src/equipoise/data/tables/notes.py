"""What the user should know of how a table was read: a line for each thing, however
many columns it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.errors import clipped

Name = str | int
"""The name of a column."""
MAX_NAMED = 6  # columns in a line


@dataclass(frozen=True)
class Topic:
    """What a line says."""

    says: str
    """What was done, before the names of the columns."""
    otherwise: str
    """What the override below does."""


@dataclass(frozen=True)
class Note:
    """One thing about one column."""

    topic: Topic
    column: Name
    detail: str
    """What was seen: "'?' in 1,836 rows"; empty where there is no more to say."""
    override: Mapping[str, Any] | None = None
    """What changes it, if anything does."""


def lines(notes: Iterable[Note]) -> tuple[str, ...]:
    """Notes as lines, one a topic, in the order of the topics' first notes."""
    by_topic: dict[Topic, list[Note]] = {}
    for note in notes:
        by_topic.setdefault(note.topic, []).append(note)
    return tuple(_line(topic, of_topic) for topic, of_topic in by_topic.items())


def _line(topic: Topic, notes: list[Note]) -> str:
    named = [
        f"{quoted(note.column)} ({note.detail})" if note.detail else quoted(note.column)
        for note in notes[:MAX_NAMED]
    ]
    more = f" and {len(notes) - MAX_NAMED:,} more columns" if len(notes) > MAX_NAMED else ""
    line = f"{topic.says}: {', '.join(named)}{more}"
    first = next((note for note in notes if note.override is not None), None)
    if first is None or first.override is None:
        return line
    return f"{line}; {topic.otherwise}: {override_text(first.column, first.override)}"


def quoted(value: Any, most: int = 40) -> str:
    """A name or a cell for a message, clipped: text in quotes."""
    return clipped(repr(value) if isinstance(value, str) else str(value), most)


def override_text(column: Name, options: Mapping[str, Any]) -> str:
    """What to type in Python: `columns={'age': {'missing': [-999]}}`."""
    return f"columns={{{quoted(str(column))}: {dict(options)!r}}}"


def rows_text(count: int) -> str:
    """A count of rows: "1 row", "1,836 rows"."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def some_of(values: Iterable[Any], most: int = 3) -> str:
    """The first few values, quoted: "'a', 'b', ..."."""
    listed = list(values)
    more = ", ..." if len(listed) > most else ""
    return ", ".join(quoted(value) for value in listed[:most]) + more
