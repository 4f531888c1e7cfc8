from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.recipes import find
from equipoise.runs.split_settings import split_settings


def test_settings_go_to_the_recipe_or_to_the_run() -> None:
    choices, run = split_settings(
        find("balanced"), {"gamma": 1, "seed": 3, "width": np.int64(8), "device": "cpu"}
    )
    assert choices == {"gamma": 1.0, "width": 8}
    assert run == {"seed": 3, "device": "cpu"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gama", "did you mean 'gamma'"),
        ("batchsize", "did you mean 'batch_size'"),
        ("zzz", "known: augment, "),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(name: str, message: str) -> None:
    with pytest.raises(
        RequestError, match=f"no setting '{name}' of the recipe 'balanced' or of a run: {message}"
    ):
        GAN("balanced", **{name: 1})


def test_an_unknown_recipe_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(RequestError, match="no recipe 'balancd': did you mean 'balanced'"):
        GAN("balancd")


@pytest.mark.parametrize(
    ("settings", "message"),
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
def test_a_value_that_cannot_be_is_refused_before_anything_is_trained(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        GAN("balanced", **settings).fit("gaussian")
