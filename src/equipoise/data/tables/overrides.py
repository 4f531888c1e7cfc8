"""What the user says of columns, checked: {"age": {"minimum": 0}}."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from equipoise.coerce import all_checked, checked, hints, raise_mistakes
from equipoise.data.tables.base import KINDS, Column, Options
from equipoise.data.tables.notes import quoted
from equipoise.data.tables.profile import Missing
from equipoise.errors import RequestError, nearest

Overrides = Mapping[str, Mapping[str, Any]]
# Kinds that are others with some options.
ALIASES: dict[str, tuple[str, dict[str, Any]]] = {
    "integer": ("number", {"decimals": 0}),
    "real": ("number", {"decimals": "all", "levels": False}),
}
MISSING = "missing"


@dataclass(frozen=True)
class Override:
    """What the user says of one column."""

    kind: type[Column] | None
    """None for the one that is recognised."""
    given: Mapping[str, Any]
    """The other options, which depend on the kind."""

    @property
    def missing(self) -> Missing:
        """Cells that mean nothing."""
        missing: Missing = self.given.get(MISSING, ())
        return missing

    def options(self, kind: type[Column]) -> Options:
        """The options of this kind.

        Raises:
            RequestError: If it has no such option, or one has another type. The message
                has all mistakes, in one line.
        """
        types = hints(kind.options)
        mistakes = [
            f"{quoted(name)} is no option of the kind {kind.kind!r}: "
            f"{nearest(name, types) if types else 'it has none'}"
            for name in self.given
            if name not in types
        ]
        values: dict[str, Any] = {}
        try:
            values = all_checked({n: v for n, v in self.given.items() if n in types}, types)
        except RequestError as error:
            mistakes.append(str(error))
        raise_mistakes(mistakes)
        return kind.options(**values)


NONE = Override(None, {})


def stored_overrides(overrides: Any) -> dict[str, dict[str, Any]]:
    """What the user says of columns, checked as far as it can be without data, as JSON
    has it: infinite numbers are {"float": "inf"}.

    Raises:
        RequestError: If it is wrong. The message has all that is, in one line.
    """
    if not isinstance(overrides, Mapping):
        raise RequestError(
            f"columns = {quoted(overrides)}: must be a file that `equipoise describe` writes, or "
            "options by column, such as {'age': {'kind': 'integer'}}"
        )
    problems, stored = [], {}
    for name, options in overrides.items():
        try:
            override = override_of(options)
            if override.kind is not None:
                override.options(override.kind)
            stored[str(name)] = {option: _stored(value) for option, value in options.items()}
        except RequestError as error:
            problems.append(f"column {quoted(name)}: {error}")
    raise_mistakes(problems)
    return stored


def _stored(value: Any) -> Any:
    """An option's value as JSON has it."""
    if isinstance(value, list | tuple):
        return [_stored(part) for part in value]
    value = _plain(value.item() if hasattr(value, "item") else value)
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise RequestError(f"{quoted(value)} is no option: give text, numbers or a list of them")


def override_of(options: Any) -> Override:
    """What the user says of a column.

    Raises:
        RequestError: If it is not a mapping, or of an unknown kind.
    """
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        raise RequestError(
            f"{quoted(options)} are no options: give them by name, such as {{'kind': 'category'}}"
        )
    given = {name: _plain(value) for name, value in options.items() if name != "kind"}
    if MISSING in given:  # which columns are looked at by, before their kind is known
        given[MISSING] = checked(MISSING, given[MISSING], tuple[str | int | float, ...])
    kind = options.get("kind")
    if kind is None:
        return Override(None, given)
    name, implied = ALIASES.get(kind, (kind, {})) if isinstance(kind, str) else ("", {})
    if name not in KINDS:
        known = [*KINDS, *ALIASES]
        raise RequestError(f"{quoted(kind)} is no kind of column: {nearest(str(kind), known)}")
    return Override(KINDS[name], {**implied, **given})


def _plain(value: Any) -> Any:
    """TOML's dates as text, and the numbers that JSON lacks as they are."""
    if isinstance(value, Mapping) and set(value) == {"float"}:
        return float(checked("float", value["float"], Literal["inf", "-inf", "nan"]))
    if isinstance(value, datetime.date | datetime.time):
        return str(value)
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
