"""Dataclasses as JSON, nested ones and cells too, checked by the types of fields."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args

from equipoise.coerce import checked, hints, instance
from equipoise.data.tables.cells import cell_from_json, cell_to_json

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """A dataclass, a tuple or a cell as JSON."""
    if is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [to_json(part) for part in value]
    return cell_to_json(value)


def from_json(kind: type[T], stored: Any) -> T:
    """The dataclass that `to_json` wrote.

    Fields of a dataclass are read as it, fields of `Hashable` as cells, as are floats,
    which may be infinite, and others are checked by their type.

    Raises:
        RequestError: If it wrote something else.
    """
    known: dict[str, Any] = {}
    for name, hint in hints(kind).items():
        if not isinstance(stored, dict) or name not in stored:
            continue
        value = stored[name]
        inner = next((part for part in (hint, *get_args(hint)) if is_dataclass(part)), None)
        if inner is not None:
            optional = value is None and inner is not hint
            known[name] = None if optional else from_json(inner, value)  # type: ignore[arg-type]  # a dataclass
        elif hint is Hashable:
            known[name] = cell_from_json(value)
        elif hint in (tuple[Hashable, ...], tuple[float, ...]) and isinstance(value, list):
            cells = tuple(cell_from_json(part) for part in value)
            known[name] = cells if hint != tuple[float, ...] else checked(name, cells, hint)
    return instance(kind, stored, **known)
