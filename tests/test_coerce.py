from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
import torch

from equipoise.coerce import as_json, checked, described, instance
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
    ("value", "hint", "told"),
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
    value: Any, hint: Any, told: str
) -> None:
    with pytest.raises(RequestError, match=f"field = .*: must be {told}"):
        checked("field", value, hint)


def test_a_type_is_said_in_words() -> None:
    assert described(int | None) == "a whole number"
    assert described(tuple[float, ...]) == "several numbers"


def test_json_becomes_the_dataclass_that_it_was_with_tuples() -> None:
    assert instance(Shape, {"name": "a", "sides": [1, 2], "corner": [0, 1.5]}) == Shape(
        "a", (1, 2), (0.0, 1.5)
    )
    assert instance(Shape, {"name": "a", "sides": []}) == Shape("a", ())


@pytest.mark.parametrize(
    ("stored", "told"),
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
    stored: Any, told: str
) -> None:
    with pytest.raises(RequestError, match=told):
        instance(Shape, stored)


def test_json_has_null_for_what_is_not_finite_and_lists_for_tuples() -> None:
    given = {"a": (1, math.inf, [np.float64("nan")]), "b": {"c": -math.inf, "d": "NaN", "e": True}}
    assert as_json(given) == {"a": [1, None, [None]], "b": {"c": None, "d": "NaN", "e": True}}
