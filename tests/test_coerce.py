from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch

from equipoise.coerce import (
    Bound,
    Ge,
    Gt,
    Interval,
    Le,
    Lt,
    as_json,
    bounds,
    checked,
    described,
    instance,
    minimum,
    range_of,
    validate,
)
from equipoise.errors import RequestError


@dataclass(frozen=True)
class Shape:
    """Something with fields."""

    name: str
    sides: tuple[int, ...]
    corner: tuple[float, float] | None = None


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (3, float, 3.0),
        (3.0, int, 3),
        (np.float32(0.5), float, 0.5),
        (torch.tensor(2), int, 2),
        (None, int | None, None),
        (True, bool | None, True),
        (np.True_, bool | None, True),
        (np.str_("unit"), Literal["standard", "unit"], "unit"),
        ("unit", Literal["standard", "unit"], "unit"),
        ("a", str, "a"),
    ],
)
def test_a_value_of_the_fields_kind_is_taken_as_its_type(
    value: Any, hint: Any, expected: Any
) -> None:
    result = checked("field", value, hint)
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "hint", "message"),
    [
        (2.5, int, "a whole number"),
        ("3", int, "a whole number"),
        (True, int, "a whole number"),
        (math.inf, int, "a whole number"),
        (math.nan, int, "a whole number"),
        (1, bool, "True or False"),
        (None, float, "a number"),
        ("ups", Literal["standard", "unit"], "'standard' or 'unit'"),
        ([1], float | None, "a number"),
        (5, str | None, "text"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_the_right_kind(
    value: Any, hint: Any, message: str
) -> None:
    with pytest.raises(RequestError, match=f"field = .*: must be {message}"):
        checked("field", value, hint)


def test_types_are_described_in_words() -> None:
    assert described(int | None) == "a whole number"
    assert described(tuple[float, ...]) == "several numbers"


def test_json_becomes_the_dataclass_that_it_was_with_tuples() -> None:
    assert instance(Shape, {"name": "a", "sides": [1, 2], "corner": [0, 1.5]}) == Shape(
        "a", (1, 2), (0.0, 1.5)
    )
    assert instance(Shape, {"name": "a", "sides": []}) == Shape("a", ())


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ([1], r"shape = \[1\]: is not one"),
        (None, "shape = None: is not one"),
        ({"name": "a", "sides": [], "evil": 1}, "has no 'evil'"),
        ({"name": "a"}, "lacks some of corner, sides"),
        ({"name": 1, "sides": []}, "name = 1: must be text"),
        ({"name": "a", "sides": [1, "x"]}, "sides = 'x': must be a whole number"),
        ({"name": "a", "sides": 3}, "sides = 3: must be several numbers"),
        ({"name": "a", "sides": [10**400]}, r"sides = 1000.*\.\.\.: must be a whole number"),
        ({"name": "a", "sides": [], "corner": [1]}, r"corner = \[1\]: must be several numbers"),
        ({"name": {"a": []}, "sides": []}, "name = .*: must be text"),
    ],
)
def test_json_that_is_no_such_dataclass_is_refused_with_what_is_wrong(
    stored: Any, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        instance(Shape, stored)


def test_json_has_null_for_what_is_not_finite_and_lists_for_tuples() -> None:
    given = {"a": (1, math.inf, [np.float64("nan")]), "b": {"c": -math.inf, "d": "NaN", "e": True}}
    assert as_json(given) == {"a": [1, None, [None]], "b": {"c": None, "d": "NaN", "e": True}}


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """Something with fields that have bounds."""

    count: Annotated[int, Ge(1), Le(100)] = 1
    rate: Annotated[float, Gt(0)] = 1.0
    beta: Annotated[float, Ge(0), Lt(1)] = 0.5
    part: Annotated[float | None, Interval(0, 1)] = None
    seed: Annotated[int, Interval(0, 9)] = 0
    free: float = 0.0
    kind: Literal["a", "b", "c"] = "a"

    def __post_init__(self) -> None:
        validate(self, lambda: ["rate and free are equal"] if self.rate == self.free else [])


@dataclass(frozen=True, kw_only=True)
class Narrower(Bounded):
    """With another default of one field, and another bound of one."""

    count: int = 5
    rate: Annotated[float, Gt(0), Le(2)] = 2.0


def test_bounds_are_inherited_where_only_the_default_changes() -> None:
    assert bounds(Bounded)["count"] == bounds(Narrower)["count"] == (Ge(1), Le(100))
    assert bounds(Narrower)["rate"] == (Gt(0), Le(2))
    assert bounds(Narrower)["free"] == ()
    assert (minimum(Narrower, "count"), minimum(Narrower, "free")) == (1, 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": 0}, "count = 0: must be at least 1"),
        ({"count": 101}, "count = 101: must be at most 100"),
        ({"rate": -0.5}, "rate = -0.5: must be a positive number"),
        ({"rate": math.nan}, "rate = nan: must be a positive number"),
        ({"beta": 1}, "beta = 1.0: must be at least 0 and below 1"),
        ({"part": 2.0}, "part = 2.0: must be from 0 to 1"),
        ({"seed": -1}, "seed = -1: must be a whole number from 0 to 9"),
        ({"free": math.inf}, "free = inf: must be a finite number"),
        ({"kind": "d"}, "kind = 'd': must be 'a', 'b' or 'c'"),
        ({"count": 0, "rate": -1.0}, "count = 0: .*; rate = -1.0: must be a positive number"),
        ({"count": "x", "rate": None}, "count = 'x': .* whole number; rate = None: .* a number"),
        ({"count": 0, "free": 1.0}, "count = 0: must be at least 1; rate and free are equal"),
    ],
)
def test_all_mistakes_are_in_one_message(given: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=f"^{message}$"):
        Bounded(**given)


def test_values_at_their_bounds_are_taken() -> None:
    assert Bounded(count=100, beta=0, part=1, seed=9).count == 100
    with pytest.raises(RequestError, match=r"rate = 2\.5: must be above 0 and at most 2"):
        Narrower(rate=2.5)


@pytest.mark.parametrize(
    ("marks", "whole", "expected"),
    [
        ([Ge(0)], False, "a number of at least 0"),
        ([Ge(0)], True, "at least 0"),
        ([Gt(0)], True, "a positive whole number"),
        ([Gt(0), Le(1)], False, "above 0 and at most 1"),
        ([], False, ""),
    ],
)
def test_bounds_are_described_in_words(marks: list[Bound], whole: bool, expected: str) -> None:
    assert range_of(marks, whole) == expected
