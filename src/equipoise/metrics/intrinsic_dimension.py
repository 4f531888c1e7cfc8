"""The intrinsic dimension of samples: the number of directions in which neighbours
differ.

Facco, d'Errico, Rodriguez, Laio: "Estimating the intrinsic dimension of datasets by a
minimal neighborhood information", Scientific Reports 2017 (TwoNN).
"""

from __future__ import annotations

import math

import numpy as np
import torch

from equipoise.metrics.neighbours import nearest_distances, space
from equipoise.metrics.reference import MAX_PAIRED, Array, Reference
from equipoise.metrics.registry import Metric, register

MIN_ROWS = 40  # one standard deviation of the estimate is a sixth of it
# The data has steps if more than this fraction of rows has two equal distances, up to
# this relative difference.
EQUAL_DISTANCES = 0.05
EQUAL_UP_TO = 1e-9
# Over the root of the number of rows: by what fraction of itself an estimate may be too
# high by chance; distributions gave up to 4.8.
CHANCE = 5.0

INTRINSIC_DIMENSION = Metric(
    "intrinsic_dimension",
    "intrinsic dimension",
    "near",
    "number of directions in which neighbouring samples differ (TwoNN estimate)",
)


@register(
    INTRINSIC_DIMENSION,
    kinds=["tabular"],
    position=90,
    max_samples=MAX_PAIRED,
    compared_with=space,
)
@register(
    INTRINSIC_DIMENSION, kinds=["images", "photos", "rotations"], position=90, compared_with=space
)
def dimension(reference: Reference, rows: Array) -> float:
    """The intrinsic dimension of the samples' features."""
    return intrinsic_dimension(reference.features_of(rows))


def intrinsic_dimension(x: Array) -> float:
    """The TwoNN estimate 1 / mean log(r2 / r1), of the distances to the two nearest
    rows. Equal rows count once.

    Args:
        x: Samples, (N, D).

    Returns:
        The dimension; nan where it is not known: for fewer than 40 different rows, for
        whole numbers and the like, whose nearest rows are at equal distances, and where
        the estimate is above D by more than chance.
    """
    rows = torch.from_numpy(np.unique(x, axis=0))
    if len(rows) < MIN_ROWS:
        return math.nan
    distances = nearest_distances(rows, 3)
    logs = (distances[:, 2] / distances[:, 1].clamp(min=1e-300)).log()
    estimate = float(1 / logs.mean().clamp(min=1e-12))
    highest = rows.shape[1] * (1 + CHANCE / math.sqrt(len(rows)))
    has_steps = float((logs < EQUAL_UP_TO).double().mean()) > EQUAL_DISTANCES
    return math.nan if estimate > highest or has_steps else estimate
