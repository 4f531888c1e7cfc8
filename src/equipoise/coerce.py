"""Values by the types of the fields that they are for: from keywords, from a command
line, from JSON that a stranger may have written."""

from __future__ import annotations

import math
import operator
from collections.abc import Hashable, Sequence
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from equipoise.errors import RequestError, clipped

T = TypeVar("T")
MOST = 2**63  # of whole numbers


def hints(settings: type[Any]) -> dict[str, Any]:
    """The type of each field of a dataclass of settings."""
    known = get_type_hints(settings)
    return {field.name: known[field.name] for field in fields(settings)}


def checked(name: str, value: Any, hint: Any) -> Any:
    """The value as the field's type; whole numbers pass for floats, and NumPy's scalars
    for plain ones.

    Raises:
        RequestError: If it is of another type.
    """
    value = _plain(value)
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for option in options:
        if get_origin(option) is Literal:
            if isinstance(value, Hashable) and value in get_args(option):
                return value
        elif option is NoneType:
            if value is None:
                return None
        elif get_origin(option) is tuple:
            if (
                isinstance(value, list | tuple)
                and (parts := _parts(name, value, get_args(option))) is not None
            ):
                return parts
        elif option is bool or isinstance(value, bool):
            if option is bool and isinstance(value, bool):
                return value
        elif option is float and _is_number(value):
            return float(value)
        elif (
            option is int
            and _is_number(value)
            and (isinstance(value, int) or float(value).is_integer())
        ):
            return int(value)
        elif option is str and isinstance(value, str):
            return value
    raise RequestError(f"{name} = {clipped(repr(value))}: must be {described(hint)}")


def whole(name: str, value: Any) -> int:
    """A whole number, Python's or NumPy's.

    Raises:
        RequestError: If it is none, as 2.0 is none.
    """
    try:
        return operator.index(value)
    except TypeError:
        raise RequestError(f"{name} = {clipped(repr(value))}: must be a whole number") from None


def instance(kind: type[T], stored: Any, **known: Any) -> T:
    """The dataclass that JSON tells the fields of, `known` ones aside.

    Raises:
        RequestError: On a name or a value that is none of its.
    """
    types = hints(kind)
    if not isinstance(stored, dict) or (unknown := sorted(map(str, stored.keys() - types.keys()))):
        what = "is not one" if not isinstance(stored, dict) else f"has no {clipped(unknown[0])!r}"
        raise RequestError(f"{kind.__name__.lower()} = {clipped(repr(stored))}: {what}")
    values = {
        name: checked(name, value, types[name])
        for name, value in stored.items()
        if name not in known
    }
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
    """A tuple's parts as their types; None if there are too many or too few."""
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
        return " or ".join(map(repr, get_args(option)))
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
    if isinstance(value, int) and abs(value) > MOST:
        return False
    return isinstance(value, int | float) or (
        hasattr(value, "__float__") and getattr(value, "ndim", 0) == 0
    )
