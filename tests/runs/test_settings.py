from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.recipes import find
from equipoise.runs.config import Requested
from equipoise.runs.settings import RunSettings


def test_settings_go_to_the_recipe_or_to_the_run() -> None:
    given = {"gamma": 1, "seed": 3, "width": np.int64(8), "device": "cpu"}
    assert Requested.of(find("balanced"), given) == Requested(
        recipe={"gamma": 1.0, "width": 8}, run={"seed": 3, "device": "cpu"}
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gama", "did you mean 'gamma'"),
        ("batchsize", "did you mean 'batch_size'"),
        ("zzz", "known: alpha, augment, "),
    ],
)
def test_a_name_that_is_not_known_is_told_with_the_nearest(name: str, told: str) -> None:
    with pytest.raises(
        RequestError, match=f"no setting '{name}' of the recipe 'balanced' or of a run: {told}"
    ):
        GAN("balanced", **{name: 1})


def test_a_recipe_that_is_not_known_is_told_with_the_nearest() -> None:
    with pytest.raises(RequestError, match="no recipe 'balancd': did you mean 'balanced'"):
        GAN("balancd")


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
def test_a_value_that_cannot_be_is_refused_before_anything_is_trained(
    settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(RequestError, match=told):
        GAN("balanced", **settings).fit("gaussian")


@pytest.mark.parametrize(
    ("given", "size"),
    [(64, (64, 64)), ("64x48", (64, 48)), ("8192x1", (8192, 1)), (None, None)],
)
def test_a_size_is_a_side_or_width_by_height(
    given: int | str | None, size: tuple[int, int] | None
) -> None:
    resizing = RunSettings(size=given, crop=given).images.resizing
    assert (resizing.size, resizing.crop) == (size, size)
    # A crop without a number is the largest.
    assert RunSettings(crop=0).images.resizing.crop is None


@pytest.mark.parametrize("given", ["64", "64x", "0x48", "64x9000", "64x48x3", "x", "6 4x48"])
def test_what_names_no_size_is_refused(given: str) -> None:
    for name in ("size", "crop"):
        told = f"{name} = '{given}': must be a whole number from 1 to 8192, or width x height"
        with pytest.raises(RequestError, match=told):
            RunSettings(**{name: given})
