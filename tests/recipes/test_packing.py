"""Packing is a field of every recipe whose D can see several samples at once."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.helpers import squares, state_of

from equipoise import GAN
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.networks.packing import Packing
from equipoise.recipes import catalogue, find
from equipoise.recipes._building import build_method
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.classic import Classic
from equipoise.recipes.method import CriticBatch
from equipoise.training.step import discriminator_gradients

PLANE = Schema((2,), "ND", "float64")
DIGITS = Schema((1, 8, 8), "NHW", "uint8", classes=(0, 1, 2), class_counts=(1, 1, 1))
SMALL: dict[str, Any] = {"batch_size": 8, "width": 8}
PACKED = [
    name
    for name, recipe in catalogue().items()
    if not recipe.one_at_a_time and not recipe.tables_only
]


@pytest.mark.parametrize("name", PACKED)
def test_d_judges_packs_and_g_is_as_without_packing(name: str) -> None:
    recipe = find(name)
    schema = DIGITS if recipe.needs_labels or recipe.images_only else PLANE
    given = {**SMALL, "conditional": recipe.needs_labels, "packing": 1}
    plain = recipe.for_data(schema, given)
    packed = replace(plain, packing=4)
    one, four = (build_method(chosen, schema, 0) for chosen in (plain, packed))
    assert all(
        torch.equal(a, b)
        for a, b in zip(one.generator.parameters(), four.generator.parameters(), strict=True)
    )
    x = torch.randn(8, *schema.shape)
    y = torch.arange(8) % 3 if recipe.needs_labels else None
    four.discriminator.eval()
    logits, _ = four.discriminator(four.packing.join(x), four.packing.join_classes(y))
    assert logits.shape == (2,)
    other = x.clone()
    other[3] += 1  # changes the first pack alone
    again, _ = four.discriminator(four.packing.join(other), four.packing.join_classes(y))
    if name != "stylegan2":  # whose D compares the packs of a batch
        assert again[1] == logits[1]
    assert again[0] != logits[0]


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("acgan", {"conditional": True}, "acgan's D classifies each sample: leave it out"),
        ("infogan", {}, "infogan's D recovers the code of each sample"),
        ("fastgan", {}, "fastgan's D reconstructs each image"),
        ("projected", {}, "projected's D has a frozen network, which takes one image"),
    ],
)
def test_a_d_that_tells_more_of_each_sample_takes_no_packs(
    name: str, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(RequestError, match=f"packing = 2: {told}"):
        find(name).for_data(DIGITS, {"packing": 2, **settings})


@pytest.mark.parametrize(
    ("name", "batch", "packing", "right"),
    [
        ("balanced", 256, 3, "255 or 258"),
        ("balanced", 2, 3, "3"),
        ("dcgan", 4, 4, "8"),  # BatchNorm needs two packs
    ],
)
def test_a_batch_is_of_whole_packs(name: str, batch: int, packing: int, right: str) -> None:
    message = f"batch_size = {batch}, packing = {packing}: a batch is of whole packs, use "
    with pytest.raises(RequestError, match=re.escape(f"{message}batch_size = {right}") + "$"):
        find(name)(batch_size=batch, packing=packing)


def test_packs_and_batches_as_vectors_exclude_each_other() -> None:
    with pytest.raises(RequestError, match="packing = 2: both are samples that D sees at once"):
        Classic.for_data(
            Schema((1,), "N", "float64"), {"discriminator_sees": "batch", "packing": 2}
        )


def test_r1_and_r2_are_of_the_gradients_by_whole_packs() -> None:
    """Of D(x_1, x_2) = sum of w . x_i the squared norm is 2 |w|^2."""
    method = build_method(Balanced(packing=2, **SMALL), PLANE, 0)
    assert method.penalty is not None
    w, x = torch.tensor([1.0, 2.0]), torch.randn(8, 2)
    packs = method.packing.join(x).requires_grad_()
    logits = (packs * w.repeat(2)).sum(1)
    terms = method.penalty(CriticBatch(packs, logits, lambda at: at, torch.Generator()))
    assert terms["r1"].item() == pytest.approx(10.0)
    assert terms["r2"].item() == pytest.approx(10.0)


def test_wgan_gps_points_lie_between_whole_packs() -> None:
    """One fraction for a pack: from a pack of zeros to one of ones all values are
    equal."""
    method = build_method(find("wgan-gp")(packing=4, **SMALL), PLANE, 0)
    assert method.penalty is not None
    packs = Packing(4).join(torch.cat([torch.ones(8, 2), torch.zeros(8, 2)]))
    asked: list[torch.Tensor] = []

    def ask(at: torch.Tensor) -> torch.Tensor:
        asked.append(at)
        return at.sum(1)

    terms = method.penalty(CriticBatch(packs, torch.zeros(4), ask, torch.Generator()))
    assert asked[0].shape == (2, 8)
    assert asked[0].std(1).max() == 0
    assert asked[0][0, 0] != asked[0][1, 0]
    assert terms["gradient_penalty"].item() == pytest.approx((8**0.5 - 1) ** 2, rel=1e-5)


def test_a_step_gives_the_losses_of_packs_by_hand() -> None:
    recipe = Balanced.for_data(squares().schema, {**SMALL, "conditional": True, "packing": 2})
    state = state_of(recipe, squares())
    x, y = state.loader.next()
    z = state.latents(len(x))
    assert y is not None
    _, readings = discriminator_gradients(state, None, x, y, z)
    with torch.no_grad():
        fake = state.generator(z, y)
        pairs = [
            state.discriminator(torch.cat([of[i], of[i + 1]])[None], torch.tensor([[a, b + 2]]))[0]
            for of in (x, fake)
            for i, (a, b) in ((i, y[i : i + 2].tolist()) for i in range(0, 8, 2))
        ]
    real, made = torch.cat(pairs).chunk(2)
    expected = torch.nn.functional.softplus(made - real).mean()
    assert readings["real_logits"].shape == (4,)
    assert readings["discriminator_loss"].item() == pytest.approx(expected.item(), rel=1e-4)


def test_images_are_augmented_one_by_one_before_they_are_joined() -> None:
    given = {**SMALL, "augment": "color,cutout", "packing": 2, "clusters": 0}
    state = state_of(Balanced.for_data(squares().schema, given), squares())
    alone = state_of(Balanced.for_data(squares().schema, {**given, "packing": 1}), squares())
    x, pack = torch.randn(4, 1, 8, 8), state.method.packing
    seen: list[torch.Tensor] = []
    state.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    state.discriminate(pack.join(x), None)
    assert alone.augmentation is not None
    assert torch.equal(seen[0], pack.join(alone.augmentation(x)))


def test_d_is_not_drawn_over_single_points_and_the_page_says_why(tmp_path: Any) -> None:
    out = tmp_path / "run"
    gan = GAN(samples=32, batch_size=16, width=8, threads=1, packing=2)
    gan.fit("ring", out=out).evaluate()
    page = (out / "report.html").read_text()
    assert "D is not drawn: it sees 2 samples at once" in page
    assert "D over the plane" not in page
