"""Validate values by the types and bounds of dataclass fields: keywords, command lines,
untrusted JSON."""

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
    """A bound of a field, `Annotated[int, Ge(1)]`: at least this."""

    bound: float


@dataclass(frozen=True)
class Gt:
    """A bound of a field: above this."""

    bound: float


@dataclass(frozen=True)
class Le:
    """A bound of a field: at most this."""

    bound: float


@dataclass(frozen=True)
class Lt:
    """A bound of a field: below this."""

    bound: float


@dataclass(frozen=True)
class Interval:
    """The bounds of a field: from `low` to `high`.

    A message has both, while with `Ge(low), Le(high)` it has the exceeded one.
    """

    low: float
    high: float


Bound = Ge | Gt | Le | Lt | Interval


def hints(settings: type[Any]) -> dict[str, Any]:
    """The type of each field of a dataclass of settings."""
    known = get_type_hints(settings)
    return {field.name: known[field.name] for field in fields(settings)}


def bounds(settings: type[Any]) -> dict[str, tuple[Bound, ...]]:
    """The bounds of each field of a dataclass, in order.

    A field that a subclass redefines for another default keeps the bounds of the base
    class, unless it has its own.
    """
    by_field: dict[str, tuple[Bound, ...]] = {field.name: () for field in fields(settings)}
    for base in reversed(settings.__mro__):
        for name, hint in get_annotations(base, eval_str=True).items():
            if name in by_field and hasattr(hint, "__metadata__"):  # Annotated
                marks = tuple(mark for mark in hint.__metadata__ if isinstance(mark, Bound))
                by_field[name] = marks or by_field[name]
    return by_field


def minimum(settings: type[Any], name: str) -> float:
    """The minimum of a field with a bound `Ge`; 0 for other fields."""
    return max((mark.bound for mark in bounds(settings)[name] if isinstance(mark, Ge)), default=0)


def validate(settings: Any, conflicts: Callable[[], Iterable[str]] = tuple) -> None:
    """Validate the fields of a dataclass by their types and bounds, in `__post_init__`.

    Args:
        settings: The dataclass instance.
        conflicts: Returns mistakes that concern several fields, one text each; called
            if all types are right.

    Raises:
        RequestError: There are mistakes. The message has all of them, in one line.
    """
    of_types = all_checked(vars(settings), hints(type(settings)))
    wrong = [
        text
        for name, marks in bounds(type(settings)).items()
        if (text := _out_of_bounds(name, of_types[name], marks))
    ]
    raise_mistakes([*wrong, *conflicts()])


def field_value(settings: type[Any], name: str, value: Any) -> Any:
    """The value, converted to the type of a field of a dataclass.

    Raises:
        RequestError: It has another type, or is out of the field's bounds.
    """
    converted = checked(name, value, hints(settings)[name])
    wrong = _out_of_bounds(name, converted, bounds(settings)[name])
    raise_mistakes([wrong] if wrong else [])
    return converted


def all_checked(values: Mapping[str, Any], types: Mapping[str, Any]) -> dict[str, Any]:
    """Each value, converted to the type with its name.

    Raises:
        RequestError: Values have another type. The message has all of them, in one
            line.
    """
    converted, mistakes = {}, []
    for name, value in values.items():
        try:
            converted[name] = checked(name, value, types[name])
        except RequestError as error:
            mistakes.append(str(error))
    raise_mistakes(mistakes)
    return converted


def raise_mistakes(mistakes: Sequence[str]) -> None:
    """Raise a RequestError with all mistakes in one line, if there are any."""
    if mistakes:
        raise RequestError("; ".join(mistakes))


def range_of(marks: Sequence[Bound], whole: bool) -> str:
    """Bounds in words, such as "at least 0 and below 1"; empty without bounds.

    Args:
        marks: The bounds.
        whole: Whether the values are whole numbers.
    """
    if list(marks) == [Gt(0)]:
        return "a positive whole number" if whole else "a positive number"
    text = " and ".join(_words(mark) for mark in marks)
    if whole and marks and isinstance(marks[0], Interval):
        return f"a whole number {text}"
    return f"a number of {text}" if not whole and [type(m) for m in marks] == [Ge] else text


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
    """The message for a value that is out of bounds; empty for one that is not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    broken = [mark for mark in marks if not _within(value, mark)]
    if isinstance(value, float) and not math.isfinite(value):
        return f"{name} = {value}: must be {range_of(marks, whole=False) or 'a finite number'}"
    if not broken:
        return ""
    # The maximum of a whole number is often huge: name only the exceeded bound.
    relevant = broken if isinstance(value, int) else marks
    return f"{name} = {value}: must be {range_of(relevant, isinstance(value, int))}"


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
    """Convert a value to a field's type.

    Accepted are ints for floats, floats without a fraction for ints, lists for tuples,
    and NumPy and torch scalars for Python ones.

    Args:
        name: The field's name, for messages.
        value: The value.
        hint: The type: bool, int, float, str, None, a Literal, a tuple, a dict
            (whose content is not checked), or a union.

    Raises:
        RequestError: The value has another type.
    """
    value = _plain(value)
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for option in options:
        converted = _as_option(name, value, option)
        if converted is not MISMATCH:
            return converted
    raise RequestError(f"{name} = {clipped(repr(value))}: must be {described(hint)}")


# Result of `_as_option` for a value of another type.
MISMATCH = object()


def _as_option(name: str, value: Any, option: Any) -> Any:
    """Convert a plain value to one type of a union; `MISMATCH` if it has another."""
    if get_origin(option) is Literal:
        fits = isinstance(value, Hashable) and value in get_args(option)
        return value if fits else MISMATCH
    if option is NoneType:
        return None if value is None else MISMATCH
    if get_origin(option) is dict:
        return dict(value) if isinstance(value, Mapping) else MISMATCH
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
    """Convert a Python or NumPy integer to int.

    Raises:
        RequestError: The value is not of an integer type; 2.0 is not.
    """
    try:
        return operator.index(value)
    except TypeError:
        raise RequestError(f"{name} = {clipped(repr(value))}: must be a whole number") from None


def instance(kind: type[T], stored: Any, **known: Any) -> T:
    """Construct a dataclass from JSON.

    Args:
        kind: The dataclass.
        stored: Its fields by name, from JSON.
        **known: Further fields, used without a check.

    Raises:
        RequestError: A name is unknown, a field is missing, or a value has another
            type.
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
    """Convert a value for JSON: tuples to lists, NaN and infinities to None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: as_json(part) for name, part in value.items()}
    return [as_json(part) for part in value] if isinstance(value, list | tuple) else value


def _parts(name: str, values: Sequence[Any], hints: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Convert the parts of a tuple; None if there are too many or too few."""
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
    if get_origin(option) is dict:
        return "settings by name"
    words = {
        int: "a whole number",
        float: "a number",
        bool: "True or False",
        str: "text",
        NoneType: "None",
    }
    return words.get(option, "several numbers" if get_origin(option) is tuple else str(option))


def _plain(value: Any) -> Any:
    """Convert NumPy and torch scalars to Python's; other values are unchanged."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and abs(value) > MAX_INT:
        return False
    return isinstance(value, int | float) or (
        hasattr(value, "__float__") and getattr(value, "ndim", 0) == 0
    )
