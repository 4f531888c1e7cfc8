"""Values checked by the types and bounds of dataclass fields: from keywords, from a
command line, from JSON that a stranger may have written."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from equipoise.errors import RequestError, clipped

T = TypeVar("T")
MAX_INT = 2**63


@dataclass(frozen=True)
class Ge:
    """Marks a field, `Annotated[int, Ge(1)]`: at least this."""

    bound: float


@dataclass(frozen=True)
class Gt:
    """Marks a field: above this."""

    bound: float


@dataclass(frozen=True)
class Le:
    """Marks a field: at most this."""

    bound: float


@dataclass(frozen=True)
class Lt:
    """Marks a field: below this."""

    bound: float


@dataclass(frozen=True)
class Interval:
    """Marks a field: from `low` to `high`, which a message tells together, where
    `Ge(low), Le(high)` tells the end that was passed."""

    low: float
    high: float


Bound = Ge | Gt | Le | Lt | Interval


def hints(settings: type[Any]) -> dict[str, Any]:
    """The type of each field of a dataclass of settings."""
    known = get_type_hints(settings)
    return {field.name: known[field.name] for field in fields(settings)}


def bounds(settings: type[Any]) -> dict[str, tuple[Bound, ...]]:
    """The bounds of each field of a dataclass, in the order in which they are marked.

    A field that is defined anew, for another default, keeps the bounds of the base
    class's, unless it has its own.
    """
    found: dict[str, tuple[Bound, ...]] = {field.name: () for field in fields(settings)}
    for base in reversed(settings.__mro__):
        for name, hint in get_annotations(base, eval_str=True).items():
            if name in found and hasattr(hint, "__metadata__"):  # of Annotated
                marks = tuple(mark for mark in hint.__metadata__ if isinstance(mark, Bound))
                found[name] = marks or found[name]
    return found


def minimum(settings: type[Any], name: str) -> float:
    """The least value of a field that has a bound `Ge`; 0 of another."""
    return max((mark.bound for mark in bounds(settings)[name] if isinstance(mark, Ge)), default=0)


def validate(settings: Any, conflicts: Callable[[], Iterable[str]] = tuple) -> None:
    """Check the fields of a dataclass by their types and bounds, for `__post_init__`.

    Args:
        conflicts: Gives what is wrong with several fields together, a sentence each;
            asked where all types are right.

    Raises:
        RequestError: With all that is wrong, in one line.
    """
    of_types = all_checked(vars(settings), hints(type(settings)))
    wrong = [
        text
        for name, marks in bounds(type(settings)).items()
        if (text := _out_of_bounds(name, of_types[name], marks))
    ]
    raise_mistakes([*wrong, *conflicts()])


def all_checked(values: Mapping[str, Any], types: Mapping[str, Any]) -> dict[str, Any]:
    """Each value as the type of this name.

    Raises:
        RequestError: With all that are of another type, in one line.
    """
    found, wrong = {}, []
    for name, value in values.items():
        try:
            found[name] = checked(name, value, types[name])
        except RequestError as error:
            wrong.append(str(error))
    raise_mistakes(wrong)
    return found


def raise_mistakes(wrong: Sequence[str]) -> None:
    """Raise a RequestError with every sentence of what is wrong, if there are any."""
    if wrong:
        raise RequestError("; ".join(wrong))


def range_of(marks: Sequence[Bound], whole: bool) -> str:
    """Bounds in words, "at least 0 and below 1", of whole or of any numbers; empty
    without bounds."""
    if list(marks) == [Gt(0)]:
        return "a positive whole number" if whole else "a positive number"
    said = " and ".join(_words(mark) for mark in marks)
    if whole and marks and isinstance(marks[0], Interval):
        return f"a whole number {said}"
    return f"a number of {said}" if not whole and [type(m) for m in marks] == [Ge] else said


def _words(mark: Bound) -> str:
    match mark:
        case Ge():
            return f"at least {mark.bound}"
        case Gt():
            return f"above {mark.bound}"
        case Le():
            return f"at most {mark.bound}"
        case Lt():
            return f"below {mark.bound}"
        case Interval():
            return f"from {mark.low} to {mark.high}"


def _out_of_bounds(name: str, value: Any, marks: Sequence[Bound]) -> str:
    """What is wrong with a value of a field with these bounds; empty if nothing is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    broken = [mark for mark in marks if not _within(value, mark)]
    if isinstance(value, float) and not math.isfinite(value):
        return f"{name} = {value}: must be {range_of(marks, whole=False) or 'a finite number'}"
    if not broken:
        return ""
    # The upper end of a whole number's range is often far out: name the end passed.
    told = broken if isinstance(value, int) else marks
    return f"{name} = {value}: must be {range_of(told, isinstance(value, int))}"


def _within(value: float, mark: Bound) -> bool:
    match mark:
        case Ge():
            return value >= mark.bound
        case Gt():
            return value > mark.bound
        case Le():
            return value <= mark.bound
        case Lt():
            return value < mark.bound
        case Interval():
            return mark.low <= value <= mark.high


def checked(name: str, value: Any, hint: Any) -> Any:
    """A value as a field's type: whole numbers pass for floats, floats that are whole
    for ints, lists for tuples, and NumPy's and torch's scalars for plain ones.

    Args:
        name: Of the field, for the message.
        hint: Its type: bool, int, float, str, None, a Literal, a tuple, or a union.

    Raises:
        RequestError: If it is of another type.
    """
    value = _plain(value)
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for option in options:
        found = _as_option(name, value, option)
        if found is not MISMATCH:
            return found
    raise RequestError(f"{name} = {clipped(repr(value))}: must be {described(hint)}")


MISMATCH = object()  # what a value of another type becomes


def _as_option(name: str, value: Any, option: Any) -> Any:
    """A plain value as one type that is no union; `MISMATCH` if it is of another."""
    if get_origin(option) is Literal:
        fits = isinstance(value, Hashable) and value in get_args(option)
        return value if fits else MISMATCH
    if option is NoneType:
        return None if value is None else MISMATCH
    if get_origin(option) is tuple:
        parts = _parts(name, value, get_args(option)) if isinstance(value, list | tuple) else None
        return MISMATCH if parts is None else parts
    if option in (bool, str):
        return value if isinstance(value, option) else MISMATCH
    if isinstance(value, bool) or option not in (int, float) or not _is_number(value):
        return MISMATCH
    if option is float:
        return float(value)
    return int(value) if isinstance(value, int) or float(value).is_integer() else MISMATCH


def whole(name: str, value: Any) -> int:
    """A whole number, Python's or NumPy's.

    Raises:
        RequestError: If it is not of a whole type; 2.0 is not.
    """
    try:
        return operator.index(value)
    except TypeError:
        raise RequestError(f"{name} = {clipped(repr(value))}: must be a whole number") from None


def instance(kind: type[T], stored: Any, **known: Any) -> T:
    """A dataclass from JSON.

    Args:
        kind: The dataclass.
        stored: Its fields by name, as JSON has them.
        known: Fields that are given as they are.

    Raises:
        RequestError: For a name that is no field, a field that is missing, or a value
            of another type.
    """
    types = hints(kind)
    if not isinstance(stored, dict) or (unknown := sorted(map(str, stored.keys() - types.keys()))):
        what = "is not one" if not isinstance(stored, dict) else f"has no {clipped(unknown[0])!r}"
        raise RequestError(f"{kind.__name__.lower()} = {clipped(repr(stored))}: {what}")
    values = all_checked(
        {name: value for name, value in stored.items() if name not in known}, types
    )
    try:
        return kind(**values, **known)
    except TypeError:  # a field is missing
        needed = ", ".join(sorted(types.keys() - values.keys() - known.keys()))
        raise RequestError(
            f"{kind.__name__.lower()} = {clipped(repr(stored))}: lacks some of {needed}"
        ) from None


def as_json(value: Any) -> Any:
    """A value as JSON has it: lists for tuples, and null for NaN and infinities."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: as_json(part) for name, part in value.items()}
    return [as_json(part) for part in value] if isinstance(value, list | tuple) else value


def _parts(name: str, values: Sequence[Any], hints: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The parts of a tuple as their types; None if there are too many or too few."""
    if len(hints) == 2 and hints[1] is Ellipsis:
        hints = (hints[0],) * len(values)
    return (
        tuple(checked(name, value, hint) for value, hint in zip(values, hints, strict=True))
        if len(values) == len(hints)
        else None
    )


def described(hint: Any) -> str:
    """A field's type in words."""
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(described(option) for option in get_args(hint) if option is not NoneType)
    option = hint
    if get_origin(option) is Literal:
        *first, last = map(repr, get_args(option))
        return f"{', '.join(first)} or {last}" if first else last
    words = {
        int: "a whole number",
        float: "a number",
        bool: "True or False",
        str: "text",
        NoneType: "None",
    }
    return words.get(option, "several numbers" if get_origin(option) is tuple else str(option))


def _plain(value: Any) -> Any:
    """NumPy's and torch's scalars as Python's, anything else as it is."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and abs(value) > MAX_INT:
        return False
    return isinstance(value, int | float) or (
        hasattr(value, "__float__") and getattr(value, "ndim", 0) == 0
    )
