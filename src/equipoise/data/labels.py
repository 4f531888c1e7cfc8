"""Labels: any hashable value, in memory and as JSON."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from equipoise.errors import RequestError


def plain_label(given: Any) -> Hashable:
    """A label as a plain Python value: NumPy's numbers are converted, in tuples too,
    and its dates become text.

    Raises:
        RequestError: If it is missing, an array or not hashable.
    """
    if getattr(given, "ndim", 0) != 0:
        raise RequestError(
            "a label is an array: give one text, number or other hashable value per sample"
        )
    # Those of pandas, which is not imported for this.
    missing = type(given).__name__ in ("NAType", "NaTType")
    if missing or (isinstance(given, np.datetime64 | np.timedelta64) and np.isnat(given)):
        raise RequestError("labels hold NaN: give every sample a label")
    if isinstance(given, np.datetime64 | np.timedelta64):
        return str(given)
    item = getattr(given, "item", None)
    value = item() if callable(item) else given
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise RequestError(
            f"labels hold {'None' if value is None else 'NaN'}: give every sample a label"
        )
    if type(value) is tuple:
        return tuple(plain_label(part) for part in value)
    try:
        hash(value)
    except TypeError:
        raise RequestError(
            f"label {value!r} has type {type(value).__name__}, which is not hashable: give text, "
            "numbers or tuples"
        ) from None
    label: Hashable = value
    return label


def distinct_labels(labels: Iterable[Hashable]) -> tuple[Hashable, ...]:
    """The distinct labels: numbers sorted, then text sorted. Labels without an order
    stay in that of their first appearance.

    Raises:
        RequestError: If two would be the same on disk, or one cannot be stored.
    """
    distinct: list[Any] = list(dict.fromkeys(labels))
    stored: dict[str, Hashable] = {}
    for label in distinct:
        if str(label) == object.__repr__(label):
            raise RequestError(
                f"labels of type {type(label).__name__} cannot be stored as text: give text, "
                "numbers or tuples"
            )
        if (text := json.dumps(label_to_json(label))) in stored:
            raise RequestError(
                f"labels {stored[text]!r} and {label!r} are the same once they are stored as text: "
                "give labels with different texts"
            )
        stored[text] = label
    try:
        return tuple(sorted(distinct, key=lambda label: (isinstance(label, str), label)))
    except TypeError:
        return tuple(distinct)


def label_to_json(label: Hashable) -> Any:
    """A label as JSON.

    Text and numbers stand for themselves. Tuples, sets, bytes and dates are objects
    with the type as their key. Anything else is stored as its text."""
    if isinstance(label, float) and not math.isfinite(label):  # JSON has no such number
        return {"float": str(label)}
    if isinstance(label, str | int | float | bool):
        return label
    if isinstance(label, tuple):
        return {"tuple": [label_to_json(part) for part in label]}
    if isinstance(label, frozenset):
        return {"frozenset": sorted((label_to_json(part) for part in label), key=json.dumps)}
    if isinstance(label, bytes):
        return {"bytes": label.hex()}
    if isinstance(label, datetime.datetime):
        return {"datetime": label.isoformat()}
    return {"date": label.isoformat()} if isinstance(label, datetime.date) else str(label)


def label_from_json(stored: Any) -> Hashable:
    """The label that `label_to_json` wrote.

    Raises:
        ValueError: If it wrote something else.
    """
    if not isinstance(stored, dict):
        label: Hashable = stored
        return label
    ((kind, value),) = stored.items()
    if kind in ("tuple", "frozenset"):
        parts = [label_from_json(part) for part in value]
        return tuple(parts) if kind == "tuple" else frozenset(parts)
    readers: dict[str, Callable[[Any], Hashable]] = {
        "float": float,
        "bytes": bytes.fromhex,
        "datetime": datetime.datetime.fromisoformat,
        "date": datetime.date.fromisoformat,
    }
    if kind not in readers:
        raise ValueError(f"a label of the unknown kind {kind!r}")
    return readers[kind](value)


def is_typed_number(label: Hashable, text: Any) -> bool:
    """Whether a label is a number and a text says the same one: 3.0 and "3"."""
    if not isinstance(text, str) or not isinstance(label, int | float | Decimal):
        return False
    try:
        return Decimal(str(label)) == Decimal(text)
    except InvalidOperation:  # other text, or True
        return False


def same_classes(one: Sequence[Hashable] | None, other: Sequence[Hashable] | None) -> bool:
    """Whether two lists of classes are equal, order included. One may be read from a
    file, which stores only the text of some labels."""
    if one is None or other is None:
        return one is other
    return [label_to_json(label) for label in one] == [label_to_json(label) for label in other]
