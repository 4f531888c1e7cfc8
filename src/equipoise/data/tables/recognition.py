"""Recognises the columns of a table: the user says nothing, or something of some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from equipoise.data.tables.base import KINDS, Column
from equipoise.data.tables.constraints import Cells, learn_constraints
from equipoise.data.tables.notes import Note, Topic, lines, quoted, rows_text, some_of
from equipoise.data.tables.overrides import NONE, Override, Overrides, override_of
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.table import Table, listed_problems
from equipoise.errors import RequestError, nearest

if TYPE_CHECKING:
    import pandas as pd

ABSENT = Topic("markers that are given as missing do not occur in", "")


def recognise(
    frame: pd.DataFrame, overrides: Overrides | None = None
) -> tuple[Table, tuple[str, ...]]:
    """Recognise the columns of a table.

    Args:
        frame: The table.
        overrides: What the user says of columns, by name: {"age": {"kind": "integer",
            "minimum": 0}, "note": {"kind": "ignore"}}. Kinds and options are those of
            `kinds/`.

    Returns:
        The table, and what the user should know of it, a line each.

    Raises:
        RequestError: If there is nothing to learn, or what the user says is wrong. The
            message has all that is wrong, of all columns, in one line.
    """
    refuse_names(frame)
    if not len(frame):
        raise RequestError(
            f"the table has no rows, and {len(frame.columns)} columns: give some rows"
        )
    asked, problems = _asked(frame, overrides or {})
    columns: list[Column] = []
    notes: list[Note] = []
    for name in frame.columns:
        override = asked.get(str(name), NONE)
        profile = Profile(name, frame[name], override.missing)
        try:
            columns.append(_column(profile, override))
        except RequestError as error:
            problems.append(f"column {quoted(name)}: {error}")
        notes += profile.notes
    if problems:
        raise RequestError(listed_problems(problems))
    table = Table(tuple(columns))
    if not table.raw_columns:
        raise RequestError(_nothing_to_learn(table, len(frame)))
    return table, lines(notes)


def constrained(
    table: Table, frame: pd.DataFrame, texts: Sequence[str], label_column: str | None = None
) -> Table:
    """A table with constraints, checked against its rows.

    Args:
        table: The columns.
        frame: The rows.
        texts: The constraints.
        label_column: The name of the column of labels, which is none of the table.

    Raises:
        RequestError: With all that is wrong with them, in one line.
    """
    if not texts:
        return table
    names = {column.name: name for column, name in zip(table.columns, frame.columns, strict=True)}
    cells = Cells(len(frame), lambda column: frame[names[column.name]])
    learned = learn_constraints(table.columns, texts, cells, label_column)
    made = replace(table, constraints=learned)
    if not made.raw_columns:
        raise RequestError("constraints: all columns are computed of others, none is learned")
    return made


def _column(profile: Profile, override: Override) -> Column:
    """One column, as the user says, or as it is recognised."""
    kind = override.kind
    if kind is None:
        in_turn = sorted(KINDS.values(), key=lambda kind: kind.position)
        kind = next(kind for kind in in_turn if kind.claims(profile))
    if profile.absent:
        profile.note(ABSENT, some_of(profile.absent))
    return kind.learn(profile, override.options(kind))


def _asked(frame: pd.DataFrame, overrides: Overrides) -> tuple[dict[str, Override], list[str]]:
    """What the user says, by name, and what is wrong with it."""
    names = {str(name) for name in frame.columns}
    asked: dict[str, Override] = {}
    problems = []
    for name, options in overrides.items():
        if str(name) not in names:
            problems.append(f"no column {quoted(name)}: {nearest(str(name), names)}")
            continue
        try:
            asked[str(name)] = override_of(options)
        except RequestError as error:
            problems.append(f"column {quoted(name)}: {error}")
    return asked, problems


def refuse_names(frame: pd.DataFrame) -> None:
    """Check the names of the columns.

    Raises:
        RequestError: If they are no text or whole numbers, or not each its own.
    """
    names: list[Any] = list(frame.columns)
    wrong = [name for name in names if not _is_name(name)]
    if wrong:
        are = (
            "has a name that is no text or whole number:"
            if len(wrong) == 1
            else "have names that are no text or whole numbers, the first"
        )
        raise RequestError(
            f"{_columns(len(wrong))} {are} {quoted(wrong[0])}; name them, as by frame.columns = "
            "[str(name) for name in frame.columns]"
        )
    repeated = [name for name, count in Counter(map(str, names)).items() if count > 1]
    if repeated:
        raise RequestError(
            f"several columns are named {', '.join(map(quoted, repeated[:3]))}"
            f"{', ...' if len(repeated) > 3 else ''}: give each its own name"
        )


def _is_name(name: Any) -> bool:
    """Whether a name can be stored: text that can be encoded, or a whole number."""
    if isinstance(name, str):
        return not any("\ud800" <= character <= "\udfff" for character in name)
    return isinstance(name, int) and not isinstance(name, bool)


def _nothing_to_learn(table: Table, rows: int) -> str:
    """The message about a table without a column that can be learned."""
    counts = Counter(column.kind for column in table.columns)
    of_kinds = {"constant": "the same in all rows", "id": "ids", "ignore": "left out"}
    found = [f"{_columns(count)} {of_kinds[kind]}" for kind, count in counts.items()]
    what = f" ({', '.join(found)})" if found else ""
    return (
        f"the table has nothing to learn: {rows_text(rows)} and {_columns(len(table.columns))}"
        f"{what}; give rows that differ in columns of numbers, dates or categories"
    )


def _columns(count: int) -> str:
    return f"{count:,} column{'' if count == 1 else 's'}"
