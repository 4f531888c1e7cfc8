"""What each method's paper asks for is what is built."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrize import is_parametrized

from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.networks.latents import Prior
from equipoise.recipes import catalogue, find
from equipoise.recipes._building import network_space
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.infogan import InfoGAN, mutual_information_term, view_information
from equipoise.recipes.lsgan import LSGAN
from equipoise.recipes.method import (
    AuxOutputs,
    CriticBatch,
    GeneratorBatch,
    Losses,
    Method,
    Networks,
)
from equipoise.recipes.r3gan import R3GAN
from equipoise.recipes.stylegan2 import StyleGAN2
from equipoise.transforms.space import NetworkSpace

OF_IMAGES = sorted(name for name, recipe in catalogue().items() if not recipe.tables_only)
LINE, DIGITS = Schema((1,), "N", "float64"), Schema((1, 28, 28), "NHW", "uint8")
LABELLED = Schema((1, 28, 28), "NHW", "uint8", classes=(0, 1, 2), class_counts=(1, 1, 1))
REAL, FAKE = torch.tensor([0.5, 2.0]), torch.tensor([-1.0, 3.0])
RANDOM = torch.Generator()


def built(name: str, schema: Schema = DIGITS, **given: Any) -> Method:
    torch.manual_seed(0)
    recipe = find(name)
    chosen = recipe.for_data(schema, {"conditional": recipe.needs_labels, **given})
    return chosen.build(network_space(chosen, schema))


def batch_norms(network: nn.Module) -> int:
    return sum(isinstance(layer, _BatchNorm) for layer in network.modules())


@pytest.mark.parametrize("name", OF_IMAGES)
def test_batch_norm_is_where_the_paper_has_it_and_real_and_fake_pass_it_separately(
    name: str,
) -> None:
    method = built(name, LABELLED)
    expected = name in ("dcgan", "cgan", "acgan", "infogan", "wgan", "lsgan", "fastgan", "pacgan")
    assert (batch_norms(method.discriminator) > 0) == expected
    assert method.together != expected


def test_a_penalty_counts_in_full_where_the_schedule_says_nothing() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Penalised(LSGAN):
        def build(self, space: NetworkSpace) -> Method:
            pair = super().build(space)
            return self.method(
                Networks(pair.generator, pair.discriminator, pair.prior),
                Losses(pair.discriminator_loss, pair.generator_loss),
                penalty=lambda batch: {"outputs": batch.logits.square().mean()},
            )

    method = Penalised().build(NetworkSpace((2,)))
    assert [method.schedule(at, 100).penalty for at in (0.0, 0.5, 1.0)] == [1, 1, 1]


@pytest.mark.parametrize("name", OF_IMAGES)
def test_what_the_discriminators_output_means(name: str) -> None:
    expected = {
        "wgan": "critic",
        "wgan-gp": "critic",
        "lsgan": "score",
        "sngan": "score",
        "fastgan": "score",
        "sagan": "score",
        "projected": "score",
        "balanced": "relativistic",
        "r3gan": "relativistic",
        "began": "energy",
    }
    assert built(name, LABELLED).output.name == expected.get(name, "probability")


def test_wgan_has_the_papers_settings() -> None:
    recipe = find("wgan").for_data(DIGITS, {})
    assert (recipe.optimizer, recipe.discriminator_steps, vars(recipe)["clip"]) == (
        "rmsprop",
        5,
        0.01,
    )
    method = built("wgan")
    assert method.discriminator_loss(REAL, FAKE).item() == pytest.approx(1.0 - 1.25)
    assert method.generator_loss(REAL, FAKE).item() == pytest.approx(-1.0)


def test_wgan_gp_has_the_papers_penalty_per_sample() -> None:
    recipe = find("wgan-gp")()
    assert find("wgan-gp").for_data(DIGITS, {}).discriminator_steps == 5
    assert (
        recipe.beta1,
        recipe.beta2,
        recipe.discriminator_steps,
        recipe.schedule(0.3).penalty,
    ) == (0.0, 0.9, 5, 10.0)
    method = built("wgan-gp")
    assert method.penalty is not None
    w = torch.full((1, 28, 28), 0.25)
    x = torch.randn(8, 1, 28, 28)
    terms = method.penalty(
        CriticBatch(
            x, (x * w).sum((1, 2, 3)), lambda at: (at * w).sum((1, 2, 3)), torch.Generator()
        )
    )
    assert terms["gradient_penalty"].item() == pytest.approx((7.0 - 1) ** 2)


def test_dragans_penalty_is_taken_around_real_samples_only() -> None:
    method = built("dragan")
    assert method.penalty is not None
    x = torch.cat([torch.randn(500, 1, 28, 28), torch.full((500, 1, 28, 28), 99.0)])
    asked: list[torch.Tensor] = []

    def ask(at: torch.Tensor) -> torch.Tensor:
        asked.append(at)
        return 2 * at.sum((1, 2, 3)) / 28

    terms = method.penalty(CriticBatch(x, torch.zeros(1000), ask, torch.Generator()))
    assert terms["gradient_penalty"].item() == pytest.approx((2.0 - 1) ** 2, rel=1e-3)
    assert asked[0].abs().max() < 20
    assert (asked[0] - x[:500]).std().item() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("name", ["balanced", "r3gan"])
def test_relativistic_recipes_have_both_penalties_at_the_samples_themselves(name: str) -> None:
    method = built(name)
    assert method.penalty is not None
    assert method.pairs
    assert method.penalty_at == "samples"
    x = torch.randn(8, 1, 28, 28, requires_grad=True)
    logits = torch.cat([x[:4].sum((1, 2, 3)), 2 * x[4:].sum((1, 2, 3))])
    terms = method.penalty(CriticBatch(x, logits, lambda at: at, torch.Generator()))
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(
        {"r1": 784.0, "r2": 4 * 784.0}
    )


def test_balanceds_step_size_also_falls_with_the_root_of_the_samples_beyond_its_usual_length() -> (
    None
):
    line = Balanced.for_data(LINE, {"learning_rate_end": 1.0})
    assert [
        line.schedule(0.5, seen).learning_rate for seen in (0, 512_000, 4 * 512_000)
    ] == pytest.approx([4e-3, 4e-3, 2e-3])
    plane = Balanced.for_data(Schema((2,), "ND", "float64"), {})
    assert plane.default_samples(NetworkSpace((2,))) == plane.full_rate_samples
    assert line.default_samples(NetworkSpace.of(LINE)) == line.full_rate_samples
    assert plane.schedule(0.3, plane.full_rate_samples) == plane.schedule(0.3)
    for recipe in (Balanced.for_data(DIGITS, {}), replace(line, full_rate_samples=0)):
        assert recipe.schedule(0.7, 10**9) == recipe.schedule(0.7)


def test_r3gans_schedules_are_the_papers() -> None:
    recipe = R3GAN.for_data(
        Schema((3, 32, 32), "NHWC", "uint8"),
        {"preset": "paper", "augment": "cutout", "augment_probability": 0.55},
    )
    start, middle, end = (recipe.schedule(t) for t in (0.0, 0.5, 1.0))
    assert (start.learning_rate, end.learning_rate) == pytest.approx((2e-4, 5e-5))
    assert (start.penalty, middle.penalty, end.penalty) == pytest.approx(
        (0.05 / 2, 0.0275 / 2, 0.005 / 2)
    )
    assert (start.beta2, end.beta2) == pytest.approx((0.9, 0.99))
    assert (start.ema_half_life, end.ema_half_life) == (0, 5_000_000)
    assert (start.augment, middle.augment, end.augment) == pytest.approx((0, 0.275, 0.55))
    early = R3GAN(burn_in=0.2)
    assert early.schedule(0.2) == early.schedule(1.0)


def test_r3gans_paper_preset_has_the_published_networks() -> None:
    shape = Schema((3, 64, 64), "NHWC", "uint8")
    recipe = R3GAN.for_data(shape, {"preset": "paper"})
    assert (
        recipe.widths(NetworkSpace.of(shape)),
        recipe.blocks,
        recipe.fold,
        recipe.batch_size,
        recipe.gamma,
    ) == (
        [768, 768, 768, 768, 384],
        2,
        1,
        256,
        2.0,
    )
    assert R3GAN.for_data(DIGITS, {"preset": "paper"}).widths(NetworkSpace.of(DIGITS)) == [768] * 4
    with torch.device("meta"):
        cifar = Schema((3, 32, 32), "NHWC", "uint8")
        method = R3GAN.for_data(cifar, {"preset": "paper"}).build(NetworkSpace.of(cifar))
    assert sum(p.numel() for p in method.generator.parameters()) == pytest.approx(20.8e6, rel=0.02)
    with pytest.raises(
        RequestError,
        match="published for images of 32, 64 and 256 pixels a side, this data is 100 x 100",
    ):
        R3GAN.for_data(Schema((3, 100, 100), "NHWC", "uint8"), {"preset": "paper"})


def test_acgan_pays_both_networks_for_classes_that_can_be_named() -> None:
    method = built("acgan", LABELLED, class_weight=2.0)
    assert method.auxiliary is not None
    y = torch.tensor([0, 2])
    sure = 50 * torch.nn.functional.one_hot(y, 3).float()
    none = torch.zeros(2, 3)
    term, readings = method.auxiliary(AuxOutputs(none, sure, y, torch.zeros(2, 1), RANDOM))
    assert term.item() == pytest.approx(2 * math.log(3))
    assert {name: value.item() for name, value in readings.items()} == pytest.approx(
        {"class_loss_real": math.log(3), "class_loss_fake": 0.0}
    )
    assert method.auxiliary(AuxOutputs(None, none, y, torch.zeros(2, 1), RANDOM))[
        0
    ].item() == pytest.approx(2 * math.log(3))
    assert not hasattr(method.discriminator, "embedding")


def test_cgan_conditions_d_by_projection_or_concatenation() -> None:
    assert hasattr(built("cgan", LABELLED).discriminator, "embedding")
    beside = built("cgan", LABELLED, conditioning="concatenation").discriminator
    assert not hasattr(beside, "embedding")
    x = torch.randn(2, 1, 28, 28)
    assert not torch.equal(beside(x, torch.tensor([0, 1]))[0], beside(x, torch.tensor([1, 0]))[0])


def test_infogans_bound_is_the_codes_entropy_for_a_perfect_q_and_0_for_the_prior() -> None:
    prior = built("infogan", LINE, categorical_codes="4,2").prior
    z = prior.sample(64, torch.Generator().manual_seed(0))
    answers = 100 * z[:, prior.dim :]
    term, readings = mutual_information_term(
        prior, AuxOutputs(None, answers, None, z, RANDOM), 1.0, 0.1
    )
    assert readings["mutual_information_bound"].item() == pytest.approx(
        math.log(4) + math.log(2), rel=1e-5
    )
    assert term.item() == pytest.approx(-math.log(8), rel=1e-5)
    assert mutual_information_term(prior, AuxOutputs(None, 0 * answers, None, z, RANDOM), 1.0, 0.1)[
        0
    ].item() == pytest.approx(0, abs=1e-6)


def test_infogans_continuous_part_is_a_normal_log_likelihood_plus_the_entropy() -> None:
    prior = built("infogan", LINE, categorical_codes="none", continuous_codes=2).prior
    z = prior.sample(64, torch.Generator().manual_seed(0))
    mean, log_std = torch.randn(2, 64, 2, generator=torch.Generator().manual_seed(1))
    expected = torch.distributions.Normal(mean, log_std.exp()).log_prob(z[:, prior.dim :]).mean(
        0
    ).sum() + 2 * math.log(2)
    term, readings = mutual_information_term(
        prior, AuxOutputs(None, torch.cat([mean, log_std], 1), None, z, RANDOM), 1.0, 0.1
    )
    assert readings["mutual_information_bound"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert term.item() == pytest.approx(-0.1 * expected.item(), rel=1e-5)


def test_view_information_is_log_k_where_views_agree_and_0_where_they_are_independent() -> None:
    code = torch.eye(4).repeat(16, 1)
    other = code.repeat_interleave(4, 0)[:64]
    sure = 100.0
    assert view_information(sure * code, sure * code, (4,)).item() == pytest.approx(math.log(4))
    assert view_information(sure * code, sure * other, (4,)).item() == pytest.approx(0, abs=1e-5)
    # One value for all samples says nothing, and is not rewarded.
    alone = torch.zeros(64, 4).index_fill_(1, torch.tensor([2]), sure)
    assert view_information(alone, alone, (4,)).item() == pytest.approx(0, abs=1e-5)


def test_view_information_is_scikit_learns_of_the_hard_codes_and_sums_over_codes() -> None:
    draws = np.random.default_rng(0)
    a, b = draws.integers(3, size=90), draws.integers(2, size=90)
    seen = np.where(draws.random(90) < 0.7, a, 2)
    one_hot = [torch.eye(k)[torch.from_numpy(of)] for k, of in ((3, a), (3, seen), (2, b))]
    first, second, third = (100 * of for of in one_hot)
    # Symmetrised: the pairs and the pairs exchanged.
    expected = mutual_info_score(np.concatenate([a, seen]), np.concatenate([seen, a]))
    assert view_information(first, second, (3,)).item() == pytest.approx(expected, abs=1e-5)
    rest = torch.randn(90, 4, generator=torch.Generator().manual_seed(0))  # u0 and u1
    both = view_information(
        torch.cat([first, third, rest], 1), torch.cat([second, third, rest], 1), (3, 2)
    )
    expected += mutual_info_score(b, b)
    assert both.item() == pytest.approx(expected, abs=1e-5)


def test_a_code_of_very_many_values_has_no_view_information() -> None:
    q, of_view = torch.randn(2, 4, 259, generator=torch.Generator().manual_seed(0))
    rest = view_information(q[:, 257:], of_view[:, 257:], (2,))
    assert view_information(q, of_view, (257, 2)) == rest


def test_infogans_views_enter_ds_step_alone_and_are_of_grey_images_alone() -> None:
    settings = {"invariance_weight": 2.0, "q_categorical_weight": 0.25, "continuous_codes": 0}
    method = built("infogan", **settings)
    assert method.auxiliary is not None
    assert method.view is not None
    q = torch.randn(8, 10, generator=torch.Generator().manual_seed(0))
    z = method.prior.sample(8, torch.Generator().manual_seed(0))
    of_g, readings = method.auxiliary(AuxOutputs(None, q, None, z, RANDOM))
    assert "view_information" not in readings
    of_d, readings = method.auxiliary(AuxOutputs(q, q, None, z, RANDOM, q))
    expected = 0.25 * of_g - 2 * readings["view_information"]
    assert of_d.item() == pytest.approx(expected.item())
    assert built("infogan", Schema((3, 32, 32), "NHWC", "uint8")).view is None
    assert built("infogan", LINE).view is None
    assert built("infogan", categorical_codes="none").view is None


def test_without_views_both_networks_have_the_whole_weight_of_infogans_codes() -> None:
    method = built("infogan", invariance_weight=0.0)
    assert method.auxiliary is not None
    assert method.view is None
    q = torch.randn(8, 14, generator=torch.Generator().manual_seed(0))
    z = method.prior.sample(8, torch.Generator().manual_seed(0))
    of_d, of_g = (method.auxiliary(AuxOutputs(real, q, None, z, RANDOM))[0] for real in (q, None))
    assert of_d == of_g


def test_views_of_points_are_refused() -> None:
    with pytest.raises(RequestError, match=r"invariance_weight = 0\.5: views are of images, leave"):
        built("infogan", LINE, invariance_weight=0.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"categorical_codes": "1"},
            "categorical_codes = '1': must be whole numbers from 2 to 99999",
        ),
        (
            {"categorical_codes": "ten"},
            "categorical_codes = 'ten': must be whole numbers from 2 to 99999",
        ),
        ({"categorical_codes": "none", "continuous_codes": 0}, "give at least one code"),
    ],
)
def test_codes_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        InfoGAN(**settings)


def test_fastgans_discriminator_also_reconstructs_real_images() -> None:
    method = built("fastgan", reconstruction=3.0)
    assert method.auxiliary is not None
    assert method.discriminator_loss(REAL, FAKE).item() == pytest.approx(0.25 + 4 / 2)
    assert method.generator_loss(REAL, FAKE).item() == pytest.approx(-1.0)
    x = torch.rand(4, 1, 28, 28)
    outputs = method.discriminator(x, None)[1]
    z = torch.zeros(4, method.prior.width)
    term, readings = method.auxiliary(AuxOutputs(outputs, outputs, None, z, RANDOM.manual_seed(0)))
    assert term.item() == pytest.approx(3 * readings["reconstruction_error"].item())
    errors = method.discriminator.reconstruction_errors(outputs, RANDOM.manual_seed(0))  # type: ignore[operator]  # a FastDiscriminator
    assert readings["reconstruction_error"].item() == pytest.approx(errors.mean().item())
    term, readings = method.auxiliary(AuxOutputs(None, outputs, None, z, RANDOM))
    assert (term.item(), readings) == (0, {})


def test_stylegan2s_penalties_and_rules_are_adas() -> None:
    small, large = Schema((3, 32, 32), "NHWC", "uint8"), Schema((3, 40, 64), "NHWC", "uint8")
    for schema, weight in ((small, 0.0), (large, 2.0)):
        recipe = StyleGAN2.for_data(schema, {"batch_size": 16, "width": 4})
        space = NetworkSpace.of(schema)
        chosen, method = recipe.resolved(space), recipe.build(space)
        pixels = schema.shape[1] * schema.shape[2]
        assert method.schedule(0.3, 0).penalty == pytest.approx(0.0002 * pixels / 16 / 2)
        assert (chosen.path_length, chosen.mixing) == ((2.0, 0.9) if weight else (0.0, 0.0))
        assert (method.generator_penalty is None) == (weight == 0)
        assert (method.penalty_interval, method.generator_penalty_interval) == (16, 4)
    assert StyleGAN2(gamma=3.0).build(NetworkSpace.of(small)).schedule(0, 0).penalty == 1.5


def test_stylegan2s_r1_is_of_real_images_only() -> None:
    method = built("stylegan2")
    assert method.penalty is not None
    x = torch.randn(8, 1, 28, 28, requires_grad=True)
    logits = torch.cat([x[:4].sum((1, 2, 3)), 2 * x[4:].sum((1, 2, 3))])
    terms = method.penalty(CriticBatch(x, logits, lambda at: at, RANDOM))
    assert {name: term.item() for name, term in terms.items()} == pytest.approx({"r1": 784.0})


def test_stylegan2s_path_lengths_are_of_half_of_the_batch_with_their_weight() -> None:
    method = built("stylegan2", path_length=5.0, width=4)
    assert method.generator_penalty is not None
    z = method.prior.sample(6, torch.Generator().manual_seed(0))
    term, readings = method.generator_penalty(GeneratorBatch(z, None, RANDOM.manual_seed(1), z))
    assert term.item() == pytest.approx(5 * readings["path_length_penalty"].item())
    z[3:] = torch.nan
    again, _ = method.generator_penalty(GeneratorBatch(z, None, RANDOM.manual_seed(1), z))
    assert again.item() == pytest.approx(term.item())


def test_sagan_normalises_every_layer_of_both_networks_and_has_two_time_scales() -> None:
    recipe = find("sagan").for_data(LABELLED, {"conditional": True})
    color = find("sagan").for_data(Schema((3, 32, 32), "NHWC", "uint8"), {})
    assert (color.discriminator_rate, color.beta1, color.beta2) == (4.0, 0.0, 0.9)
    assert (recipe.discriminator_rate, recipe.beta1, recipe.beta2) == (1.0, 0.0, 0.9)
    method = recipe.build(network_space(recipe, LABELLED))
    for network in (method.generator, method.discriminator):
        layers = [
            layer
            for layer in network.modules()
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding)
        ]
        assert layers
        assert all(is_parametrized(layer, "weight") for layer in layers)
    assert method.discriminator_loss(REAL, FAKE).item() == pytest.approx(0.25 + 4 / 2)
    y, z = torch.tensor([0, 1]), method.prior.sample(1, RANDOM).expand(2, -1)
    with torch.no_grad():
        for name, weight in method.generator.named_parameters():
            if name.endswith("gain"):
                weight[1] = 2.0
    method.generator.eval()
    assert not torch.equal(*method.generator(z, y))


@pytest.mark.parametrize("name", ["dcgan", "sagan", "fastgan", "projected"])
def test_grey_images_have_a_dense_layer_before_gs_grids_and_colour_ones_have_none(
    name: str,
) -> None:
    def dense_layers(channels: int) -> list[nn.Module]:
        schema = Schema((channels, 32, 32), "NCHW", "uint8")
        generator = built(name, schema, width=4).generator
        return [layer for layer in generator.modules() if isinstance(layer, nn.BatchNorm1d)]

    assert len(dense_layers(1)) == 2
    assert not dense_layers(3)


@pytest.mark.parametrize(
    ("name", "schema", "given", "message"),
    [
        ("balanced", DIGITS, {"lipschitz": 4.0}, "lipschitz = 4.0: has no effect"),
        (
            "balanced",
            DIGITS,
            {"regularization": "spectral", "gamma": 1.0},
            "gamma = 1.0: has no effect",
        ),
        ("wgan", LINE, {"norm_clip": 0.1}, "norm_clip = 0.1: is of BatchNorm"),
        ("infogan", LINE, {"q_categorical_weight": 1.0}, "q_categorical_weight = 1.0: is for"),
        (
            "infogan",
            DIGITS,
            {"q_categorical_weight": 1.0, "categorical_codes": 1000},
            "q_categorical_weight = 1.0: is for views",
        ),
        ("lsgan", DIGITS, {"preset": "paper", "dense_units": 8}, "the published networks"),
        ("sngan", DIGITS, {"preset": "paper", "kernel_size": 5}, "the published networks"),
    ],
)
def test_a_field_that_would_have_no_effect_is_refused(
    name: str, schema: Schema, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        find(name).for_data(schema, given)


def test_a_code_of_too_many_values_for_views_has_its_whole_weight() -> None:
    """log K - cross-entropy of uniform logits is 0, of a sure Q log K."""
    prior = Prior(2, categorical_codes=(10, 1000))
    z = prior.sample(4, torch.Generator().manual_seed(0))
    sure = AuxOutputs(None, 100 * z[:, 2:], None, z, RANDOM)
    term, _ = mutual_information_term(prior, sure, 1.0, 0.0, viewed_factor=0.3)
    assert term.item() == pytest.approx(-(0.3 * math.log(10) + math.log(1000)), rel=1e-5)
