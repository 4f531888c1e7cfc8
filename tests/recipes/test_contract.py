"""What a recipe's functions return is checked once, before the first step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from equipoise import GAN
from equipoise.errors import EquipoiseError
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.infogan import InfoGAN
from equipoise.recipes.method import Method

FAULTS: list[tuple[dict[str, Any], str]] = [
    (
        {"generator_loss": lambda *logits: logits[1] - logits[0]},
        r"its generator loss is a tensor of shape \(\d+,\), and must be one number",
    ),
    (
        {"discriminator_loss": lambda *_: 0.5},
        r"its discriminator loss is a float, and must be one number",
    ),
    ({"discriminator_loss": lambda *_: None}, r"its discriminator loss is a NoneType"),
    (
        {"generator_loss": lambda *logits: (logits[1] > 0).sum()},
        r"its generator loss is a tensor of torch\.int64",
    ),
    ({"penalty": lambda seen: {"odd": seen.logits}}, r"its penalty 'odd' is a tensor of shape"),
    ({"penalty": lambda seen: seen.logits.mean()}, r"its penalty is a Tensor, and must be a dict"),
]


@pytest.mark.parametrize(("parts", "message"), FAULTS)
def test_a_loss_that_is_not_a_scalar_is_refused_with_the_recipes_name(
    parts: dict[str, Any], message: str, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Balanced.build
    monkeypatch.setattr(Balanced, "build", lambda self, space: replace(build(self, space), **parts))
    with pytest.raises(EquipoiseError, match=rf"^the recipe 'balanced': {message}"):
        GAN(**tiny).fit("gaussian")


def test_an_auxiliary_loss_is_a_term_and_readings(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    build = InfoGAN.build
    monkeypatch.setattr(
        InfoGAN,
        "build",
        lambda self, space: replace(build(self, space), auxiliary=lambda answers: answers.z.mean()),
    )
    with pytest.raises(
        EquipoiseError,
        match="the recipe 'infogan': its auxiliary loss must be a term and a dict of readings",
    ):
        GAN("infogan", **tiny).fit("ring")


def test_the_steps_of_a_training_look_at_nothing(tiny: dict[str, Any]) -> None:
    """The functions of a training are the recipe's own, without the ones that check
    them."""
    method: Method = GAN(**tiny).trainer("gaussian", to_disk=False).state.method
    assert method.discriminator_loss.__name__ == "relativistic_discriminator"
    assert method.discriminator_loss(torch.zeros(2), torch.zeros(2)).dim() == 0
