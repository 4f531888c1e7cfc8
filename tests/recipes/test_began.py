"""BEGAN: its losses, the control of its equilibrium, and the state that this is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.helpers import squares, state_of

from equipoise import GAN
from equipoise.data.distributions import Ring
from equipoise.data.sources import DistributionSource
from equipoise.networks.began import AutoencoderDiscriminator, EquilibriumControl
from equipoise.recipes.began import BEGAN, discriminator_loss
from equipoise.report.page import page
from equipoise.training.guard import Guard
from equipoise.training.state import State
from equipoise.training.step import (
    adversarial_step,
    discriminator_gradients,
    generator_gradients,
)

TINY = {"batch_size": 16, "width": 8, "code_dim": 2}


def stepped(steps: int, **given: float) -> State:
    state = state_of(BEGAN(**TINY, **given), DistributionSource(Ring()))  # type: ignore[arg-type]
    for _ in range(steps):
        adversarial_step(state, state.method.schedule(0))
    return state


def test_the_energy_is_the_mean_absolute_error_of_the_reconstruction() -> None:
    encoder, decoder = torch.nn.Linear(3, 1), torch.nn.Linear(1, 3)
    network = AutoencoderDiscriminator(encoder, decoder)
    x = torch.randn(5, 3)
    energies, auxiliary = network(x)
    assert auxiliary.shape == (5, 0)
    expected = (x - decoder(encoder(x))).abs().sum(1) / 3
    torch.testing.assert_close(energies, expected)


def test_a_class_joins_the_code() -> None:
    encoder, decoder = torch.nn.Linear(3, 1), torch.nn.Linear(3, 3)
    network = AutoencoderDiscriminator(encoder, decoder, classes=2)
    x, y = torch.randn(4, 3), torch.tensor([0, 1, 1, 0])
    code = torch.cat([encoder(x), torch.eye(2)[y]], 1)
    torch.testing.assert_close(network(x, y)[0], (x - decoder(code)).abs().mean(1))


def test_the_losses_are_the_papers() -> None:
    real, fake, k = torch.tensor([1.0, 3.0]), torch.tensor([2.0, 6.0]), torch.tensor(0.25)
    assert discriminator_loss(real, fake, k).item() == 2.0 - 0.25 * 4.0
    method = state_of(BEGAN(**TINY)).method  # type: ignore[arg-type]
    assert method.generator_loss(real, fake).item() == 4.0
    assert method.discriminator_loss(real, fake).item() == 2.0  # k_0 = 0
    assert method.controller is not None
    method.controller.k.fill_(0.25)  # type: ignore[operator, union-attr]
    assert method.discriminator_loss(real, fake).item() == 1.0


def test_k_follows_the_equilibrium_and_the_measure_of_convergence_is_the_papers() -> None:
    control = EquilibriumControl(gamma=0.5, lambda_k=0.1)
    real = torch.tensor([1.0, 3.0])
    expected = 0.0
    for generated in (0.4, 0.2, 5.0, 0.9):
        read = control.update({"real_logits": real, "generator_loss": torch.tensor(generated)})
        surplus = 0.5 * 2.0 - generated
        expected = min(max(expected + 0.1 * surplus, 0.0), 1.0)
        assert read["k"].item() == pytest.approx(expected)
        assert read["convergence_measure"].item() == pytest.approx(2.0 + abs(surplus))
    for _ in range(100):
        control.update({"real_logits": real, "generator_loss": torch.tensor(0.0)})
    assert control.k.item() == 1.0


def test_a_step_moves_k_by_what_it_read() -> None:
    state = stepped(1, lambda_k=0.01, gamma=0.7)
    before = float(state.tensors()["controller.k"])
    read = adversarial_step(state, state.method.schedule(0))
    surplus = 0.7 * float(read["real_logits"].mean()) - float(read["generator_loss"])
    assert float(read["k"]) == pytest.approx(min(max(before + 0.01 * surplus, 0), 1), abs=1e-7)


def test_k_is_part_of_the_state_and_goes_back_with_the_weights() -> None:
    state = stepped(3, lambda_k=1.0)
    k = state.tensors()["controller.k"].clone()
    assert k > 0
    guard = Guard(state)
    state.tensors()["controller.k"].fill_(float("nan"))
    assert not guard.finite
    guard.roll_back()
    assert torch.equal(state.tensors()["controller.k"], k)
    other = stepped(0)
    other.restore({name: value.clone() for name, value in state.tensors().items()}, state.scalars())
    assert torch.equal(other.tensors()["controller.k"], k)


def test_a_compiled_step_reads_k_anew_and_is_compiled_once() -> None:
    state = stepped(1, lambda_k=1.0)
    x, y = state.loader.next()
    z = state.latents(len(x))
    weight = torch.tensor(0.0)
    given = {
        discriminator_gradients: (weight, x, y, z),
        generator_gradients: (None, x, y, z),
    }
    import torch._dynamo.config as dynamo

    if not hasattr(dynamo, "trace_autograd_ops"):
        pytest.skip("this torch does not compile derivatives")
    with dynamo.patch(trace_autograd_ops=True, error_on_recompile=True):
        for function, arguments in given.items():
            compiled = torch.compile(function, fullgraph=True, dynamic=False, backend="eager")
            for k in (0.0, 0.3, 0.9):
                state.tensors()["controller.k"].fill_(k)
                for ours, expected in zip(
                    compiled(state, *arguments)[0], function(state, *arguments)[0], strict=True
                ):
                    torch.testing.assert_close(ours, expected)


def test_augmented_images_are_adapted_beside_k() -> None:
    recipe = BEGAN.for_data(
        squares().schema, {**TINY, "augment": "translation", "augment_target": 0.6}
    )
    read = adversarial_step(state := state_of(recipe, squares()), recipe.schedule(0))
    assert {"k", "convergence_measure", "augment_probability"} <= read.keys()
    assert {"controller.k", "augmentation.p"} <= state.tensors().keys()


def test_its_log_has_k_and_the_measure_of_convergence_and_its_page_draws_the_energy() -> None:
    context = GAN("began", samples=64, threads=1, **TINY).fit("gaussian").page_context()  # type: ignore[arg-type]
    assert {"k", "convergence_measure", "real_output", "fake_output"} <= set().union(*context.log)
    assert context.surface is not None
    energies = context.surface(np.linspace(0, 8, 5)[:, None])
    assert (energies >= 0).all()
    text = page(context)
    assert "D along the line" in text
    assert "beside the optimal D" not in text
    assert "outputs on real and generated samples" in text
