"""Findings: each fault is named, with the setting that would mend it."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.recipes import find
from equipoise.recipes.base import Recipe
from equipoise.studio.learn.controls import RECIPES
from equipoise.studio.learn.findings import Remedy, find_all

# A training that is well under way, with samples far from the data.
READINGS: dict[str, Any] = {
    "steps": 500,
    "exploded": 0,
    "balance": 0.6,
    "ratio": 10.0,
    "pull": 0.5,
    "modes": None,
    "missing": None,
    "turns_lately": 0,
    "mean_off": 0.5,
    "std_off": 0.5,
    "players": "both",
}
NO_FAULTS: frozenset[str] = frozenset()


def recipe(name: str = "balanced", **fields: Any) -> Recipe:
    made: Recipe = find(name)(**fields)
    return made


@pytest.mark.parametrize(
    ("changed", "faults", "settings", "name", "remedy"),
    [
        ({"steps": 0}, NO_FAULTS, recipe(), "untrained", None),
        ({"exploded": 1}, NO_FAULTS, recipe(), "exploded", Remedy("learning_rate", 2e-3)),
        (
            {"balance": 1.0},
            frozenset({"won"}),
            recipe(discriminator_steps=5),
            "won",
            Remedy("discriminator_steps", 1),
        ),
        (
            {"balance": 0.95},
            frozenset({"ahead"}),
            recipe(discriminator_rate=4.0),
            "ahead",
            Remedy("discriminator_rate", 1.0),
        ),
        ({"balance": 0.95}, frozenset({"ahead"}), recipe(gamma=0.0), "ahead", Remedy("gamma", 0.1)),
        (
            {"balance": 0.99},
            NO_FAULTS,
            recipe("classic", generator_loss="minimax"),
            "weak-pull",
            Remedy("generator_loss", "non-saturating"),
        ),
        (
            {"modes": 1, "missing": 7},
            NO_FAULTS,
            recipe("classic", discriminator_rate=0.1),
            "collapse",
            Remedy("discriminator_rate", 1.0),
        ),
        (
            {"modes": 1, "missing": 7},
            NO_FAULTS,
            recipe("classic"),
            "collapse",
            Remedy("recipe", "balanced"),
        ),
        (
            {"ratio": 6.0, "mean_off": 1.0},
            frozenset({"worse"}),
            recipe(),
            "worse",
            Remedy("learning_rate", 2e-3),
        ),
        ({"turns_lately": 5}, NO_FAULTS, recipe(gamma=0.0), "circles", Remedy("gamma", 0.1)),
        ({"turns_lately": 5}, NO_FAULTS, recipe(beta1=0.9), "circles", Remedy("beta1", 0.0)),
        ({"mean_off": 0.01, "std_off": 0.01}, NO_FAULTS, recipe(), "moments", None),
        ({"players": "D"}, NO_FAULTS, recipe(), "only-d", Remedy("players", "both")),
        ({"players": "G"}, NO_FAULTS, recipe(), "only-g", Remedy("players", "both")),
        ({}, NO_FAULTS, recipe(learning_rate=1e-5), "slow", Remedy("learning_rate", 1e-4)),
        ({}, NO_FAULTS, recipe("wgan"), "clipped", Remedy("recipe", "wgan-gp")),
        ({}, NO_FAULTS, recipe(), "learning", None),
        ({"ratio": 4.0}, NO_FAULTS, recipe(), "close", None),
        ({"ratio": 1.2}, NO_FAULTS, recipe(), "equipoise", None),
    ],
)
def test_a_fault_is_named_first_with_its_remedy(
    changed: dict[str, Any],
    faults: frozenset[str],
    settings: Recipe,
    name: str,
    remedy: Remedy | None,
) -> None:
    found = find_all(READINGS | changed, [], faults, settings)
    assert (found[0].name, found[0].remedy) == (name, remedy)


def test_a_distance_that_goes_up_and_down_without_an_average_is_jitter() -> None:
    recent = [{"ratio": 2.0 + 6.0 * (i % 3 == 0)} for i in range(20)]
    found = find_all(READINGS | {"ratio": 3.0}, recent, NO_FAULTS, recipe(ema_half_life=0))
    assert (found[0].name, found[0].remedy) == ("jitter", Remedy("ema_half_life", 10_000))
    calm = find_all(READINGS | {"ratio": 3.0}, recent, NO_FAULTS, recipe())
    assert calm[0].name == "close"


@pytest.mark.parametrize("name", RECIPES)
def test_following_the_advice_ends_in_a_recipe_without_this_remedy(name: str) -> None:
    settings, seen = recipe(name, discriminator_steps=5, discriminator_rate=4.0), []
    for _ in range(20):
        remedy = find_all(READINGS, [], frozenset({"ahead"}), settings)[0].remedy
        assert remedy is not None
        seen.append(remedy)
        if remedy.field == "recipe":
            settings = recipe(remedy.value)
        elif remedy.field == "reset":
            break
        else:
            settings = type(settings)(**{**vars(settings), remedy.field: remedy.value})
    assert seen[-1].field == "reset"
    assert len(set(seen)) == len(seen)
