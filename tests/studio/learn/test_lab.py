"""The lab: what the page is told, and what it steers."""

from __future__ import annotations

import json

import pytest

from equipoise.coerce import as_json
from equipoise.errors import RequestError
from equipoise.studio.learn.controls import CONTROLS, RECIPES
from equipoise.studio.learn.distributions import CHOICES, DrawnDensity
from equipoise.studio.learn.lab import Lab


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", ["gaussian", "ring"])
def test_every_method_can_be_watched_and_its_settings_have_their_values(
    recipe: str, name: str
) -> None:
    lab = Lab()
    lab.choose(name)
    lab.set_recipe(recipe)
    lab.train(2)
    lab.measure()
    everything = {**lab.state(), **lab.picture(), **lab.whole()}
    json.dumps(as_json(everything), allow_nan=False)
    controls = lab.controls()
    assert {"learning_rate", "discriminator_steps"} <= {control["field"] for control in controls}
    for control in controls:
        assert control["value"] in control["stops"]


@pytest.mark.slow
def test_every_stop_of_every_setting_is_accepted_and_takes_effect() -> None:
    lab = Lab()
    offered = {control.field: control for control in CONTROLS}
    for recipe in ("balanced", "classic", "wgan", "wgan-gp", "sngan", "pacgan"):
        lab.set_recipe(recipe)
        for field in [control["field"] for control in lab.controls()]:
            stop = offered.pop(field, None)
            for value in () if stop is None else (stop.stops[0], stop.stops[-1]):
                lab.set_field(field, value)
                assert getattr(lab.simulation.recipe, field) == value
                lab.train()
            lab.set_recipe(recipe)
    assert not offered


def test_a_mistake_is_refused_in_a_line_and_changes_nothing() -> None:
    lab = Lab()
    before = lab.state()
    for wrong in (
        lambda: lab.set_field("gama", 1),
        lambda: lab.set_field("gamma", -1),
        lambda: lab.set_field("gamma", "much"),
        lambda: lab.set_recipe("began"),
        lambda: lab.choose("rin"),
        lambda: lab.start("nothing"),
        lambda: lab.set_players("E"),  # type: ignore[arg-type]
        lambda: lab.reset("x"),  # type: ignore[arg-type]
    ):
        with pytest.raises(RequestError) as raised:
            wrong()
        assert "\n" not in str(raised.value)
    assert lab.state() == before


def test_a_reset_begins_at_the_same_weights_and_keeps_the_settings() -> None:
    lab = Lab()
    lab.set_field("learning_rate", 1e-2)
    first = lab.measure()
    lab.train(5)
    lab.reset()
    again = lab.readings
    assert again["steps"] == 0
    assert again["learning_rate"] == 1e-2
    assert again["divergence"] == first["divergence"]
    lab.reset(seed=7)
    assert lab.readings["divergence"] != first["divergence"]


def test_a_drawn_distribution_is_learned() -> None:
    lab = Lab()
    lab.draw(DrawnDensity(heights=(0.0, 1.0, 1.0, 0.0), low=-4.0, high=4.0))
    before = lab.readings["ratio"]
    for _ in range(10):
        lab.train(15)
        lab.measure()
    assert lab.readings["ratio"] < before / 3
    assert lab.state()["distribution"] == "drawn"


def test_choices_of_both_dimensions_are_offered() -> None:
    assert {distribution.dimension for distribution in CHOICES.values()} == {1, 2}
