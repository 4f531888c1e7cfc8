from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

import optuna
import pytest

from equipoise.coerce import instance
from equipoise.errors import RequestError
from equipoise.recipes import catalogue, find
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import Recipe
from equipoise.recipes.stylegan2 import StyleGAN2
from equipoise.sweeps.space import Dimension, space_of


def space(
    given: Mapping[str, Any],
    recipe: Recipe | None = None,
    fixed: Iterable[str] = (),
    only: bool = True,
) -> dict[str, Dimension]:
    found = space_of(recipe or Balanced(), given, fixed, lambda *_: True, only=only)
    return {dimension.name: dimension for dimension in found}


@pytest.mark.parametrize("name", list(catalogue()))
def test_every_recipe_has_a_space_with_its_default(name: str) -> None:
    recipe = find(name)()
    found = space({}, recipe, only=False)
    assert {"learning_rate", "batch_size"} <= found.keys()
    assert all(dimension.has(getattr(recipe, name)) for name, dimension in found.items())


@pytest.mark.parametrize("name", list(catalogue()))
def test_every_end_and_choice_is_within_the_fields_bounds(name: str) -> None:
    recipe = find(name)()
    for field, dimension in space({}, recipe, only=False).items():
        for value in dimension.choices or dimension.ends:
            changed: dict[str, Any] = {field: value}
            if field != "batch_size" or recipe.packing == 1:
                assert getattr(replace(recipe, **changed), field) == value


def test_a_field_that_is_set_is_not_searched() -> None:
    assert "gamma" not in space({}, fixed=["gamma", "seed"], only=False)


def test_a_field_whose_default_is_zero_or_none_has_no_range_around_it() -> None:
    assert "ema_half_life" not in space({}, Balanced(ema_half_life=0), only=False)
    assert space({"gamma": (0.1, 10.0)}, StyleGAN2())["gamma"].log


def test_choices_that_the_recipe_refuses_are_left_out() -> None:
    found = space_of(Balanced(), {}, (), lambda _, value: value != 64)
    sizes = {dimension.name: dimension.choices for dimension in found}["batch_size"]
    assert sizes == (128, 256, 512, 1024)


def test_a_range_is_logarithmic_from_a_factor_of_ten() -> None:
    assert space({"gamma": (0.1, 1.0)})["gamma"].log
    assert not space({"gamma": (0.2, 1.0)})["gamma"].log
    assert not space({"gamma": (0.0, 1.0)})["gamma"].log


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"gama": (1, 2)}, "did you mean 'gamma'?"),
        ({"gamma": (-1, 2)}, "gamma = -1.0: must be a number of at least 0"),
        ({"gamma": (2, 1)}, "gamma = 2 to 1: the second must be greater"),
        ({"gamma": [1]}, "gamma = \\[1\\]: give at least two values, or set it"),
        ({"optimizer": ("adam", "rmsprop")}, "optimizer has no range: .* adam,rmsprop"),
        ({"conditional": None}, "conditional has no range of its own here: .* true,false"),
        ({"width": (1.5, 8)}, "width = 1.5: must be a whole number"),
        ({"beta1": (0, 1), "beta2": (0, 2)}, "beta1 = 1.0: .*; beta2 = 2.0: "),
        ({}, "nothing is left to search"),
    ],
)
def test_what_cannot_be_searched_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(RequestError, match=text):
        space(given)


def test_a_field_that_is_set_and_searched_is_refused() -> None:
    with pytest.raises(RequestError, match="gamma has a value that is set"):
        space({"gamma": (1, 2)}, fixed=["gamma"])


def test_suggestions_are_within_the_range_and_can_be_typed() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    dimensions = space({"gamma": (0.1234567, 7.7654321), "width": (3, 300), "beta2": [0.9, 0.99]})
    for _ in range(50):
        trial = study.ask()
        gamma, width, beta = (
            dimensions[name].suggest(trial) for name in ("gamma", "width", "beta2")
        )
        assert isinstance(gamma, float)
        assert 0.1234567 <= gamma <= 7.7654321
        assert len(repr(gamma)) <= len("0.1234567")
        assert width in range(3, 301)
        assert beta in (0.9, 0.99)


def test_a_dimension_survives_json() -> None:
    for dimension in space({}, only=False).values():
        assert instance(Dimension, asdict(dimension)) == dimension
