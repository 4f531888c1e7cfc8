from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import integrate, stats

from equipoise.data.distributions import (
    DISTRIBUTIONS,
    Distribution,
    Gaussian,
    Grid,
    Mixture,
    Ring,
    Swissroll,
    distribution_settings,
)
from equipoise.data.loading import seeded
from equipoise.data.named_sources import NAMED_SOURCES
from equipoise.errors import RequestError

Array = NDArray[np.float64]
ON_LINE = (
    Gaussian(),
    Gaussian(mean=-2.0, std=0.1),
    Mixture(),
    Mixture(means=(0.0, 50.0), stds=(0.1, 5.0), weights=(1.0, 9.0)),
)
LINE, PROBABILITIES = np.linspace(-9.0, 12.0, 200), np.linspace(0.001, 0.999, 200)


def drawn(distribution: Distribution, n: int = 20_000) -> Array:
    return np.asarray(distribution.sample(n, seeded(5)))


@pytest.mark.parametrize("distribution", ON_LINE, ids=repr)
def test_a_density_on_the_line_integrates_to_one(distribution: Distribution) -> None:
    x = np.linspace(-60.0, 100.0, 400_001)
    assert integrate.trapezoid(distribution.density(x), x) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("distribution", ON_LINE, ids=repr)
def test_the_cdf_is_the_integral_of_the_density(distribution: Distribution) -> None:
    x = np.linspace(-60.0, 100.0, 400_001)
    np.testing.assert_allclose(
        integrate.cumulative_trapezoid(distribution.density(x), x, initial=0),
        distribution.cdf(x),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "distribution", [Ring(std=0.1), Grid(side=2, std=0.3), Grid(side=3, spacing=1.0)], ids=repr
)
def test_a_density_on_the_plane_integrates_to_one(distribution: Distribution) -> None:
    axis = np.linspace(-4.0, 4.0, 801)
    points = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    density = np.concatenate(
        [np.asarray(distribution.density(part)) for part in np.array_split(points, 8)]
    )
    assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("distribution", ON_LINE, ids=repr)
def test_the_quantile_inverts_the_cdf(distribution: Distribution) -> None:
    quantile = distribution.quantile(PROBABILITIES)
    assert quantile is not None
    np.testing.assert_allclose(distribution.cdf(quantile), PROBABILITIES, atol=1e-12)


@pytest.mark.parametrize("distribution", ON_LINE, ids=repr)
def test_draws_follow_the_cdf(distribution: Distribution) -> None:
    assert stats.kstest(drawn(distribution)[:, 0], distribution.cdf).pvalue > 0.01


def test_the_gaussian_is_scipys_with_std_as_standard_std() -> None:
    distribution, exact = Gaussian(), stats.norm(4.0, 1.25)
    np.testing.assert_allclose(distribution.density(LINE), exact.pdf(LINE), rtol=1e-12)
    np.testing.assert_allclose(distribution.cdf(LINE), exact.cdf(LINE), rtol=1e-12)
    np.testing.assert_allclose(
        distribution.quantile(PROBABILITIES), exact.ppf(PROBABILITIES), rtol=1e-12
    )
    assert drawn(distribution).std() == pytest.approx(1.25, abs=0.02)


def test_the_mixture_is_the_weighted_sum_of_scipys_normals() -> None:
    distribution = Mixture(means=(-1.0, 2.0), stds=(0.5, 2.0), weights=(2.0, 6.0))
    parts = stats.norm(-1.0, 0.5), stats.norm(2.0, 2.0)
    np.testing.assert_allclose(
        distribution.density(LINE),
        0.25 * parts[0].pdf(LINE) + 0.75 * parts[1].pdf(LINE),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        distribution.cdf(LINE), 0.25 * parts[0].cdf(LINE) + 0.75 * parts[1].cdf(LINE), rtol=1e-12
    )


@pytest.mark.parametrize(
    "distribution", [Ring(), Grid(), Ring(circle_modes=3, radius=2.0, std=0.2)], ids=repr
)
def test_the_density_of_modes_is_the_mean_of_scipys_round_normals(
    distribution: Ring | Grid,
) -> None:
    centres, std = distribution.modes()
    x = centres[0] + std * np.random.default_rng(0).normal(size=(50, 2))
    exact = np.mean(
        [stats.multivariate_normal(centre, std**2).pdf(x) for centre in centres], axis=0
    )
    np.testing.assert_allclose(distribution.density(x), exact, rtol=1e-9)


@pytest.mark.parametrize("distribution", [Ring(), Grid()], ids=repr)
def test_draws_fall_on_equally_likely_modes_with_the_stated_spread(
    distribution: Ring | Grid,
) -> None:
    centres, std = distribution.modes()
    x = drawn(distribution)
    offsets = x[:, None] - centres[None]
    nearest = (offsets**2).sum(-1).argmin(1)
    assert stats.chisquare(np.bincount(nearest, minlength=len(centres))).pvalue > 0.01
    assert offsets[np.arange(len(x)), nearest].std() == pytest.approx(std, rel=0.02)


def test_the_ring_lies_on_its_circle_and_the_grid_is_centred() -> None:
    np.testing.assert_allclose(np.hypot(*Ring(radius=3.0).centres().T), 3.0)
    centres = Grid().centres()
    assert centres.shape == (25, 2)
    np.testing.assert_allclose(centres.mean(0), 0.0, atol=1e-12)
    assert (centres.min(), centres.max()) == (-4.0, 4.0)


def test_the_swissroll_follows_its_spiral() -> None:
    x = drawn(Swissroll(noise=0.001)) * 5
    radius = np.hypot(*x.T)
    assert 1.5 * math.pi - 0.1 < radius.min() < radius.max() < 4.5 * math.pi + 0.1
    np.testing.assert_allclose(np.cos(np.arctan2(x[:, 1], x[:, 0]) - radius), 1.0, atol=0.01)


@pytest.mark.parametrize(
    "distribution", [distribution() for distribution in DISTRIBUTIONS.values()], ids=repr
)
def test_one_generator_one_result_of_the_stated_shape(distribution: Distribution) -> None:
    one, other = (distribution.sample(7, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, other)
    assert (one.shape, one.dtype) == ((7, distribution.dimension), torch.float64)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Gaussian(std=0.0), "std = 0.0 of gaussian"),
        (lambda: Gaussian(mean=math.nan), "mean = nan of gaussian"),
        (lambda: Mixture(means=(0.0, math.inf, 1.0)), "means = .* of mixture: must be finite"),
        (lambda: Mixture(means=(0.0,)), "lengths 1, 3 and 3"),
        (lambda: Mixture(weights=(1.0, -1.0, 1.0)), "weights = .* of mixture"),
        (lambda: Ring(circle_modes=2.5), "circle_modes = 2.5: must be a whole number"),
        (lambda: Mixture(3.0, 1.0, 1.0), "means = 3.0: must be several numbers"),
        (lambda: Ring(circle_modes=0), "circle_modes = 0 of ring"),
        (lambda: Grid(spacing=-1.0), "spacing = -1.0 of grid"),
        (lambda: Swissroll(noise=math.inf), "noise = inf of swissroll"),
    ],
)
def test_settings_that_make_no_distribution_are_refused_by_name(
    make: type[Distribution], named: str
) -> None:
    with pytest.raises(RequestError, match=named):
        make()


def test_settings_may_be_lists_arrays_and_numpys_or_torchs_numbers() -> None:
    assert Mixture([0.0, 1.0], np.array([1.0, 2.0]), torch.tensor([0.5, 0.5])) == Mixture(
        (0, 1), (1, 2), (0.5, 0.5)
    )
    assert Ring(circle_modes=np.int64(8)) == Ring()
    assert json.dumps(distribution_settings(Gaussian(mean=torch.tensor(4.0)))) == json.dumps(
        distribution_settings(Gaussian())
    )


def test_huge_weights_are_normalised_to_fractions() -> None:
    assert Mixture((0, 1), (1, 1), (1e308, 1e308)).mixture_weights() == (0.5, 0.5)


def test_every_named_source_has_a_line() -> None:
    assert set(NAMED_SOURCES) == {*DISTRIBUTIONS, "mnist"}
    assert all(NAMED_SOURCES.values())
