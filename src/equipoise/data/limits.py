"""The range of values of images: what is black, what is white, and what samples are
clamped to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CONVENTIONS = ((0.0, 1.0), (-1.0, 1.0))  # of floats
MIN_SPREAD = 0.1  # of the range: images that take less of it are nearly one grey


def image_limits(values: NDArray[Any]) -> tuple[float, float]:
    """The range of these images, see `limits_of`."""
    if values.dtype == np.uint8:
        return limits_of("uint8", 0, 0)
    return limits_of(values.dtype.name, float(values.min()), float(values.max()))


def limits_of(dtype: str, low: float, high: float) -> tuple[float, float]:
    """The range that images of this type have.

    It is the type's for 8 bit, that of as many bits as the values take for 16 bit (12
    bit are common), [0, 1] or [-1, 1] for floats that keep to it, else what is seen.

    Args:
        dtype: NumPy's name of the type.
        low: The least value.
        high: The greatest.
    """
    if dtype == "uint8":
        return 0.0, 255.0
    if dtype == "uint16":
        return 0.0, 2.0 ** max(int(high).bit_length(), 8) - 1
    for bounds in CONVENTIONS:
        if bounds[0] <= low and high <= bounds[1]:
            return bounds
    return low, high


def range_note(dtype: str, low: float, high: float) -> str:
    """How images of more than 8 bit are drawn, in a line; empty for those of 8 bit, and
    for those that fill the range of their type, or of floats a tenth of it."""
    limits = limits_of(dtype, low, high)
    if limits in CONVENTIONS and 0 < high - low < MIN_SPREAD * (limits[1] - limits[0]):
        return (
            f"values are {low:.6g} to {high:.6g} ({dtype}), and black is {limits[0]:g} and white "
            f"{limits[1]:g}: all is nearly one grey; multiply them if white is less, as by "
            "x / x.max()"
        )
    if dtype == "uint8" or limits in ((0.0, 65535.0), *CONVENTIONS):
        return ""
    return (
        f"values are {low:,.6g} to {high:,.6g} ({dtype}): black is {limits[0]:,.6g} and white "
        f"{limits[1]:,.6g}, in drawings and in samples"
    )
