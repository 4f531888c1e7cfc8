from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest
import torch

from equipoise import GAN
from equipoise.choices import checked, described, split_settings
from equipoise.errors import RequestError
from equipoise.recipes import find


def test_settings_go_to_the_recipe_or_to_the_run() -> None:
    choices, run = split_settings(find("balanced"), {"gamma": 1, "seed": 3, "width": np.int64(8), "device": "cpu"})
    assert choices == {"gamma": 1.0, "width": 8}
    assert run == {"seed": 3, "device": "cpu"}


@pytest.mark.parametrize(
    ("name", "told"), [("gama", "did you mean 'gamma'"), ("batchsize", "did you mean 'batch_size'"), ("zzz", "known: augment, ")]
)
def test_a_name_that_is_not_known_is_told_with_the_nearest(name: str, told: str) -> None:
    with pytest.raises(RequestError, match=f"no setting '{name}' of the recipe 'balanced' or of a run: {told}"):
        GAN("balanced", **{name: 1})


def test_a_recipe_that_is_not_known_is_told_with_the_nearest() -> None:
    with pytest.raises(RequestError, match="no recipe 'balancd': did you mean 'balanced'"):
        GAN("balancd")


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (3, float, 3.0),
        (3.0, int, 3),
        (np.float32(0.5), float, 0.5),
        (torch.tensor(2), int, 2),
        (None, int | None, None),
        (True, bool | None, True),
        ("unit", Literal["standard", "unit"], "unit"),
        ("a", str, "a"),
    ],
)
def test_a_value_of_the_fields_kind_is_taken_as_its_type(value: Any, hint: Any, expected: Any) -> None:
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
def test_a_value_of_another_kind_is_refused_with_the_right_kind(value: Any, hint: Any, told: str) -> None:
    with pytest.raises(RequestError, match=f"field = .*: must be {told}"):
        checked("field", value, hint)


def test_a_type_is_said_in_words() -> None:
    assert described(int | None) == "a whole number"
    assert described(tuple[float, ...]) == "several numbers"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"batch_size": 0}, "batch_size = 0: must be at least 1"),
        ({"samples": 0}, "samples = 0: must be at least 1"),
        ({"samples": 5, "minutes": 1}, "give one of them"),
        ({"minutes": -1}, "minutes = -1.0: must be a positive number"),
        ({"seed": -1}, "seed = -1: must be a whole number from 0"),
        ({"threads": -1}, "threads = -1"),
        ({"memory_budget": math.inf}, "memory_budget = inf: must be a positive number"),
        ({"beta2": 1.0}, "beta2 = 1.0: must be at least 0 and below 1"),
        ({"learning_rate": math.nan}, "learning_rate = nan: must be a positive number"),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_anything_is_trained(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(RequestError, match=told):
        GAN("balanced", **settings).fit("gaussian")
