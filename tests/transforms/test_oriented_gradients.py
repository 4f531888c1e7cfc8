"""Histograms of oriented gradients, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from equipoise.transforms.oriented_gradients import BINS, count_features, oriented_gradients


def ramp(degrees: float, side: int = 28) -> torch.Tensor:
    """An image (1, 1, side, side) that rises by 1 a pixel in a direction."""
    at = torch.arange(side, dtype=torch.float64)
    angle = math.radians(degrees)
    return (at * math.cos(angle) + at[:, None] * math.sin(angle))[None, None]


def shares(x: torch.Tensor) -> torch.Tensor:
    """Each direction's share of the middle cell's votes, which no border reaches."""
    votes = oriented_gradients(x).square().reshape(BINS, 7, 7)[:, 3, 3]
    return votes / votes.sum()


@pytest.mark.parametrize("degrees", [0, 20, 45, 90, 170, 225])
def test_a_ramp_votes_for_directions_by_the_cosine_of_twice_the_angle(degrees: float) -> None:
    bins = torch.arange(BINS, dtype=torch.float64) * 20
    near = math.cos(math.radians(40))
    votes = ((2 * (bins - degrees)).deg2rad().cos() - near).clamp(min=0) / (1 - near)
    torch.testing.assert_close(shares(ramp(degrees)), votes / votes.sum(), atol=1e-9, rtol=0)


def test_a_ramp_in_the_direction_of_a_bin_votes_for_that_bin_alone() -> None:
    assert (shares(ramp(40)) > 1e-9).tolist() == [i == 2 for i in range(BINS)]


def test_tones_and_contrast_do_not_matter() -> None:
    x = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    features = oriented_gradients(x)
    torch.testing.assert_close(oriented_gradients(5 - x), features)
    torch.testing.assert_close(oriented_gradients(4 * x), features, atol=0, rtol=0.02)
    torch.testing.assert_close(
        oriented_gradients(x.repeat(1, 3, 1, 1)), features, atol=0, rtol=0.02
    )


def test_votes_of_an_image_add_up_to_one_unless_it_is_plain() -> None:
    x = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    edges, plain, blank = (
        oriented_gradients(scale * x).square().sum(1) / 49 for scale in (1, 1e-4, 0)
    )
    assert (edges > 0.95).all()
    assert (edges < 1).all()
    assert (plain < 0.01).all()
    assert (blank == 0).all()


def test_a_mirrored_image_has_mirrored_cells_and_directions() -> None:
    x = torch.rand(4, 3, 28, 21, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cells = oriented_gradients(x).reshape(4, BINS, 7, 7)
    mirrored = oriented_gradients(x.flip(3)).reshape(4, BINS, 7, 7)
    opposite = [-direction % BINS for direction in range(BINS)]
    torch.testing.assert_close(mirrored, cells[:, opposite].flip(3))


def test_an_edge_between_two_colours_of_one_lightness_counts() -> None:
    x = torch.zeros(1, 3, 28, 28)
    x[:, 0, :, :14] = x[:, 1, :, 14:] = 1
    assert float(oriented_gradients(x).max()) > 0.5
    assert float(oriented_gradients(x.mean(1, keepdim=True)).max()) == 0


def test_an_edge_counts_only_near_itself() -> None:
    x = torch.zeros(1, 1, 28, 28)
    x[..., 14:] = 1
    cells = oriented_gradients(x).reshape(BINS, 7, 7)
    assert (cells[0, :, [0, 1, 5, 6]] == 0).all()
    assert (cells[0, :, 3] > 0).all()
    assert (cells[1:] == 0).all()


@pytest.mark.parametrize("sides", [(1, 1), (2, 9), (28, 28), (33, 5), (96, 128)])
def test_images_of_any_sides_have_as_many_features_as_told(sides: tuple[int, int]) -> None:
    features = oriented_gradients(torch.rand(3, 2, *sides))
    assert features.shape == (3, count_features(sides))
    assert features.isfinite().all()
