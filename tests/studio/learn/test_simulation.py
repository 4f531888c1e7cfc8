"""The training of the page is the engine's own, and changes of settings keep what can
be kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from equipoise.errors import RequestError
from equipoise.studio.learn.distributions import CHOICES
from equipoise.studio.learn.simulation import Setup, Simulation, with_fields
from equipoise.training.state import State
from equipoise.training.step import adversarial_step

GAUSSIAN = Setup(CHOICES["gaussian"], fields={"width": 8, "batch_size": 16})


def weights(state: State, network: str) -> list[Tensor]:
    return [weight.clone() for weight in getattr(state, network).parameters()]


def same(before: list[Tensor], after: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_its_steps_are_those_of_the_engine_bit_for_bit() -> None:
    watched, plain = Simulation(GAUSSIAN), Simulation(GAUSSIAN).state
    watched.step(n=5)
    for _ in range(5):
        rates = plain.method.schedule(plain.samples_seen / watched.horizon, plain.samples_seen)
        plain.apply(rates)
        adversarial_step(plain, rates)
        plain.samples_seen += plain.samples_per_step
    assert watched.state.samples_seen == plain.samples_seen
    for name, tensor in plain.tensors().items():
        assert torch.equal(tensor, watched.state.tensors()[name]), name


def test_a_step_of_one_player_leaves_the_other_as_it_is() -> None:
    for mover, other, player in (
        ("discriminator", "generator", "D"),
        ("generator", "discriminator", "G"),
    ):
        simulation = Simulation(GAUSSIAN)
        before = {name: weights(simulation.state, name) for name in (mover, other)}
        simulation.step(player, 3)  # type: ignore[arg-type]
        assert same(before[other], weights(simulation.state, other))
        assert not same(before[mover], weights(simulation.state, mover))


def test_turns_by_hand_train_as_rounds_do() -> None:
    simulation = Simulation(GAUSSIAN)
    for _ in range(3):
        simulation.step("D")
        simulation.step("G")
    assert {"discriminator_loss", "generator_loss", "real_logits"} <= simulation.recent[-1].keys()
    assert not same(
        list(simulation.state.weights_ema), list(Simulation(GAUSSIAN).state.weights_ema)
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"learning_rate": 1e-2},
        {"gamma": 1.0},
        {"discriminator_steps": 3},
        {"beta1": 0.9},
        {"batch_size": 32},
    ],
)
def test_a_setting_of_the_same_networks_takes_effect_at_once_and_keeps_them(
    fields: dict[str, float],
) -> None:
    simulation = Simulation(GAUSSIAN)
    simulation.step(n=3)
    before = simulation.state
    moments = before.optimizer_g.state_dict()["state"][0]["exp_avg_sq"].clone()
    assert simulation.change(with_fields(GAUSSIAN, **fields)) == []
    after = simulation.state
    assert same(weights(before, "generator"), weights(after, "generator"))
    assert same(weights(before, "discriminator"), weights(after, "discriminator"))
    assert same(list(before.weights_ema), list(after.weights_ema))
    assert torch.equal(moments, after.optimizer_g.state_dict()["state"][0]["exp_avg_sq"])
    assert after.samples_seen == before.samples_seen
    ((name, value),) = fields.items()
    assert getattr(simulation.recipe, name) == value
    simulation.step()


def test_a_change_of_the_learning_rate_changes_the_next_step_alone() -> None:
    one, other = Simulation(GAUSSIAN), Simulation(GAUSSIAN)
    other.change(GAUSSIAN)
    one.step(n=2)
    other.step(n=2)
    assert same(weights(one.state, "generator"), weights(other.state, "generator"))
    other.change(with_fields(GAUSSIAN, learning_rate=1e-1))
    one.step()
    other.step()
    assert not same(weights(one.state, "generator"), weights(other.state, "generator"))


@pytest.mark.parametrize(
    ("fields", "anew"),
    [
        ({"width": 16}, ["generator", "discriminator"]),
        ({"latent_dim": 2}, ["generator"]),
        ({"ema_half_life": 0}, []),
    ],
)
def test_only_networks_of_another_shape_begin_anew(fields: dict[str, int], anew: list[str]) -> None:
    simulation = Simulation(GAUSSIAN)
    simulation.step(n=2)
    assert simulation.change(with_fields(GAUSSIAN, **fields)) == anew
    simulation.step(n=2)


def test_an_average_that_is_switched_on_begins_at_the_generator() -> None:
    setup = with_fields(GAUSSIAN, ema_half_life=0)
    simulation = Simulation(setup)
    simulation.step(n=3)
    simulation.change(with_fields(setup, ema_half_life=10_000))
    state = simulation.state
    assert state.ema is not state.generator
    assert same(weights(state, "generator"), list(state.weights_ema))


def test_a_change_that_is_refused_changes_nothing() -> None:
    simulation = Simulation(GAUSSIAN)
    state = simulation.state
    with pytest.raises(RequestError, match="gamma"):
        simulation.change(with_fields(GAUSSIAN, gamma=-1))
    with pytest.raises(RequestError, match="recipe"):
        simulation.change(replace(GAUSSIAN, recipe="none"))
    assert simulation.state is state
    assert simulation.setup is GAUSSIAN
    simulation.step()


def test_weights_that_are_no_longer_finite_are_rolled_back() -> None:
    simulation = Simulation(GAUSSIAN)
    simulation.step(n=2)
    assert simulation.check()
    good = weights(simulation.state, "generator")
    simulation.state.weights_g[0].data.fill_(float("nan"))
    assert not simulation.check()
    assert same(good, weights(simulation.state, "generator"))
    assert simulation.state.recoveries == 1
    simulation.step()
    assert simulation.check()


def test_a_change_of_settings_ends_the_halving_of_the_learning_rate() -> None:
    simulation = Simulation(GAUSSIAN)
    simulation.step()
    simulation.state.weights_g[0].data.fill_(float("nan"))
    assert not simulation.check()
    simulation.change(with_fields(GAUSSIAN, learning_rate=1e-3))
    simulation.step()
    assert simulation.state.optimizer_g.param_groups[0]["lr"] == 1e-3
