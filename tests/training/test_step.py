"""One step: who learns from what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from equipoise.data.laws import Gaussian
from equipoise.data.sources import LawSource
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import Recipe
from equipoise.recipes.classic import Classic
from equipoise.training.state import State, build_method
from equipoise.training.step import adversarial_step, discriminator_step, generator_step, update_average

RECIPES = [
    Balanced(batch_size=16, width=8),
    Classic(batch_size=16, width=8),
    Classic(batch_size=16, width=8, discriminator_sees="batch-spread"),
]


def state_of(recipe: Recipe) -> State:
    source, cpu = LawSource(Gaussian()), torch.device("cpu")
    return State(
        build_method(recipe, source.schema, 0), recipe, source.feed(recipe.batch_size, source.scaling("standard", 0), cpu, 0), 0, cpu
    )


def weights(module: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in module.parameters()]


def equal(left: list[torch.Tensor], right: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_discriminators_step_leaves_the_generator_without_gradient(recipe: Recipe) -> None:
    state = state_of(recipe)
    before, before_d = weights(state.generator), weights(state.discriminator)
    discriminator_step(state.method, state, recipe.schedule(0), *state.feed.next())
    assert all(p.grad is None for p in state.generator.parameters())
    assert equal(before, weights(state.generator))
    assert not equal(before_d, weights(state.discriminator))


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_generators_step_leaves_the_discriminator_without_gradient(recipe: Recipe) -> None:
    state = state_of(recipe)
    before, before_g = weights(state.discriminator), weights(state.generator)
    generator_step(state.method, state, *state.feed.next())
    assert all(p.grad is None for p in state.discriminator.parameters())
    assert equal(before, weights(state.discriminator))
    assert not equal(before_g, weights(state.generator))


def test_the_penalty_joins_the_loss_in_the_same_optimiser_step() -> None:
    recipe = RECIPES[0]
    with_penalty, without = state_of(recipe), state_of(recipe)
    rates = recipe.schedule(0)
    discriminator_step(with_penalty.method, with_penalty, rates, *with_penalty.feed.next())
    discriminator_step(without.method, without, replace(rates, penalty=0.0), *without.feed.next())
    steps = {int(moments["step"]) for moments in with_penalty.optimizer_d.state.values()}
    assert steps == {1}
    assert not equal(weights(with_penalty.discriminator), weights(without.discriminator))


@pytest.mark.usefixtures("double")
def test_the_discriminators_gradient_is_that_of_loss_plus_half_gamma_times_both_penalties() -> None:
    recipe = Balanced(batch_size=16, width=8, gamma=0.7)
    state = state_of(recipe)
    x = state.feed.next()[0].double()
    with torch.no_grad():
        z = state.method.prior.sample(16, torch.Generator().manual_seed(state.randomness["latents"].initial_seed()))
        x_fake = state.generator(z)
    expected = [_slope(state.discriminator, parameter, x, x_fake, 0.7) for parameter in state.discriminator.parameters()]
    discriminator_step(state.method, state, recipe.schedule(0), x, None)
    for parameter, slope in zip(state.discriminator.parameters(), expected, strict=True):
        assert parameter.grad is not None
        assert torch.allclose(parameter.grad, slope, atol=1e-7)


@pytest.fixture
def double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def _slope(player: torch.nn.Module, parameter: torch.Tensor, x: torch.Tensor, x_fake: torch.Tensor, gamma: float) -> torch.Tensor:
    """Central differences of the equation in the recipe's docstring."""
    slope, flat = torch.zeros_like(parameter).view(-1), parameter.data.view(-1)
    for i in range(len(flat)):
        values = []
        for shift in (1e-5, -2e-5):
            flat[i] += shift
            values.append(_equation(player, x, x_fake, gamma))
        flat[i] += 1e-5
        slope[i] = (values[0] - values[1]) / 2e-5
    return slope.view_as(parameter)


def _equation(player: torch.nn.Module, x: torch.Tensor, x_fake: torch.Tensor, gamma: float) -> float:
    x, x_fake = x.clone().requires_grad_(), x_fake.clone().requires_grad_()
    real, fake = player(x), player(x_fake)
    r1, r2 = (torch.autograd.grad(out.sum(), at)[0].square().sum(1).mean() for out, at in ((real, x), (fake, x_fake)))
    return float(torch.nn.functional.softplus(-(real.detach() - fake.detach())).mean() + gamma / 2 * (r1 + r2))


def test_several_discriminator_steps_take_a_fresh_batch_each() -> None:
    recipe = Balanced(batch_size=16, width=8, discriminator_steps=3)
    state = state_of(recipe)
    adversarial_step(state.method, state, recipe.schedule(0))
    assert state.feed.position()["cursor"] == 3 * 16


def test_the_average_moves_by_its_decay_and_copies_buffers() -> None:
    old, new = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    old.requires_grad_(False)
    with torch.no_grad():
        old.weight.fill_(1.0)
        new.weight.fill_(3.0)
        new.running_mean.fill_(5.0)  # type: ignore[union-attr]
    update_average(old, new, decay=0.75)
    assert old.weight.tolist() == [1.5, 1.5]
    assert old.running_mean.tolist() == [5.0, 5.0]  # type: ignore[union-attr]


def test_without_an_average_samples_come_from_the_generator_itself() -> None:
    state = state_of(Classic(batch_size=16, width=8))
    assert state.average is state.generator
