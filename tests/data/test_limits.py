"""The range of images: what is black and what is white, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data.factory import open_source
from equipoise.data.limits import limits_of, range_note


@pytest.mark.parametrize(
    ("dtype", "low", "high", "limits"),
    [
        ("uint16", 7, 4000, (0, 4095)),
        ("uint16", 7, 4096, (0, 8191)),
        ("uint16", 0, 9, (0, 255)),
        ("uint16", 0, 65535, (0, 65535)),
        ("float32", 0.1, 0.9, (0, 1)),
        ("float32", -4, 7, (-4, 7)),
    ],
)
def test_sixteen_bit_images_have_as_many_bits_as_their_values_take(
    dtype: str, low: float, high: float, limits: tuple[float, float]
) -> None:
    assert limits_of(dtype, low, high) == limits


def test_the_range_is_told_where_it_is_not_that_of_the_type() -> None:
    assert range_note("uint16", 7, 4000) == (
        "values are 7 to 4,000 (uint16): black is 0 and white 4,095, in drawings and in samples"
    )
    assert range_note("float32", -4, 7).startswith("values are -4 to 7 (float32): black is -4")
    assert range_note("float32", 0, 0.0625) == (
        "values are 0 to 0.0625 (float32), and black is 0 and white 1: all is nearly one grey; "
        "multiply them if white is less, as by x / x.max()"
    )
    for plain in (("uint8", 3, 9), ("uint16", 3, 65000), ("float64", 0, 0.5)):
        assert not range_note(*plain)


def test_an_array_of_twelve_bits_has_its_range_and_says_so() -> None:
    values = np.random.default_rng(0).integers(0, 4096, (20, 8, 8)).astype(np.uint16)
    source = open_source(values)
    assert source.limits == (0, 4095)
    assert "white 4,095" in source.notes[0]
