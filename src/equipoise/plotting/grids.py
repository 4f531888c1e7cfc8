"""Grids of images, drawn by NumPy and Pillow: they have no axes."""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MAX_IMAGES = 400
MIN_SIDE = 500  # pixels along a grid; smaller grids are enlarged by a whole factor


def image_grid(
    values: Array, limits: tuple[float, float] | None, images_per_row: int | None = None
) -> bytes:
    """A PNG of a grid of images. Transparency and empty cells are white.

    Args:
        values: Images of shape (N, C, H, W); the first 400 are shown.
        limits: The values of black and white; None for (0, 255).
        images_per_row: By default the grid is as near to square as can be.
    """
    from PIL import Image

    images = eight_bit(values[:MAX_IMAGES], limits)
    n, height, width, channels = images.shape
    columns = images_per_row or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    grid = np.full((rows * columns, height, width, channels), 255, np.uint8)
    grid[:n] = images
    grid = grid.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    grid = grid.reshape(rows * height, columns * width, channels)
    image = Image.fromarray(grid[:, :, 0] if channels == 1 else grid)
    factor = max(math.ceil(MIN_SIDE / max(image.size)), 1)
    buffer = io.BytesIO()
    image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST).save(
        buffer, "PNG"
    )
    return buffer.getvalue()


def eight_bit(values: Array, limits: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Images as bytes, with transparency laid on white.

    Args:
        values: Images of shape (N, C, H, W), where C = 2 or 4 has an alpha channel.
        limits: The values of black and white; None for (0, 255).

    Returns:
        Shape (N, H, W, C) with C = 1 or 3.
    """
    low, high = limits or (0.0, 255.0)
    scaled = (values - low) / max(high - low, 1e-12)
    if scaled.shape[1] in (2, 4):
        alpha = scaled[:, -1:].clip(0, 1)
        scaled = scaled[:, :-1] * alpha + 1 - alpha
    return (scaled * 255).round().clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
