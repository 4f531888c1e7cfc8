"""Histograms of oriented gradients: what forms an image has, whatever its tones.

From Dalal & Triggs 2005, "Histograms of Oriented Gradients for Human Detection": an
edge votes for its direction, with its strength, in its part of the image. Clusters of
these features hold images of one kind far more often than clusters of pixels do
(benchmarks/EXPERIMENTS.md, "Clusters by form").
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

BINS = 9  # directions of edges, over half a turn
CELLS = 7  # a side: parts of the image that have a histogram each
PLAIN = 0.02  # mean strength of edges, of images on [-1, 1], that is as good as none


def count_features(sides: tuple[int, int]) -> int:
    """How many features an image of such sides, in pixels, has."""
    return BINS * math.prod(_cells(sides))


def oriented_gradients(x: Tensor) -> Tensor:
    """The histograms of each image's gradients.

    As in the paper directions have no sign, an edge votes for the bins and cells that
    are near, and votes are normalised ("L1-sqrt"), here over the whole image: contrast
    does not count. An edge in colour is that of all channels together (Di Zenzo 1986,
    "A note on the gradient of a multi-image").

    Args:
        x: Images (N, C, H, W), of any size, with values of about one.

    Returns:
        (N, BINS * cells), not negative. The squares of a cell's features, in the mean
        over the cells, add up to at most 1.
    """
    framed = pad(x, (1, 1, 1, 1), mode="replicate")
    across = framed[:, :, 1:-1, 2:] - framed[:, :, 1:-1, :-2]
    down = framed[:, :, 2:, 1:-1] - framed[:, :, :-2, 1:-1]
    # strength^2 (cos, sin) of twice the direction: opposite gradients are the same.
    cosine = (across.square() - down.square()).sum(1)
    sine = 2 * (across * down).sum(1)
    strength = torch.hypot(cosine, sine).sqrt()
    cosine, sine = (part / strength.clamp(min=1e-12) for part in (cosine, sine))
    edges = torch.stack([cosine, sine, strength], 1)
    votes = (_directions(x) @ edges.flatten(2)).relu().reshape(len(x), BINS, *x.shape[2:])
    in_cells = interpolate(votes, _cells(x.shape[2:]), mode="bilinear", antialias=True)
    total = in_cells.sum(1, keepdim=True).mean((2, 3), keepdim=True)
    return (in_cells / (total + PLAIN)).sqrt().flatten(1)


def _directions(x: Tensor) -> Tensor:
    """(BINS, 3): what turns edges into votes, which are 1 for a bin's own direction and
    0 from the next bin's on."""
    angle = torch.arange(BINS, dtype=x.dtype, device=x.device) * (2 * math.pi / BINS)
    at_next = math.cos(2 * math.pi / BINS)
    weights = torch.stack([angle.cos(), angle.sin(), torch.full_like(angle, -at_next)], 1)
    return weights / (1 - at_next)


def _cells(sides: Sequence[int]) -> tuple[int, int]:
    height, width = (min(side, CELLS) for side in sides)
    return height, width
