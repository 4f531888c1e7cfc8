"""Flat shapes: a disk, a square or a triangle of any colour on a ground of any other.

Drawn by formula, so the right answer is known: `well_formed` counts the images that
show exactly one such shape on a plain ground.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

KINDS = ("disk", "square", "triangle")
SIDE = 32
# A shape's radius, in pixels: of the disk, and of the circle around the others.
RADIUS = (6.0, 12.0)
# Minimum distance of the two colours, in RGB on [0, 1].
CONTRAST = 0.4
# Points a side of a pixel whose mean it shows: smooth edges.
OVERSAMPLING = 4
# What `well_formed` demands. Of a ground or a shape, the fraction of pixels within
# TOLERANCE of its colour, and the overlap (intersection over union) of the shape with
# the ideal one of equal area and centre. Coverage below EDGE counts as none, above 1 -
# EDGE as whole.
TOLERANCE = 0.12
PLAIN = 0.95
OVERLAP = 0.85
EDGE = 0.2
MIN_AREA = 0.04

Pixels = NDArray[np.uint8]
Array = NDArray[np.float64]


def draw(count: int, seed: int) -> tuple[Pixels, NDArray[np.int64]]:
    """Images (N, 32, 32, 3), and which of `KINDS` each shows, (N,)."""
    rng = np.random.default_rng(seed)
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    kinds = rng.integers(len(KINDS), size=count)
    for i, kind in enumerate(kinds):
        radius = rng.uniform(*RADIUS)
        center = rng.uniform(radius + 1, SIDE - radius - 1, 2)
        coverage = mask(KINDS[kind], (center[0], center[1]), radius)[..., None]
        ground, color = _two_colors(rng)
        images[i] = (255 * (ground + (color - ground) * coverage)).round()
    return images, kinds


def _two_colors(rng: np.random.Generator) -> tuple[Array, Array]:
    while True:
        ground, color = rng.uniform(size=(2, 3))
        if np.linalg.norm(ground - color) >= CONTRAST:
            return ground, color


def mask(kind: str, center: tuple[float, float], radius: float) -> Array:
    """The fraction of each pixel that the shape covers, (32, 32).

    Args:
        kind: One of `KINDS`. The square has level sides, the triangle is equilateral
            and points up.
        center: Its centroid's (y, x), in pixels from the corner.
        radius: Of the disk, or of the circle around the others, in pixels.
    """
    at = (np.arange(SIDE * OVERSAMPLING) + 0.5) / OVERSAMPLING
    y, x = np.meshgrid(at - center[0], at - center[1], indexing="ij")
    if kind == "disk":
        inside = np.hypot(x, y) <= radius
    elif kind == "square":
        inside = np.maximum(abs(x), abs(y)) <= radius / math.sqrt(2)
    else:
        inside = (y <= radius / 2) & (abs(x) * math.sqrt(3) - y <= radius)
    means: Array = inside.reshape(SIDE, OVERSAMPLING, SIDE, OVERSAMPLING).mean((1, 3))
    return means


def well_formed(images: Pixels) -> NDArray[np.bool_]:
    """Which images, (N, 32, 32, 3), show exactly one well-formed shape on a plain
    ground."""
    return np.array([shape_in(image) is not None for image in images])


def shape_in(image: Pixels) -> str | None:
    """The kind of the one shape that an image, (32, 32, 3), shows; None if it does not
    show exactly one.

    The ground's colour is the median of the border, the shape's that of the pixels far
    from it. The shape is where pixels are nearer to its colour than to the ground's.
    """
    pixels = image.astype(np.float64) / 255
    border = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    ground = np.median(border, axis=0)
    far = np.linalg.norm(pixels - ground, axis=2)
    different = far > CONTRAST / 2
    if different.mean() < MIN_AREA:
        return None
    color = np.median(pixels[far >= np.quantile(far[different], 0.5)], axis=0)
    axis = color - ground
    covered = ((pixels - ground) @ axis / (axis @ axis)).clip(0, 1)
    # Noise within the tolerance of a plain colour is not an edge.
    covered = np.where(covered < EDGE, 0.0, np.where(covered > 1 - EDGE, 1.0, covered))
    shape = covered > 0.5
    parts, number = ndimage.label(shape)
    if number == 0 or np.bincount(parts.ravel())[1:].max() < 0.98 * shape.sum():
        return None
    inner = ndimage.binary_erosion(shape)
    outer = ~ndimage.binary_dilation(shape)
    if not (_is_plain(pixels[inner], color) and _is_plain(pixels[outer], ground)):
        return None
    return _best_fit(covered)


def _is_plain(pixels: Array, color: Array) -> bool:
    return len(pixels) > 0 and bool(
        (np.linalg.norm(pixels - color, axis=1) < TOLERANCE).mean() >= PLAIN
    )


def _best_fit(covered: Array) -> str | None:
    """The kind whose ideal shape of this area and centroid overlaps most, if that is
    enough."""
    area = covered.sum()
    center = tuple(
        float((covered.sum(1 - axis) * (np.arange(SIDE) + 0.5)).sum() / area) for axis in (0, 1)
    )
    radii = {
        "disk": math.sqrt(area / math.pi),
        "square": math.sqrt(area / 2),
        "triangle": math.sqrt(area * 4 / (3 * math.sqrt(3))),
    }
    overlaps = {}
    for kind, radius in radii.items():
        ideal = mask(kind, (center[0], center[1]), radius)
        overlaps[kind] = np.minimum(ideal, covered).sum() / np.maximum(ideal, covered).sum()
    best = max(overlaps, key=lambda kind: overlaps[kind])
    return best if overlaps[best] >= OVERLAP else None
