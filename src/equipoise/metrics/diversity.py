"""Diversity: how far apart samples are."""

from __future__ import annotations

import math

import torch

from equipoise.metrics.neighbours import distances_of, space, tiles
from equipoise.metrics.reference import MAX_PAIRED, POINTS, Array, Reference
from equipoise.metrics.registry import Metric, register

MEAN_PAIRWISE_DISTANCE = Metric(
    "mean_pairwise_distance",
    "mean distance between samples",
    "near",
    "how far apart samples are on average (diversity)",
)


@register(
    MEAN_PAIRWISE_DISTANCE,
    kinds=POINTS,
    position=80,
    max_samples=MAX_PAIRED,
    compared_with=space,
)
@register(
    MEAN_PAIRWISE_DISTANCE,
    kinds=["images", "photos", "rotations"],
    position=80,
    compared_with=space,
)
def diversity(reference: Reference, rows: Array) -> float:
    """The mean distance of two samples' features."""
    return mean_distance(reference.features_of(rows))


def mean_distance(x: Array) -> float:
    """The mean distance between two rows of x, (N, F): 0 where all are equal; nan for
    one row."""
    if len(x) < 2:
        return math.nan
    rows = torch.from_numpy(x)
    total = sum(float(distances_of(rows[here], rows).sum()) for here in tiles(len(rows), len(rows)))
    return total / (len(rows) * (len(rows) - 1))
