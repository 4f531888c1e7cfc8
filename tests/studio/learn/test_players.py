"""What is shown of the players: D beside the best D, pulls, distances and modes."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.report.surfaces import Surface
from equipoise.studio.learn.distributions import CHOICES
from equipoise.studio.learn.players import Players
from equipoise.studio.learn.scene import Scene
from equipoise.studio.learn.simulation import Setup, Simulation

PLAIN = {"real_label": 1.0, "learning_rate": 2e-3}


def watched(name: str, recipe: str = "balanced", **fields: object) -> tuple[Simulation, Players]:
    simulation = Simulation(Setup(CHOICES[name], recipe, fields))
    return simulation, Players(simulation, Scene(simulation.source))


@pytest.mark.parametrize("name", CHOICES)
def test_real_samples_score_about_the_floor_and_shifted_ones_far_more(name: str) -> None:
    scene = Scene(Simulation(Setup(CHOICES[name])).source)
    real = scene.real[-scene.samples :]
    assert scene.distance(real) < 3 * scene.floor
    assert scene.distance(real + scene.std) > 5 * scene.floor


@pytest.mark.parametrize("name", ["gaussian", "ring"])
def test_the_best_d_is_one_half_where_both_densities_are_equal(name: str) -> None:
    _, players = watched(name, "classic")
    moment = players.look()
    scene = players.scene
    density = scene.blurred[scene.blurred > 0]
    best = players.simulation.state.method.output.optimum(density, density)
    assert best is not None
    assert np.allclose(best, 0.5)
    assert moment.optimum is not None
    known = ~np.isnan(moment.optimum)
    assert 0 < known.mean() < 1
    assert (moment.optimum[known] >= 0).all()
    assert (moment.optimum[known] <= 1).all()


def test_d_alone_comes_near_the_best_d() -> None:
    simulation, players = watched("gaussian", "classic", **PLAIN)
    before = players.look().gap
    simulation.step("D", 150)
    after = players.look().gap
    assert before is not None
    assert after is not None
    assert after < before / 4


def test_samples_are_pulled_to_where_d_is_higher() -> None:
    simulation, players = watched("gaussian", "classic", **PLAIN)
    simulation.step("D", 100)
    moment = players.look()
    samples, state = moment.samples[: len(moment.pulls)], simulation.state
    judge = Surface(state.discriminator, simulation.sampler, state.method.output)
    moved = samples + 1e-3 * moment.pulls / np.abs(moment.pulls).max()
    assert (judge(moved) > judge(samples)).mean() > 0.95
    assert moment.pull > 0


def test_looking_leaves_the_training_as_it_is() -> None:
    one, players = watched("ring", "classic", width=8)
    other = Simulation(one.setup)
    for _ in range(3):
        one.step()
        players.look()
        other.step()
    for name, tensor in other.state.tensors().items():
        assert (tensor == one.state.tensors()[name]).all(), name


@pytest.mark.parametrize(
    ("recipe", "fields"),
    [("pacgan", {}), ("classic", {"discriminator_sees": "batch-spread"})],
)
def test_a_d_of_several_samples_has_pulls_and_no_surface(
    recipe: str, fields: dict[str, object]
) -> None:
    simulation, players = watched("gaussian", recipe, **fields)
    simulation.step()
    moment = players.look()
    assert moment.surface is None
    assert moment.gap is None
    assert np.isfinite(moment.pulls).all()


def test_modes_are_reached_by_a_fair_share_of_samples_alone() -> None:
    scene = Scene(Simulation(Setup(CHOICES["ring"])).source)
    assert scene.modes is not None
    assert scene.modes_reached(scene.real[:1000]) == 8
    centres, _ = scene.modes
    assert scene.modes_reached(np.repeat(centres[:1], 1000, 0)) == 1
    stray = np.concatenate([np.repeat(centres[:1], 992, 0), centres])
    assert scene.modes_reached(stray) == 1
    assert Scene(Simulation(Setup(CHOICES["gaussian"])).source).modes_reached(scene.real) is None
