"""Views are the images with their geometry changed, and nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from equipoise.networks import views

N = 200
NONE = {"ROTATION": 0.0, "SCALE": 1.0, "TRANSLATION": 0.0, "SHEAR": 0.0}


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def blob(x: float, y: float) -> Tensor:
    """A Gaussian bump at a place on [-1, 1], (1, 1, 65, 65)."""
    line = torch.linspace(-1, 1, 65)
    return torch.exp(-((line - x) ** 2 + (line[:, None] - y) ** 2) / (2 * 0.06**2))[None, None]


def centres(images: Tensor) -> Tensor:
    """The centre of mass of each image, (N, 2), x and y on [-1, 1]."""
    line = torch.linspace(-1, 1, images.shape[-1])
    mass = images.sum((1, 2, 3))
    return torch.stack(
        [(images.sum((1, 2)) * line).sum(1) / mass, (images.sum((1, 3)) * line).sum(1) / mass], 1
    )


def test_a_view_of_a_constant_image_is_the_image() -> None:
    x = torch.full((4, 3, 9, 12), -0.7)
    assert torch.allclose(views.random_affine(x, generator()), x)


def test_the_centre_moves_at_most_by_the_translation_and_on_average_not_at_all() -> None:
    moved = centres(views.random_affine(blob(0, 0).expand(N, -1, -1, -1), generator()))
    # The grid is where to read: the shift goes through the matrix, so that it is seen
    # divided by the scale.
    assert moved.abs().max() < views.SCALE * views.TRANSLATION * (1 + views.SHEAR)
    assert moved.std(0).min() > views.TRANSLATION / math.sqrt(3) / 2
    assert moved.mean(0).abs().max() < 0.05


@pytest.mark.parametrize(
    ("only", "still_centre"),
    [("ROTATION", True), ("SCALE", True), ("SHEAR", True), ("TRANSLATION", False)],
)
def test_each_change_is_made_and_none_but_the_shift_moves_the_centre(
    only: str, still_centre: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = (blob(0, 0) + blob(0.3, 0.4)).expand(8, -1, -1, -1)
    for name, still in NONE.items():
        if name != only:
            monkeypatch.setattr(views, name, still)
    seen = views.random_affine(x, generator())
    middle = seen[:, 0, 30:35, 30:35].sum((1, 2))
    assert (seen - x).abs().max() > 0.2
    assert (middle.std() < 0.35 * middle.mean()) == still_centre


def test_without_any_change_a_view_is_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.rand(3, 1, 8, 8, generator=generator())
    for name, still in NONE.items():
        monkeypatch.setattr(views, name, still)
    assert torch.allclose(views.random_affine(x, generator()), x, atol=1e-5)


def test_views_differ_from_image_to_image_and_are_the_generators() -> None:
    x = blob(0.3, 0.2).expand(5, -1, -1, -1)
    seen = views.random_affine(x, generator())
    assert len({tuple(one.flatten().tolist()) for one in seen}) == 5
    assert torch.equal(seen, views.random_affine(x, generator()))


def test_an_elongated_image_is_rotated_without_being_sheared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In pixels the map is a rotation divided by the scale: M M^T = I / scale^2."""
    monkeypatch.setattr(views, "SHEAR", 0.0)
    draws = 2 * torch.rand(N, 5, generator=generator(), dtype=torch.float64) - 1
    height, width = 16, 64
    sides = torch.tensor([width, height], dtype=torch.float64)
    linear = views.matrices(draws, height / width)[:, :, :2]
    pixels = sides[:, None] * linear / sides
    expected = torch.eye(2, dtype=torch.float64) / (views.SCALE ** draws[:, 1])[:, None, None] ** 2
    assert torch.allclose(pixels @ pixels.transpose(1, 2), expected)


def test_a_shear_is_a_fraction_of_the_height(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROTATION", "TRANSLATION"):
        monkeypatch.setattr(views, name, 0.0)
    monkeypatch.setattr(views, "SCALE", 1.0)
    height, width = 16, 64
    (matrix,) = views.matrices(torch.ones(1, 5), height / width)
    upper, lower = (matrix @ torch.tensor([0.0, y, 1.0]) for y in (-1.0, 1.0))
    assert float((lower - upper)[0] * width / 2) == pytest.approx(views.SHEAR * height)
