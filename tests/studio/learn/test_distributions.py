"""Drawn distributions: samples follow what was drawn, and nonsense is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate

from equipoise.errors import RequestError
from equipoise.studio.learn.distributions import CHOICES, DrawnDensity, DrawnPoints

DRAWN = DrawnDensity(heights=(1.0, 0.0, 3.0, 1e-3, 0.0), low=-2.0, high=3.0)
POINTS = DrawnPoints(x=tuple(range(10)), y=tuple(k % 3 for k in range(10)))


def test_the_quantile_of_a_drawn_density_inverts_its_cdf() -> None:
    u = np.linspace(1e-6, 1 - 1e-6, 501)
    assert np.allclose(DRAWN.cdf(DRAWN.quantile(u)), u)
    assert np.allclose(DRAWN.quantile(np.array([0.0, 1.0])), [-2, 2])


def test_samples_of_a_drawn_density_follow_its_cdf() -> None:
    x = DRAWN.sample(20_000, torch.Generator().manual_seed(0)).numpy()[:, 0]
    below = (x[:, None] < np.linspace(-2, 3, 26)).mean(0)
    assert np.abs(below - DRAWN.cdf(np.linspace(-2, 3, 26))).max() < 4 * 0.5 / 20_000**0.5
    assert not ((x > -1) & (x < 0)).any()


def test_densities_of_what_was_drawn_integrate_to_1() -> None:
    x = np.linspace(-3, 4, 70_001)
    assert np.isclose(integrate.trapezoid(DRAWN.density(x), x), 1, atol=1e-3)
    side = np.linspace(-3, 12, 301)
    grid = np.stack([part.ravel() for part in np.meshgrid(side, side)], 1)
    assert np.isclose(POINTS.density(grid).sum() * (side[1] - side[0]) ** 2, 1, atol=1e-3)


def test_samples_of_drawn_points_lie_about_the_points() -> None:
    x = POINTS.sample(2_000, torch.Generator().manual_seed(0)).numpy()
    nearest = np.linalg.norm(x[:, None] - POINTS.points[None], axis=-1).min(1)
    assert nearest.max() < 6 * POINTS.noise
    assert len(np.unique(x.round()[:, 0])) == 10


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"heights": (1.0,)}, "1 bars"),
        ({"heights": (0.0, 0.0)}, "above 0"),
        ({"heights": (0.0, 1.0, 0.0)}, "only one bar"),
        ({"heights": (1.0, -1.0)}, "0 or more"),
        ({"heights": (1.0, float("nan"))}, "finite"),
        ({"heights": "tall"}, "heights"),
        ({"heights": (1.0,) * 1000}, "1000 bars"),
        ({"low": 5.0}, "low must be less"),
        ({"low": -1e9}, "within 1000"),
    ],
)
def test_a_senseless_density_is_refused_in_a_line(given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(RequestError, match=wrong) as raised:
        DrawnDensity(**given)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("x", "y", "wrong"),
    [
        ((1.0,) * 9, (1.0,) * 8, "as many"),
        ((1.0,), (1.0,), "draw 8 to"),
        ((1.0,) * 9, (1.0,) * 9, "all points are the same"),
        ((1e9,) * 9, tuple(range(9)), "beyond"),
        ((float("inf"),) * 9, tuple(range(9)), "finite"),
    ],
)
def test_senseless_points_are_refused_in_a_line(x: Any, y: Any, wrong: str) -> None:
    with pytest.raises(RequestError, match=wrong):
        DrawnPoints(x=x, y=y)


def test_every_choice_has_samples_of_its_dimension() -> None:
    for distribution in CHOICES.values():
        x = distribution.sample(10, torch.Generator().manual_seed(0))
        assert x.shape == (10, distribution.dimension)
