"""What holds in every row of a table: in the data, which is checked, and in samples.

A column that is assigned a value is not learned, and computed of the others. Of the
other constraints, samples that break one are thrown away: `sampling.conditions`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.coerce import raise_mistakes
from equipoise.data.tables.arithmetic import Bound, bind, blank_in, column_of
from equipoise.data.tables.base import Column
from equipoise.data.tables.expressions import Assignment, Combinations, Statement, names_in, parse
from equipoise.data.tables.kinds.category import CategoryColumn
from equipoise.data.tables.kinds.constant import ConstantColumn
from equipoise.data.tables.notes import Name, quoted
from equipoise.data.tables.operands import agree, can_be_assigned, series_of, type_of, values_of
from equipoise.errors import RequestError, clipped

if TYPE_CHECKING:
    import pandas as pd

MAX_CONSTRAINTS, MAX_SEEN = 100, 100_000  # constraints, combinations of one that are kept
SHOWN = 60  # characters of a constraint in messages


@dataclass(frozen=True)
class Constraint:
    """A constraint as it is stored."""

    text: str
    seen: tuple[int, ...] = ()
    """Of combinations those that the data has, as one number each, in order: see
    `Combined`."""

    def to_dict(self) -> dict[str, Any]:
        """The constraint as JSON."""
        return {"text": self.text, "seen": list(self.seen)}


class Cells:
    """Some rows of a table, column by column: each is made when it is first asked for.

    Args:
        rows: How many.
        series: Makes the cells of a column.
    """

    def __init__(self, rows: int, series: Callable[[Column], pd.Series[Any]]) -> None:
        self.rows: int = rows
        self._make = series
        self._series: dict[Name, pd.Series[Any]] = {}
        self._values: dict[Name, NDArray[Any]] = {}

    def series(self, column: Column) -> pd.Series[Any]:
        """The cells of a column."""
        if column.name not in self._series:
            self._series[column.name] = self._make(column)
        return self._series[column.name]

    def values(self, column: Column) -> NDArray[Any]:
        """The cells of a column as expressions have them, (N,), see `operands`."""
        if column.name not in self._values:
            self._values[column.name] = values_of(column, self.series(column))
        return self._values[column.name]


@dataclass(frozen=True)
class Compared:
    """A comparison."""

    text: str
    of: Bound

    def met(self, cells: Cells) -> NDArray[np.bool_]:
        """Which rows meet it, (N,): those that have a blank in it, too."""
        return np.asarray(_computed(self.of, cells) != 0)

    def broken(self, cells: Cells) -> str:
        """What is wrong with the data; empty where all rows meet it."""
        return _broken(self.text, ~self.met(cells), "leave them out, or the constraint")


@dataclass(frozen=True)
class Assigned:
    """A column that is a function of others."""

    text: str
    column: Column
    of: Bound
    needs: tuple[str, ...]
    """The columns that it is computed of."""

    def series(self, cells: Cells) -> pd.Series[Any]:
        """The column, computed."""
        return series_of(self.column, _computed(self.of, cells))

    def met(self, cells: Cells) -> NDArray[np.bool_]:
        """Which rows meet it, (N,)."""
        return agree(self.column, _computed(self.of, cells), cells.values(self.column))

    def broken(self, cells: Cells) -> str:
        """What is wrong with the data; empty where all rows meet it."""
        computed, values = _computed(self.of, cells), cells.values(self.column)
        wrong = ~agree(self.column, computed, values)
        blank, computed_blank = blank_in(values), blank_in(computed)
        odd = wrong & (blank != computed_blank)
        row = int(wrong.argmax())
        if odd.any():
            row = int(odd.argmax())
            why = "it is blank there, and its value is not"
            if not blank[row]:
                why = "it is not blank there, and its value is"
            return _broken(self.text, odd, f"{why}; fill these cells, or leave the rows out")
        if not wrong.any():
            return ""
        shown = f"it is {quoted(values[row])} there, and computed {quoted(computed[row])}"
        return _broken(self.text, wrong, f"{shown}; correct it, or leave the constraint out")


@dataclass(frozen=True)
class Combined:
    """Combinations of columns, of which only those occur that the data has.

    The combination of codes c_1, ..., c_k of columns with s_1, ..., s_k states is the
    number (c_1 s_2 + c_2) s_3 + c_3 ...
    """

    text: str
    columns: tuple[Column, ...]
    seen: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many there could be."""
        return math.prod(column.states for column in self.columns)

    def numbers(self, cells: Cells) -> NDArray[np.int64]:
        """The combination of each row as a number, (N,); -1 where a cell is none that
        the data has."""
        numbers, unknown = np.zeros(cells.rows, np.int64), np.zeros(cells.rows, bool)
        for column in self.columns:
            codes = column.read(cells.series(column)).codes
            numbers, unknown = numbers * column.states + codes, unknown | (codes < 0)
        return np.where(unknown, -1, numbers)

    def met(self, cells: Cells) -> NDArray[np.bool_]:
        """Which rows meet it, (N,)."""
        return np.isin(self.numbers(cells), self.seen)

    def broken(self, cells: Cells) -> str:
        """Nothing: the data has its own combinations."""
        return ""


Rule = Compared | Assigned | Combined


class Constraints:
    """Constraints on the columns of a table.

    Args:
        columns: The columns.
        stored: The constraints.

    Raises:
        RequestError: With all that do not fit the columns or one another, in one line.
    """

    def __init__(self, columns: Sequence[Column], stored: Sequence[Constraint]) -> None:
        self.rules: list[Rule]
        self.rules, mistakes = _rules(columns, stored)
        raise_mistakes(mistakes)
        self.assigned: dict[Name, Assigned] = {
            rule.column.name: rule for rule in self.rules if isinstance(rule, Assigned)
        }

    def met(self, cells: Cells) -> NDArray[np.bool_]:
        """Which rows meet all of them, (N,)."""
        met = np.ones(cells.rows, bool)
        for rule in self.rules:
            met &= rule.met(cells)
        return met


def constraint_texts(given: Any) -> tuple[str, ...]:
    """What a user gives as constraints, checked as far as it can be without data.

    Raises:
        RequestError: With all that are none, in one line.
    """
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list | tuple) or not all(isinstance(text, str) for text in listed):
        raise RequestError(
            f"constraints = {clipped(repr(given))}: must be a list of texts, such as "
            "['start <= end', 'price > 0']"
        )
    if len(listed) > MAX_CONSTRAINTS:
        raise RequestError(
            f"constraints: {len(listed):,} are given, at most {MAX_CONSTRAINTS} can be"
        )
    texts, mistakes = tuple(dict.fromkeys(text.strip() for text in listed)), []
    for text in texts:
        try:
            parse(text)
        except RequestError as error:
            mistakes.append(named(text, str(error)))
    raise_mistakes(mistakes)
    return texts


def learn_constraints(
    columns: Sequence[Column], texts: Sequence[str], cells: Cells, label_column: str | None = None
) -> tuple[Constraint, ...]:
    """Constraints, checked against the data, with the combinations that it has.

    Args:
        columns: The columns of the data.
        texts: What the user asks for.
        cells: All rows of the data.
        label_column: The name of the column of labels, which is none of them.

    Raises:
        RequestError: With all that are wrong, or that rows break, in one line.
    """
    of_labels = [text for text in texts if label_column in columns_of(text)]
    rules, mistakes = _rules(columns, [Constraint(t) for t in texts if t not in of_labels])
    mistakes += [
        named(
            text,
            f"{quoted(label_column)} is the column of labels, which is drawn first and not "
            "learned: leave label_column out, and it is learned like any other",
        )
        for text in of_labels
    ]
    learned = []
    for rule in rules:
        seen: tuple[int, ...] = ()
        if isinstance(rule, Combined):
            seen = tuple(np.unique(rule.numbers(cells)).tolist())
        if len(seen) > MAX_SEEN:
            what = f"the data has {len(seen):,} combinations, at most {MAX_SEEN:,} can be kept"
            mistakes.append(named(rule.text, f"{what}: name fewer columns"))
        mistakes.append(rule.broken(cells))
        learned.append(Constraint(rule.text, seen))
    raise_mistakes([mistake for mistake in mistakes if mistake])
    return tuple(learned)


def constraints_from_json(stored: Any) -> tuple[Constraint, ...]:
    """The constraints whose `to_dict` wrote these, through JSON.

    Raises:
        RequestError: If they are none.
    """
    if not isinstance(stored, list) or len(stored) > MAX_CONSTRAINTS:
        raise RequestError(f"constraints = {quoted(stored)}: must be a list of them")
    found = []
    for one in stored:
        text, seen = (one.get("text"), one.get("seen")) if isinstance(one, dict) else (None, None)
        if not isinstance(text, str) or not isinstance(seen, list) or len(one) != 2:
            raise RequestError(f"{quoted(one)} is no constraint")
        if len(seen) > MAX_SEEN or not all(type(number) is int for number in seen):
            raise RequestError(f"the combinations of {quoted(text)} are not valid")
        if sorted(set(seen)) != seen or (seen and not 0 <= seen[0] <= seen[-1] < 2**63):
            raise RequestError(f"the combinations of {quoted(text)} are not valid")
        found.append(Constraint(text, tuple(seen)))
    return tuple(found)


def columns_of(text: str) -> list[str]:
    """The columns that a constraint names. Raises as `parse`."""
    statement = parse(text)
    if isinstance(statement, Combinations):
        return [*statement.columns]
    if isinstance(statement, Assignment):
        return [statement.column, *names_in([statement.value])]
    return names_in([statement])


def named(text: str, problem: str) -> str:
    """A problem with the constraint that has it."""
    return f"constraint {quoted(text, SHOWN)}: {problem}"


def _rules(columns: Sequence[Column], stored: Sequence[Constraint]) -> tuple[list[Rule], list[str]]:
    """Constraints over these columns, and what is wrong with those that fit neither the
    columns nor one another."""
    by_name = {str(column.name): column for column in columns}
    rules: list[Rule] = []
    mistakes = []
    for constraint in stored:
        try:
            rules.append(_rule(constraint, by_name))
        except RequestError as error:
            mistakes.append(named(constraint.text, str(error)))
    assigned: dict[str, Assigned] = {}
    for rule in rules:
        if isinstance(rule, Assigned):
            name = str(rule.column.name)
            if name in assigned:
                mistakes.append(named(rule.text, f"{quoted(name)} is assigned twice"))
            assigned[name] = rule
    needs = {name: rule.needs for name, rule in assigned.items()}
    circular = [name for name in needs if _is_circular(name, needs)]
    mistakes += [
        named(assigned[name].text, f"{quoted(name)} is computed of itself") for name in circular
    ]
    return rules, mistakes


def _rule(constraint: Constraint, columns: Mapping[str, Column]) -> Rule:
    """A constraint over these columns.

    Raises:
        RequestError: If it does not fit them. The message does not name it.
    """
    statement: Statement = parse(constraint.text)
    if isinstance(statement, Combinations):
        parts = tuple(_of_states(name, columns) for name in statement.columns)
        rule = Combined(constraint.text, parts, np.array(constraint.seen, np.int64))
        if rule.count >= 2**63:
            raise RequestError("has too many combinations to count: name fewer columns")
        return rule
    if not isinstance(statement, Assignment):
        return Compared(constraint.text, bind(statement, columns))
    column = column_of(statement.column, columns)
    try:
        kind = type_of(column)
        if not can_be_assigned(column):
            raise RequestError("holds periods, which are not computed")
    except RequestError as error:
        raise RequestError(f"column {quoted(column.name)} {error}") from None
    of = bind(statement.value, columns, kind)
    if of.type != kind:
        raise RequestError(
            f"{quoted(column.name)} is a column of {kind.words}, and the value of {of.type.words}"
        )
    return Assigned(constraint.text, column, of, tuple(names_in([statement.value])))


def _of_states(name: str, columns: Mapping[str, Column]) -> Column:
    """A column whose cells can be told apart.

    Raises:
        RequestError: If it is of another kind.
    """
    column = column_of(name, columns)
    if not isinstance(column, CategoryColumn | ConstantColumn):
        raise RequestError(
            f"column {quoted(name)} is of the kind {column.label!r}, and combinations are of "
            f"categories: make it one by columns={{{quoted(name)}: {{'kind': 'category'}}}}"
        )
    return column


def _computed(of: Bound, cells: Cells) -> NDArray[Any]:
    """The values of an expression, (N,)."""
    with np.errstate(all="ignore"):
        return np.broadcast_to(of.compute(cells.values), (cells.rows,))


def _broken(text: str, wrong: NDArray[np.bool_], what: str) -> str:
    """The message about rows that break a constraint; empty without any."""
    if not wrong.any():
        return ""
    count, first = int(wrong.sum()), int(wrong.argmax())
    rows = f"{count:,} of {len(wrong):,} rows break{'s' * (count == 1)} it"
    return named(text, f"{rows}, the first is row {first}: {what}")


def _is_circular(name: str, needs: Mapping[str, Sequence[str]]) -> bool:
    """Whether a column is computed of itself, through others too."""
    reached: set[str] = set()
    open_ends = [*needs[name]]
    while open_ends:
        at = open_ends.pop()
        if at == name:
            return True
        if at not in reached:
            reached.add(at)
            open_ends += needs.get(at, ())
    return False
