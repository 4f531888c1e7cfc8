"""Augmentations: what each does, how often, and that gradients pass."""

from __future__ import annotations

import pytest
import torch

from equipoise.networks.augmentation import ADJUST_SAMPLES, ADJUST_STEPS, Augmentation
from equipoise.recipes.output import Critic, DiscriminatorOutput, Energy, Probability


def augmentation(
    *kinds: str, target: float | None = None, output: DiscriminatorOutput | None = None
) -> Augmentation:
    made = Augmentation(kinds, target)
    made.realness = (output or Probability()).realness
    made.generator = torch.Generator().manual_seed(0)
    return made


def observe(made: Augmentation, real: torch.Tensor, fake: torch.Tensor) -> None:
    readings = made.update({"real_logits": real, "fake_logits": fake})
    assert torch.equal(readings["augment_probability"], made.p)


def test_translation_moves_whole_images_by_at_most_an_eighth_and_fills_with_zeros() -> None:
    x = torch.zeros(500, 2, 16, 24)
    x[:, :, 8, 12] = 5.0
    moved = augmentation("translation")(x)
    assert torch.equal(moved.sum((2, 3)), torch.full((500, 2), 5.0))
    places = moved[:, 0].flatten(1).argmax(1)
    rows, columns = places // 24 - 8, places % 24 - 12
    assert set(rows.tolist()) == set(range(-2, 3))
    assert set(columns.tolist()) == set(range(-3, 4))
    assert torch.equal(moved[:, 0], moved[:, 1])


def test_cutout_blanks_one_rectangle_of_half_the_sides_at_most() -> None:
    x = torch.ones(500, 1, 16, 16)
    kept = augmentation("cutout")(x)
    holes = (kept == 0).flatten(1).sum(1)
    assert holes.max() == 64
    assert holes.min() >= 16
    assert (kept[:, :, 0, 0] == 0).any()


def test_color_changes_brightness_within_a_half_and_keeps_a_constant_image_constant() -> None:
    x = torch.full((2000, 3, 4, 4), 0.25)
    changed = augmentation("color")(x)
    shift = changed[:, 0, 0, 0] - 0.25
    assert torch.allclose(changed, changed[:, :1, :1, :1].expand_as(changed), atol=1e-6)
    assert -0.5 <= shift.min() < -0.45
    assert 0.45 < shift.max() <= 0.5


def test_each_kind_is_applied_to_each_image_with_its_probability() -> None:
    made = augmentation("cutout")
    made.set_probability(0.3)
    x = torch.ones(4000, 1, 8, 8)
    assert (made(x) != x).flatten(1).any(1).float().mean().item() == pytest.approx(0.3, abs=0.03)
    made.set_probability(0.0)
    assert torch.equal(made(x), x)


@pytest.mark.parametrize("kind", ["color", "translation", "cutout"])
def test_gradients_pass_through(kind: str) -> None:
    x = torch.randn(3, 3, 8, 8, dtype=torch.float64, requires_grad=True)

    def again(x: torch.Tensor) -> torch.Tensor:
        return augmentation(kind)(x)

    assert torch.autograd.gradcheck(again, (x,))


def test_the_probability_rises_while_the_discriminator_is_too_sure_and_falls_while_it_is_not() -> (
    None
):
    made = augmentation("color", target=0.6)
    sure, unsure = torch.ones(1000), torch.tensor([1.0, -1.0]).repeat(500)
    for _ in range(10 * ADJUST_STEPS):
        observe(made, sure, -sure)
    assert made.p.item() == pytest.approx(10 * ADJUST_STEPS * 1000 / ADJUST_SAMPLES)
    for _ in range(4 * ADJUST_STEPS):
        observe(made, unsure, unsure)
    assert made.p.item() == pytest.approx(6 * ADJUST_STEPS * 1000 / ADJUST_SAMPLES)
    for _ in range(20 * ADJUST_STEPS):
        observe(made, unsure, unsure)
    assert made.p.item() == 0


def test_logits_without_a_zero_are_taken_about_the_middle() -> None:
    made = augmentation("color", target=0.6, output=Critic())
    for _ in range(ADJUST_STEPS):
        observe(made, torch.full((100,), -7.0), torch.full((100,), -9.0))
    assert made.p.item() == pytest.approx(ADJUST_STEPS * 100 / ADJUST_SAMPLES)
    made = augmentation("color", target=0.6, output=Energy())
    for _ in range(ADJUST_STEPS):
        observe(made, torch.full((100,), 7.0), torch.full((100,), 9.0))
    assert made.p.item() == pytest.approx(ADJUST_STEPS * 100 / ADJUST_SAMPLES)


def test_a_probability_that_is_adapted_is_not_scheduled() -> None:
    made = augmentation("color", target=0.6)
    made.set_probability(1.0)
    assert made.p.item() == 0
