"""Expressions over the columns of a table: which make sense, and their values.

A text in quotes is whatever its other side asks for: a date, a span of time or a text.
What has a blank in it is blank, and so is what has no value, such as 0 / 0.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Column
from equipoise.data.tables.expressions import (
    Comparison,
    Constant,
    Name,
    Negative,
    Operation,
    Tree,
    names_in,
)
from equipoise.data.tables.notes import quoted
from equipoise.data.tables.operands import Type, in_one_unit, type_of
from equipoise.errors import RequestError, nearest

Values = NDArray[Any]
Lookup = Callable[[Column], Values]
"""The values of a column, (N,), see `operands`."""
NUMBERS: dict[str, Callable[[Values, Values], Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "//": np.floor_divide,
    "%": np.mod,
    "**": np.power,
}
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
NUMBER, SPAN, TEXT = Type("number"), Type("span"), Type("text")
LONGEST = 2.0**63  # ticks of a span of time


@dataclass(frozen=True)
class Bound:
    """An expression whose columns are known."""

    type: Type
    compute: Callable[[Lookup], Values]
    """Its values, (N,), or () where it names no column."""


def bind(tree: Tree, columns: Mapping[str, Column], wanted: Type | None = None) -> Bound:
    """An expression over these columns.

    Args:
        tree: The expression.
        columns: By name as text.
        wanted: What a text in quotes is; None for a text.

    Raises:
        RequestError: For an unknown column, or values that do not go together.
    """
    match tree:
        case Constant(value=str(text)):
            return _of_text(text, wanted or TEXT)
        case Constant(value=value):
            number = np.array(float(value))
            return Bound(NUMBER, lambda _: number)
        case Name(name=name):
            column = column_of(name, columns)
            try:
                return Bound(type_of(column), lambda lookup: lookup(column))
            except RequestError as error:
                raise RequestError(f"column {quoted(name)} {error}") from None
        case Negative(of=inner):
            of = bind(inner, columns, wanted)
            if of.type not in (NUMBER, SPAN):
                raise RequestError(f"there is no - of {of.type.words}")
            return Bound(of.type, lambda lookup: -of.compute(lookup))
        case Operation():
            return _operation(tree, columns)
        case Comparison():
            return _comparison(tree, columns)


def column_of(name: str, columns: Mapping[str, Column]) -> Column:
    """The column of this name.

    Raises:
        RequestError: If there is none.
    """
    if name not in columns:
        raise RequestError(f"no column {quoted(name)}: {nearest(name, columns)}")
    return columns[name]


def blank_in(values: Values) -> NDArray[np.bool_]:
    """Where values are blank, (N,)."""
    import pandas as pd

    return np.asarray(pd.isna(values))


def _of_text(text: str, wanted: Type) -> Bound:
    """A text in quotes, as the other side of an operator asks for it."""
    if wanted.kind in ("text", "number"):
        # Beside numbers it is refused as a text.
        constant = np.array(text, object)
        return Bound(TEXT, lambda _: constant)
    try:
        found = _date(text, wanted.zone) if wanted.kind == "date" else _span(text)
        if np.isnat(found):
            raise ValueError
    except Exception:  # pandas raises errors of many types
        what, such = ("a date", "2021-05-01"), ("a span of time", "30 days")
        name, example = what if wanted.kind == "date" else such
        raise RequestError(f"{quoted(text)} is not {name}: give one such as '{example}'") from None
    values = in_one_unit(np.array(found))[0]
    return Bound(wanted, lambda _: values)


def _date(text: str, zone: str) -> np.datetime64:
    """A date in UTC, of a text; without a zone in this one.

    Raises:
        ValueError: If it is none.
    """
    import pandas as pd

    date = pd.Timestamp(text)
    if date.tzinfo is None and not zone:
        return date.to_datetime64()
    if not zone:
        raise ValueError
    date = date.tz_localize(zone) if date.tzinfo is None else date
    return date.tz_convert("UTC").tz_localize(None).to_datetime64()


def _span(text: str) -> np.timedelta64:
    """A span of time, of a text. Raises ValueError if it is none."""
    import pandas as pd

    float_like = text.strip().lstrip("+-").replace(".", "", 1).isdecimal()
    if float_like:  # pandas takes 30 for 30 nanoseconds
        raise ValueError
    return pd.Timedelta(text).to_timedelta64()


def _sides(
    left: Tree, right: Tree, columns: Mapping[str, Column], sign: str
) -> tuple[Bound, Bound]:
    """Two operands, of which a text in quotes is what the other asks for."""
    if isinstance(left, Constant) and isinstance(left.value, str):
        second = bind(right, columns)
        return bind(left, columns, _wanted(sign, second.type, "")), second
    first = bind(left, columns)
    text = right.value if isinstance(right, Constant) else ""
    return first, bind(right, columns, _wanted(sign, first.type, str(text)))


def _wanted(sign: str, other: Type, text: str) -> Type:
    """What a text in quotes is beside an operand of this type."""
    if sign == "*" and other == NUMBER:
        return SPAN
    if sign in "+-" and other.kind == "date" and text:
        try:
            _span(text)
        except Exception:  # pandas raises errors of many types
            return other if sign == "-" else SPAN
        return SPAN
    return other


def _operation(tree: Operation, columns: Mapping[str, Column]) -> Bound:
    """left + right, and others."""
    sign = tree.operator
    left, right = _sides(tree.left, tree.right, columns, sign)
    found: tuple[Type, Callable[[Values, Values], Values]] | None = None
    match (sign, left.type.kind, right.type.kind):
        case (_, "number", "number"):
            found = NUMBER, NUMBERS[sign]
        case ("-", "date", "date") if left.type == right.type:
            found = SPAN, _in_ticks(np.subtract)
        case ("+" | "-", "date", "span"):
            found = left.type, _in_ticks(NUMBERS[sign])
        case ("+", "span", "date"):
            found = right.type, _in_ticks(np.add)
        case ("+" | "-", "span", "span"):
            found = SPAN, _in_ticks(NUMBERS[sign])
        case ("*" | "/", "span", "number"):
            found = SPAN, lambda a, b: _scaled(a, b if sign == "*" else 1 / b)
        case ("*", "number", "span"):
            found = SPAN, lambda a, b: _scaled(b, a)
        case ("/", "span", "span"):
            found = NUMBER, lambda a, b: np.divide(*in_one_unit(a, b))
    if found is None:
        raise RequestError(
            f"{left.type.words} {sign} {right.type.words} has no meaning{_hint(left, right)}"
        )
    kind, compute = found
    return Bound(kind, lambda lookup: compute(left.compute(lookup), right.compute(lookup)))


def _comparison(tree: Comparison, columns: Mapping[str, Column]) -> Bound:
    """a <= b < c as 1 or 0, NaN where a side is blank."""
    if not names_in([tree]):
        raise RequestError("names no column")
    parts = []
    pairs = pairwise(tree.operands)
    for sign, (first, second) in zip(tree.operators, pairs, strict=True):
        left, right = _sides(first, second, columns, sign)
        if left.type != right.type:
            raise RequestError(
                f"{left.type.words} {sign} {right.type.words} cannot be compared"
                f"{_hint(left, right)}"
            )
        if left.type == TEXT and sign not in ("==", "!="):
            raise RequestError(
                f"text {sign} text: texts have no order; if they are numbers or dates, say so: "
                "columns={'start': {'kind': 'date'}}"
            )
        parts.append((sign, left, right))

    def compute(lookup: Lookup) -> Values:
        found = np.broadcast_arrays(
            *[_compared(sign, a.compute(lookup), b.compute(lookup)) for sign, a, b in parts]
        )
        # One pair that does not hold breaks it, whatever is blank in another.
        broken = np.any([part == 0 for part in found], axis=0)
        blank = np.any([np.isnan(part) for part in found], axis=0)
        return np.where(broken, 0.0, np.where(blank, np.nan, 1.0))

    return Bound(NUMBER, compute)


def _compared(sign: str, left: Values, right: Values) -> Values:
    """Whether a pair holds, as 1 or 0, NaN where a side is blank, (N,)."""
    blank = blank_in(left) | blank_in(right)
    if left.dtype.kind in "mM":
        left, right = in_one_unit(left, right)
    if left.dtype == object:
        left, right = np.broadcast_arrays(np.atleast_1d(left), right)
        cells = zip(left.tolist(), right.tolist(), strict=True)
        holds = np.array([COMPARISONS[sign](a, b) for a, b in cells], bool)
    else:
        holds = COMPARISONS[sign](left, right)
    return np.where(blank, np.nan, np.asarray(holds, np.float64))


def _in_ticks(compute: Callable[[Values, Values], Values]) -> Callable[[Values, Values], Values]:
    """An operation on dates and spans of time of perhaps several units."""
    return lambda a, b: compute(*in_one_unit(a, b))


def _scaled(span: Values, factor: Values) -> Values:
    """A span of time multiplied, NaT where it is beyond what NumPy holds."""
    ticks = np.where(np.isnat(span), np.nan, span.astype(np.int64).astype(np.float64)) * factor
    fits = np.abs(ticks) < LONGEST
    counts = np.rint(np.where(fits, ticks, 0)).astype(np.int64)
    return np.where(fits, counts.view(span.dtype), np.array("NaT", span.dtype))


def _hint(left: Bound, right: Bound) -> str:
    """What to write instead."""
    kinds = {left.type.kind, right.type.kind}
    if kinds == {"span", "number"}:
        return ": give a span as '30 days' in quotes, or its number of days as span / '1 day'"
    if kinds == {"date", "number"}:
        return ": give a date as '2021-05-01', or a span as '30 days', in quotes"
    if "text" in kinds:
        return ": if the text is of numbers or dates, say so: columns={'start': {'kind': 'date'}}"
    return ""
