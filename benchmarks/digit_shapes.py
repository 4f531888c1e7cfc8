"""How slanted a written digit is, and how thick its strokes: two numbers of an image,
without a threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def slants(images: NDArray[np.uint8]) -> Array:
    """Pixels to the right for each pixel up, (N,), of images (N, H, W): 0 for upright
    strokes, above 0 for those that lean to the right.

    It is the slope of x over y by the second moments of the ink, -mu_xy / mu_yy, with
    which digits are deskewed (LeCun et al. 1998). An empty image has 0.
    """
    ink = images.astype(np.float64)
    mass = np.maximum(ink.sum((1, 2)), 1e-9)
    y, x = (grid.astype(np.float64) for grid in np.indices(images.shape[1:]))
    dx = x - ((ink * x).sum((1, 2)) / mass)[:, None, None]
    dy = y - ((ink * y).sum((1, 2)) / mass)[:, None, None]
    slant: Array = -(ink * dx * dy).sum((1, 2)) / np.maximum((ink * dy * dy).sum((1, 2)), 1e-9)
    return slant


def widths(images: NDArray[np.uint8]) -> Array:
    """Mean width of the strokes in pixels, (N,), of images (N, H, W).

    A long stroke of width w and length l has the area w l and the perimeter 2 l: the
    width is twice the area over the perimeter. The perimeter is the total variation,
    that is the mean over all grey levels of the outline's length (the coarea formula).
    An empty image has 0.
    """
    ink = np.pad(images.astype(np.float64), ((0, 0), (1, 1), (1, 1)))
    across, down = np.diff(ink, axis=2)[:, :-1], np.diff(ink, axis=1)[:, :, :-1]
    perimeter = np.hypot(across, down).sum((1, 2))
    width: Array = 2 * ink.sum((1, 2)) / np.maximum(perimeter, 1e-9)
    return width
