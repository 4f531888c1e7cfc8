"""The area under the ROC curve, and how far it would move with other rows.

DeLong, DeLong, Clarke-Pearson: "Comparing the areas under two or more correlated
receiver operating characteristic curves", Biometrics 1988.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.intervals import NORMAL_95

Array = NDArray[np.float64]


def roc_auc(scores: Array, positive: NDArray[np.bool_]) -> tuple[float, Array]:
    """The area under the ROC curve: the probability that a positive row has a higher
    score than a negative one, where equal scores count half.

    Args:
        scores: Of the rows, (N,).
        positive: Which rows are positive, (N,); at least one is, and one is not.

    Returns:
        The area, and the influence of each row on it, (N,): the root of the sum of
        their squares is DeLong's standard error.
    """
    positives, negatives = scores[positive], scores[~positive]
    wins = _share_below(positives, np.sort(negatives))
    losses = 1 - _share_below(negatives, np.sort(positives))
    influence = np.empty(len(scores))
    influence[positive], influence[~positive] = _deviations(wins), _deviations(losses)
    return float(wins.mean()), influence


def interval(value: float, influence: Array, low: float = 0.0) -> tuple[float, float]:
    """The 95% interval of a value in `low`..1 by the influence of each row, (N,)."""
    half = NORMAL_95 * float(np.sqrt(influence @ influence))
    return max(value - half, low), min(value + half, 1.0)


def _deviations(values: Array) -> Array:
    """From the mean, (N,), such that the sum of their squares is its variance."""
    return np.asarray((values - values.mean()) / np.sqrt(len(values) * max(len(values) - 1, 1)))


def _share_below(values: Array, ordered: Array) -> Array:
    """Of each value, (N,), the share of sorted numbers, (M,), below it; equal ones
    count half."""
    left, right = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return np.asarray((left + right) / (2 * len(ordered)))
