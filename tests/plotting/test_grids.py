"""Grids of images."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from equipoise.plotting.grids import image_grid

RNG = np.random.default_rng(0)


def test_a_grid_shows_every_image_in_its_place() -> None:
    values = np.arange(5.0)[:, None, None, None] * np.ones((5, 1, 4, 6)) * 50
    image = np.asarray(Image.open(io.BytesIO(image_grid(values, (0, 255)))))
    factor = image.shape[1] // 18
    assert image.shape == (8 * factor, 18 * factor)
    cells = image[:: 4 * factor, :: 6 * factor]
    assert cells.tolist() == [[0, 50, 100], [150, 200, 255]]  # white where there is no image


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGB")])
def test_a_grid_takes_grey_colour_and_transparency(channels: int, mode: str) -> None:
    values = RNG.uniform(0, 1, (4, channels, 5, 3))
    assert Image.open(io.BytesIO(image_grid(values, (0.0, 1.0)))).mode == mode


def test_full_transparency_shows_as_white() -> None:
    image = Image.open(io.BytesIO(image_grid(np.zeros((1, 4, 2, 2)), (0, 255))))
    assert image.getpixel((0, 0)) == (255, 255, 255)
