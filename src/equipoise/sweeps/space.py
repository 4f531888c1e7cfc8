"""The space that a sweep searches: a range or choices for fields of a recipe."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from equipoise.coerce import field_value, hints, raise_mistakes
from equipoise.errors import RequestError, clipped, nearest
from equipoise.ranges import Among, Around, Between, Doublings, SearchRange, search_ranges
from equipoise.recipes.base import Recipe

if TYPE_CHECKING:
    import optuna

Choice = bool | int | float | str | None
# Significant digits of numbers that are tried, so that they can be typed.
DIGITS = 3
# Ratio of a range's ends from which its scale is logarithmic.
MIN_LOG_RATIO = 10.0


@dataclass(frozen=True)
class Dimension:
    """One field and the values that are tried: a range, or choices."""

    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    """Whether the scale is logarithmic."""
    whole: bool = False
    """Whether values are whole numbers."""
    choices: tuple[Choice, ...] = ()

    def suggest(self, trial: optuna.Trial) -> Choice:
        """The value of this field in a trial."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        low, high = self.ends
        if self.whole:
            return trial.suggest_int(self.name, int(low), int(high), log=self.log)
        value = trial.suggest_float(self.name, low, high, log=self.log)
        return min(max(float(f"{value:.{DIGITS}g}"), low), high)

    def has(self, value: Any) -> bool:
        """Whether the search can try this value."""
        if self.choices:
            return value in self.choices
        low, high = self.ends
        return value is not None and low <= value <= high

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of a range."""
        if self.low is None or self.high is None:
            raise ValueError(f"{self.name} has choices, and no ends")
        return self.low, self.high

    def __str__(self) -> str:
        if self.choices:
            return ", ".join(map(str, self.choices))
        low, high = self.ends
        return f"{low:g} to {high:g}{', logarithmic' if self.log else ''}"


Space = tuple[Dimension, ...]


def space_of(
    recipe: Recipe,
    given: Mapping[str, Any],
    fixed: Iterable[str],
    accepts: Callable[[str, Choice], bool],
    *,
    only: bool = False,
) -> Space:
    """The space for a recipe.

    Args:
        recipe: With the defaults for the data.
        given: What the user wants to be searched: by field a pair (the ends of a
            range), a list of values, or None for the field's own range.
        fixed: Fields that the user has set, which are not searched.
        accepts: Whether the recipe takes a value of a field beside its defaults.
            Other values of the fields' own ranges are left out.
        only: Whether to search nothing but what is given.

    Raises:
        RequestError: There are mistakes in what is given, or nothing is left to search.
    """
    own, found, mistakes = recipe.searched(), dict[str, Dimension](), list[str]()
    for name, wanted in given.items():
        try:
            found[name] = _given(recipe, name, wanted, name in set(fixed))
        except RequestError as error:
            mistakes.append(str(error))
    raise_mistakes(mistakes)
    for name, searched in own.items():
        if only or name in found or name in set(fixed):
            continue
        if (dimension := _own(recipe, name, searched, accepts)) is not None:
            found[name] = dimension
    if not found:
        raise RequestError(
            f"nothing is left to search of the recipe {recipe.name!r}: give ranges by search, or "
            "set fewer fields"
        )
    return tuple(found[name] for name in hints(type(recipe)) if name in found)


def _own(
    recipe: Recipe, name: str, searched: SearchRange, accepts: Callable[[str, Choice], bool]
) -> Dimension | None:
    """The dimension of a field's own range; None where its default leaves none."""
    default = getattr(recipe, name)
    if default is None:
        return None
    whole = isinstance(default, int)
    match searched:
        case Among():
            choices = {*searched.values, default}
        case Doublings():
            if not default:
                return None
            choices = {int(default * 2.0**k) for k in range(-searched.times, searched.times + 1)}
        case Between():
            low, high = min(searched.low, default), max(searched.high, default)
            return Dimension(name, low, high, searched.log and low > 0, whole)
        case Around():
            if not default:
                return None
            return Dimension(name, default / searched.factor, default * searched.factor, log=True)
    taken = tuple(value for value in sorted(choices) if value == default or accepts(name, value))
    return Dimension(name, choices=taken) if len(taken) > 1 else None


def _given(recipe: Recipe, name: str, wanted: Any, is_fixed: bool) -> Dimension:
    """The dimension that the user gives.

    Raises:
        RequestError: It cannot be searched.
    """
    kind, known = type(recipe), hints(type(recipe))
    if name not in known:
        raise RequestError(f"search: no field {name!r} of {recipe.name!r}: {nearest(name, known)}")
    if is_fixed:
        raise RequestError(f"search: {name} has a value that is set: leave one of them out")
    if wanted is None:
        own = search_ranges(kind).get(name)
        found = None if own is None else _own(recipe, name, own, lambda *_: True)
        if found is None:
            raise RequestError(
                f"search: {name} has no range of its own here: give one, such as "
                f"{_example(known[name])}"
            )
        return found
    if isinstance(wanted, tuple) and len(wanted) == 2:
        return _range(kind, name, *wanted)
    values = wanted if isinstance(wanted, list | tuple) else [wanted]
    choices = tuple(dict.fromkeys(field_value(kind, name, value) for value in values))
    if any(not isinstance(value, Choice) for value in choices):
        raise RequestError(f"search: {name} is several values in one, which is not searched")
    if len(choices) < 2:
        raise RequestError(
            f"search: {name} = {clipped(repr(wanted))}: give at least two values, or set it"
        )
    return Dimension(name, choices=choices)


def _range(kind: type[Recipe], name: str, low: Any, high: Any) -> Dimension:
    """The dimension of a range that the user gives.

    Raises:
        RequestError: The field is no number, or its bounds do not have the range.
    """
    hint = hints(kind)[name]
    low, high = (field_value(kind, name, end) for end in (low, high))
    if any(isinstance(end, bool | str | NoneType) for end in (low, high)):
        raise RequestError(f"search: {name} has no range: give values, such as {_example(hint)}")
    if not low < high:
        raise RequestError(f"search: {name} = {low:g} to {high:g}: the second must be greater")
    logarithmic = low > 0 and high >= MIN_LOG_RATIO * low and math.isfinite(high)
    return Dimension(name, low, high, logarithmic, whole=isinstance(low, int))


def _example(hint: Any) -> str:
    """A search of a field of this type, as it is typed."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for kind in kinds:
        if get_origin(kind) is Literal:
            return ",".join(map(str, get_args(kind)))
    return "true,false" if bool in kinds else "1..10"
