"""Ranges in which a sweep searches the fields of recipes.

A range is an annotation of the field, beside its bounds:

    learning_rate: Annotated[float, Gt(0), Around(10)] = 1e-3

A field without one is not searched unless the user gives a range.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from inspect import get_annotations
from typing import Any


@dataclass(frozen=True)
class Around:
    """From the default / factor to the default * factor, on a logarithmic scale.

    A field whose default is 0 or None is not searched.
    """

    factor: float


@dataclass(frozen=True)
class Doublings:
    """The default halved and doubled up to so many times, for whole numbers."""

    times: int


@dataclass(frozen=True)
class Between:
    """From `low` to `high`, whatever the default is."""

    low: float
    high: float
    log: bool = False
    """Whether the scale is logarithmic."""


@dataclass(frozen=True)
class Among:
    """One of these values, or the default."""

    values: tuple[Any, ...]


SearchRange = Around | Doublings | Between | Among


def search_ranges(settings: type[Any]) -> dict[str, SearchRange]:
    """The ranges of the fields of a dataclass that have one.

    A field that a subclass redefines keeps the range of the base class, unless it has
    its own.
    """
    names = [field.name for field in fields(settings)]
    by_field: dict[str, SearchRange] = {}
    for base in reversed(settings.__mro__):
        for name, hint in get_annotations(base, eval_str=True).items():
            for mark in getattr(hint, "__metadata__", ()):  # of Annotated
                if isinstance(mark, SearchRange):
                    by_field[name] = mark
    return {name: by_field[name] for name in names if name in by_field}
