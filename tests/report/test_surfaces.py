"""D's optimum is the theory's, and densities from samples are those of their
distribution."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

from equipoise import GAN
from equipoise.data.distributions import Gaussian, Ring
from equipoise.report import surfaces
from equipoise.report.surfaces import Surface, estimated_density


def surface_of(recipe: str) -> Surface:
    context = (
        GAN(recipe, samples=32, batch_size=16, width=8, threads=1).fit("gaussian").page_context()
    )
    assert context.surface is not None
    return context.surface


def test_the_estimated_density_on_the_line_is_the_distributions() -> None:
    distribution = Gaussian()
    x = np.linspace(1.5, 6.5, 50)
    found = estimated_density(
        distribution.sample(4000, torch.Generator().manual_seed(0)).numpy(), x[:, None]
    )
    assert np.allclose(found, distribution.density(x), rtol=0.12)


def test_narrow_modes_far_apart_stay_narrow() -> None:
    distribution = Ring()
    found = estimated_density(
        distribution.sample(4000, torch.Generator().manual_seed(0)).numpy(),
        np.array([[1.0, 0.0], [1.1, 0.0], [0.5, 0.0]]),
    )
    assert found[0] > 0.5 * distribution.density(np.array([[1.0, 0.0]]))[0]
    assert found[1] < 1e-6 * found[0]


def test_the_optimum_is_the_density_ratio_or_its_logarithm() -> None:
    p, p_g = np.array([0.2, 0.1, 0.3, 1e-9]), np.array([0.2, 0.3, 0.1, 1e-9])
    assert surface_of("classic").optimum(p, p_g)[:3] == pytest.approx([0.5, 0.25, 0.75])
    best = surface_of("balanced").optimum(p, p_g)
    assert best[:3] == pytest.approx(np.log([1, 1 / 3, 3]))
    assert np.isnan(best[3])  # where neither distribution has any mass
    assert surface_of("lsgan").optimum(p, p_g) is None


@pytest.mark.parametrize("recipe", ["balanced", "classic"])
def test_no_optimum_is_shown_where_the_real_density_is_not_known(recipe: str) -> None:
    assert surface_of(recipe).optimum(np.zeros(4), np.array([0.1, 0.2, 0.3, 0.0])) is None
    context = (
        GAN(recipe, samples=32, batch_size=16, width=8, threads=1)
        .fit(np.arange(200.0) % 3)
        .page_context()
    )
    assert context.source is not None
    real = context.source.held_out(20, 0).numpy()[:, 0]
    alike = np.repeat(real[:1], 20)
    images = surfaces.line_charts(
        context.sampler.values(100, 0)[:, 0], alike, None, context.surface, "value"
    )
    assert [image.alt for image in images[1:]] == ["D along the line."]


def test_columns_of_other_units_fill_their_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(surfaces, "svg_image", lambda figure, *_, **__: figures.append(figure))
    rng = np.random.default_rng(0)
    data = np.stack([rng.uniform(20, 80, 300), rng.normal(30_000, 8_000, 300)], 1)
    context = GAN(samples=32, batch_size=16, width=8, threads=1).fit(data).page_context()
    surfaces.plane_charts(data, data, None, context.surface, ["age", "income"])
    surfaces.latent_chart(context.sampler, 0)
    panels = [
        axes for figure in figures for axes in figure.axes if axes.get_label() != "<colorbar>"
    ]
    assert [axes.get_aspect() for axes in panels] == ["auto"] * 5


def test_d_is_shown_as_its_logits_mean_it() -> None:
    x = np.linspace(0, 8, 20)[:, None]
    probability, difference = surface_of("classic")(x), surface_of("balanced")(x)
    assert ((probability > 0) & (probability < 1)).all()
    assert difference.mean() == pytest.approx(0, abs=1e-9)


def test_a_class_whose_few_real_samples_lie_outside_the_axes_divides_nothing_by_nothing() -> None:
    x = np.random.default_rng(0).normal(size=300)
    sampler = (
        GAN(samples=32, batch_size=16, width=8, threads=1)
        .fit(x, ["a", "b"] * 150)
        .page_context()
        .sampler
    )
    real = torch.tensor([[1e6], [0.0]]), torch.tensor([0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert (
            "each class in its colour"
            in surfaces.class_chart(sampler, real, ["a", "b"], 0, "two classes").alt
        )


def test_looking_leaves_the_discriminator_in_its_mode() -> None:
    surface = surface_of("sngan")
    for training in (True, False):
        surface.discriminator.train(training)
        surface(np.array([[4.0]]))
        assert surface.discriminator.training is training
