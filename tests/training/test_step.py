"""One step: who learns from what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from tests.helpers import RECIPES, TINY_RECIPE, squares, state_of

from equipoise.data.sources import Source
from equipoise.recipes import find
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import Recipe
from equipoise.recipes.classic import Classic
from equipoise.recipes.method import GeneratorBatch
from equipoise.recipes.wgan import WGAN
from equipoise.recipes.wgan_gp import WGANGP
from equipoise.training.state import State
from equipoise.training.step import (
    Reused,
    adversarial_step,
    discriminator_step,
    ema_half_life,
    generator_step,
    penalty_weight,
    update_ema,
)

PENALISED = ("balanced", "r3gan", "wgan-gp", "dragan", "stylegan2")


def weights(module: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in module.parameters()]


def equal(left: list[torch.Tensor], right: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize(("recipe", "source"), RECIPES)
def test_the_discriminators_step_leaves_the_generator_without_gradient(
    recipe: Recipe, source: Source
) -> None:
    state = state_of(recipe, source)
    before, before_d = weights(state.generator), weights(state.discriminator)
    discriminator_step(state, recipe.schedule(0), *state.loader.next())
    assert all(p.grad is None for p in state.generator.parameters())
    assert equal(before, weights(state.generator))
    assert not equal(before_d, weights(state.discriminator))


@pytest.mark.parametrize(("recipe", "source"), RECIPES)
def test_the_generators_step_leaves_the_discriminator_without_gradient(
    recipe: Recipe, source: Source
) -> None:
    state = state_of(recipe, source)
    before, before_g = weights(state.discriminator), weights(state.generator)
    generator_step(state, recipe.schedule(0), *state.loader.next())
    assert all(p.grad is None for p in state.discriminator.parameters())
    assert equal(before, weights(state.discriminator))
    assert not equal(before_g, weights(state.generator))


@pytest.mark.parametrize(
    ("recipe", "source"),
    [
        given
        for given in RECIPES
        if given.values[0].name in PENALISED
        and getattr(given.values[0], "regularization", "penalties") == "penalties"
    ],
)
def test_the_penalty_joins_the_loss_in_the_same_optimiser_step(
    recipe: Recipe, source: Source
) -> None:
    with_penalty, without = state_of(recipe, source), state_of(recipe, source)
    rates = with_penalty.method.schedule(0)
    discriminator_step(with_penalty, rates, *with_penalty.loader.next())
    discriminator_step(without, replace(rates, penalty=0.0), *without.loader.next())
    steps = {int(moments["step"]) for moments in with_penalty.optimizer_d.state.values()}
    assert steps == {1}
    assert not equal(weights(with_penalty.discriminator), weights(without.discriminator))


@pytest.mark.usefixtures("double")
def test_the_discriminators_gradient_is_that_of_loss_plus_half_gamma_times_both_penalties() -> None:
    recipe = Balanced(batch_size=16, width=8, gamma=0.7)
    state = state_of(recipe)
    x = state.loader.next()[0].double()
    with torch.no_grad():
        z = state.method.prior.sample(
            16, torch.Generator().manual_seed(state.randomness["latents"].initial_seed())
        )
        x_fake = state.generator(z)
    expected = [
        _slope(state.discriminator, parameter, x, x_fake, 0.7)
        for parameter in state.discriminator.parameters()
    ]
    discriminator_step(state, recipe.schedule(0), x, None)
    for parameter, slope in zip(state.discriminator.parameters(), expected, strict=True):
        assert parameter.grad is not None
        assert torch.allclose(parameter.grad, slope, atol=1e-7)


@pytest.fixture
def double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def _slope(
    network: torch.nn.Module,
    parameter: torch.Tensor,
    x: torch.Tensor,
    x_fake: torch.Tensor,
    gamma: float,
) -> torch.Tensor:
    """Central differences of the equation in the recipe's docstring."""
    slope, flat = torch.zeros_like(parameter).view(-1), parameter.data.view(-1)
    for i in range(len(flat)):
        values = []
        for shift in (1e-5, -2e-5):
            flat[i] += shift
            values.append(_equation(network, x, x_fake, gamma))
        flat[i] += 1e-5
        slope[i] = (values[0] - values[1]) / 2e-5
    return slope.view_as(parameter)


def _equation(
    network: torch.nn.Module, x: torch.Tensor, x_fake: torch.Tensor, gamma: float
) -> float:
    x, x_fake = x.clone().requires_grad_(), x_fake.clone().requires_grad_()
    real, fake = network(x)[0], network(x_fake)[0]
    r1, r2 = (
        torch.autograd.grad(out.sum(), at)[0].square().sum(1).mean()
        for out, at in ((real, x), (fake, x_fake))
    )
    return float(
        torch.nn.functional.softplus(-(real.detach() - fake.detach())).mean()
        + gamma / 2 * (r1 + r2)
    )


def test_several_discriminator_steps_take_a_fresh_batch_each() -> None:
    recipe = Balanced(**TINY_RECIPE, discriminator_steps=3)
    state = state_of(recipe)
    adversarial_step(state, recipe.schedule(0))
    assert state.loader.position()["cursor"] == 3 * 16


def test_reused_samples_are_those_of_the_discriminators_last_step() -> None:
    source = squares()
    given = {**TINY_RECIPE, "regularization": "spectral", "discriminator_steps": 3}
    state = state_of(Balanced.for_data(source.schema, given), source)
    made: list[torch.Tensor] = []
    seen: list[torch.Tensor] = []
    state.generator.register_forward_hook(lambda _, __, x: made.append(x.detach().clone()))
    state.discriminator.register_forward_hook(lambda _, x, __: seen.append(x[0].detach().clone()))
    adversarial_step(state, state.method.schedule(0))
    assert len(made) == 3
    assert [len(x) for x in seen] == [32, 32, 32, 16]  # G's step has no real samples to see
    assert torch.equal(seen[2][16:], made[2])
    assert torch.equal(seen[3], made[2])


@pytest.mark.usefixtures("double")
def test_on_reused_samples_the_generator_meets_the_updated_discriminator() -> None:
    """G's gradient is that of L_G(D before its step on x, D after it on x')."""
    source = squares()
    given = {**TINY_RECIPE, "regularization": "spectral", "ema_half_life": 0.0}
    state = state_of(Balanced.for_data(source.schema, given), source)
    state.generator.double()
    state.discriminator.double()
    x, y = state.loader.next()
    z = state.latents(16)
    reused = Reused(z, state.generator(z, y))
    readings = discriminator_step(state, state.method.schedule(0), x.double(), y, reused)
    state.discriminator.eval()  # no further power iterations
    fake = state.discriminator(reused.x_fake, y)[0]
    loss = torch.nn.functional.softplus(readings["real_logits"] - fake).mean()
    expected = torch.autograd.grad(loss, state.weights_g, retain_graph=True)
    reused = reused._replace(real_logits=readings["real_logits"])
    generator_step(state, state.method.schedule(0), x.double(), y, reused)
    for weight, gradient in zip(state.weights_g, expected, strict=True):
        assert weight.grad is not None
        assert torch.allclose(weight.grad, gradient)


def test_the_ema_moves_by_its_decay_and_copies_buffers() -> None:
    state = state_of(
        find("dcgan").for_data(
            squares().schema, {**TINY_RECIPE, "conditional": False, "ema_half_life": 100.0}
        ),
        squares(),
    )
    for old, new in zip(state.ema.parameters(), state.generator.parameters(), strict=True):
        old.fill_(1.0)
        new.data.fill_(3.0)
    for statistic in state.generator.buffers():
        statistic.fill_(5)
    update_ema(state, decay=0.75)
    assert {float(value) for weight in state.ema.parameters() for value in weight.flatten()} == {
        1.5
    }
    assert {float(value) for statistic in state.ema.buffers() for value in statistic.flatten()} == {
        5.0
    }


def test_the_ema_forgets_its_start_soon_and_a_warm_starts_at_its_half_life() -> None:
    state = state_of(Balanced(**TINY_RECIPE, ema_half_life=1000))
    rates = state.method.schedule(0, 0)
    state.samples_seen = 84
    assert ema_half_life(state, rates, 16) == pytest.approx(10)
    assert ema_half_life(state, replace(rates, ema_half_life=2.0), 16) == 2
    state.seen_before = 5000
    for scheduled in (0.0, 2.0, 1000.0):  # begins anew
        assert ema_half_life(state, replace(rates, ema_half_life=scheduled), 16) == pytest.approx(
            510
        )
    state.seen_before = 10**6
    assert ema_half_life(state, rates, 16) == 1000


def test_without_an_ema_samples_come_from_the_generator_itself() -> None:
    state = state_of(Classic(**TINY_RECIPE))
    assert state.ema is state.generator


@pytest.mark.parametrize(("recipe", "source"), RECIPES)
def test_generated_samples_reach_the_discriminator_detached_from_the_generator(
    recipe: Recipe, source: Source
) -> None:
    state = state_of(recipe, source)
    seen: list[torch.Tensor] = []
    first = state.discriminator if state.augmentation is None else state.augmentation
    first.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    discriminator_step(state, recipe.schedule(0), *state.loader.next())
    assert seen
    assert [x.grad_fn for x in seen if x.grad_fn is not None] == []


@pytest.mark.parametrize(("recipe", "source"), RECIPES)
def test_all_that_a_step_reads_is_finite_and_named(recipe: Recipe, source: Source) -> None:
    state = state_of(recipe, source)
    readings = adversarial_step(state, recipe.schedule(0))
    assert {"discriminator_loss", "generator_loss", "real_logits", "fake_logits"} <= readings.keys()
    assert all(value.isfinite().all() for value in readings.values())


def test_clipping_holds_after_every_step_of_the_critic() -> None:
    state = state_of(WGAN(**TINY_RECIPE, clip=0.05))
    adversarial_step(state, state.method.schedule(0))
    assert max(
        p.detach().abs().max().item() for p in state.discriminator.parameters()
    ) == pytest.approx(0.05)
    assert max(p.detach().abs().max().item() for p in state.generator.parameters()) > 0.05


def test_clipping_has_another_bound_for_batch_norms_gains_and_offsets() -> None:
    state = state_of(WGAN(**TINY_RECIPE, scaling="unit", clip=0.05, norm_clip=0.4), squares())
    adversarial_step(state, state.method.schedule(0))
    for layer in state.discriminator.modules():
        most = 0.4 if isinstance(layer, torch.nn.BatchNorm2d) else 0.05
        for p in layer.parameters(recurse=False):
            assert p.detach().abs().max().item() <= most + 1e-6
            if p is getattr(layer, "weight", None):
                assert p.detach().abs().max().item() == pytest.approx(most)


def test_both_optimisers_follow_the_schedule_each_at_its_own_rate() -> None:
    for recipe in (
        WGANGP(**TINY_RECIPE, learning_rate=0.1, discriminator_rate=4.0),
        WGAN(**TINY_RECIPE, learning_rate=0.1, discriminator_rate=4.0),
    ):
        state = state_of(recipe)
        state.apply(replace(recipe.schedule(0), beta2=0.7))
        assert [
            o.param_groups[0]["lr"] for o in (state.optimizer_g, state.optimizer_d)
        ] == pytest.approx([0.1, 0.4])
        group = state.optimizer_d.param_groups[0]
        assert group.get("alpha", group.get("betas", (0, 0))[-1]) == 0.7
    assert isinstance(state.optimizer_d, torch.optim.RMSprop)


def test_a_penalty_in_a_discriminator_that_looks_across_its_batch_is_a_programmers_mistake() -> (
    None
):
    method = state_of(Balanced(**TINY_RECIPE)).method
    with pytest.raises(ValueError, match="a method with a penalty needs together=True"):
        replace(method, together=False)


def test_a_lazy_penalty_joins_every_kth_step_with_k_times_the_weight() -> None:
    recipe = Balanced(batch_size=16, width=8)
    state = state_of(recipe)
    state.method = replace(state.method, penalty_interval=4)
    present, weights_seen = [], []
    for _ in range(8):
        weights_seen.append(penalty_weight(state, 0.5, 4))
        present.append("r1" in adversarial_step(state, recipe.schedule(0)))
        state.samples_seen += state.samples_per_step
    assert present == [True, False, False, False] * 2
    assert [None if weight is None else weight.item() for weight in weights_seen] == [
        2.0,
        None,
        None,
        None,
    ] * 2


def test_the_generators_penalty_joins_its_loss_with_the_scheduled_weight() -> None:
    """With a penalty whose gradient is that of the loss, a weight of 1 doubles it."""
    recipe = Balanced(batch_size=16, width=8)
    rates, gradients = recipe.schedule(0), []
    for weight in (0.0, 1.0):
        state = state_of(recipe)
        x, y = state.loader.next()

        def again(
            batch: GeneratorBatch, state: State = state, x: torch.Tensor = x
        ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
            assert batch.randomness is state.randomness["penalty"]
            fake = state.discriminate(state.generator(batch.z), None)[0]
            real = state.discriminate(x, None)[0]
            return state.method.generator_loss(real, fake), {"again": fake.mean()}

        state.method = replace(state.method, generator_penalty=again)
        readings = generator_step(state, replace(rates, generator_penalty=weight), x, y)
        assert readings["again"].dim() == 0
        gradients.append([p.grad for p in state.generator.parameters()])
    assert all(torch.allclose(2 * a, b) for a, b in zip(*gradients, strict=True))
