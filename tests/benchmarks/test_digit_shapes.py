"""Slant and width of drawn strokes."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.digit_shapes import slants, widths
from numpy.typing import NDArray


def bar(width: int, lean: float = 0.0) -> NDArray[np.uint8]:
    """A bar 20 pixels high, of that many pixels across, leaning to the right."""
    image = np.zeros((28, 28), np.uint8)
    for y in range(4, 24):
        left = 13 - width // 2 + round(lean * (14 - y))
        image[y, left : left + width] = 255
    return image


def test_slant_is_pixels_to_the_right_for_each_pixel_up() -> None:
    upright, right, left = slants(np.stack([bar(3), bar(3, 0.5), bar(3, -0.5)]))
    assert upright == pytest.approx(0, abs=1e-9)
    assert right == pytest.approx(0.5, abs=0.05)
    assert left == pytest.approx(-0.5, abs=0.05)


def test_width_is_that_of_the_stroke_whatever_its_ink_and_place() -> None:
    images = np.stack([bar(2), bar(4), bar(4) // 2, np.roll(bar(4), 5, 1)])
    two, four, faint, moved = widths(images)
    assert two == pytest.approx(2 * 20 / 22, rel=0.05)  # 2 w h / (2 w + 2 h)
    assert four == pytest.approx(4 * 20 / 24, rel=0.05)
    assert faint == pytest.approx(four)
    assert moved == pytest.approx(four)


def test_an_empty_image_has_neither() -> None:
    empty = np.zeros((1, 28, 28), np.uint8)
    assert slants(empty) == 0
    assert widths(empty) == 0
