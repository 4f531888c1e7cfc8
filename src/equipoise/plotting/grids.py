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
    values: Array,
    limits: tuple[float, float] | None,
    images_per_row: int | None = None,
    *,
    alpha: bool = False,
) -> bytes:
    """A PNG of a grid of images. Empty cells are white, or transparent as images with
    alpha are. One image has its own size.

    Args:
        values: Images of shape (N, C, H, W); the first 400 are shown.
        limits: The values of black and white; None for (0, 255).
        images_per_row: By default the grid is as near to square as can be.
        alpha: Whether the last channel is transparency.
    """
    from PIL import Image

    images = eight_bit(values[:MAX_IMAGES], limits, alpha=alpha)
    n, _, _, channels = images.shape
    columns = images_per_row or math.ceil(math.sqrt(n))
    grid = grid_pixels(images, columns, 0 if alpha else 255)
    image = Image.fromarray(grid[:, :, 0] if channels == 1 else grid)
    factor = 1 if n == 1 else max(math.ceil(MIN_SIDE / max(image.size)), 1)
    buffer = io.BytesIO()
    image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST).save(
        buffer, "PNG"
    )
    return buffer.getvalue()


def grid_pixels(images: NDArray[np.uint8], columns: int, empty: int) -> NDArray[np.uint8]:
    """Images, (N, H, W, C), side by side: (rows * H, columns * W, C).

    Args:
        images: As bytes.
        columns: Images of a row.
        empty: The value of cells without an image.
    """
    n, height, width, channels = images.shape
    rows = math.ceil(n / columns)
    grid = np.full((rows * columns, height, width, channels), empty, np.uint8)
    grid[:n] = images
    grid = grid.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, channels)


def eight_bit(
    values: Array, limits: tuple[float, float] | None, *, alpha: bool = False
) -> NDArray[np.uint8]:
    """Images as bytes, in the colours that can be shown: of two channels red and green,
    of more than three the first three.

    Args:
        values: Images of shape (N, C, H, W).
        limits: The values of black and white; None for (0, 255).
        alpha: Whether the last channel is transparency, which is kept.

    Returns:
        Shape (N, H, W, C) with C = 1, 3 or 4.
    """
    low, high = limits or (0.0, 255.0)
    scaled = (values - low) / max(high - low, 1e-12)
    if scaled.shape[1] == 2:
        scaled = np.concatenate([scaled, np.zeros_like(scaled[:, :1])], 1)
    elif not alpha:
        scaled = scaled[:, :3]
    return (scaled * 255).round().clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
