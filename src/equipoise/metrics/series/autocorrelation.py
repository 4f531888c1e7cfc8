"""Autocorrelations: how a channel's values depend on those some steps before.

The autocorrelation at lag k, over all windows of the data together:

    r(k) = mean (x_t - m)(x_{t+k} - m) / mean (x_t - m)^2

m is the channel's mean. Means are over all pairs of steps that windows have. One window
alone would be about its own mean, which makes short windows look less correlated than
they are (Kendall 1954, "Note on bias in the estimation of autocorrelation").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, register
from equipoise.metrics.series.reference import SeriesReference

MAX_LAG = 40
MIN_SHARE = 0.1  # of all steps that have one so much later; fewer are too noisy

AUTOCORRELATION = Metric(
    "autocorrelation_distance",
    "difference of autocorrelations",
    "lower",
    "mean error of autocorrelations, over channels and lags",
)
SQUARED = Metric(
    "squared_autocorrelation_distance",
    "difference of autocorrelations of squares",
    "lower",
    "mean error of the autocorrelations of squares: whether swings come in clusters",
)


@register(AUTOCORRELATION, SQUARED, kinds=["series"], position=10, while_training=True)
def autocorrelation_distances(reference: SeriesReference, rows: Array) -> dict[str, float]:
    """The mean absolute differences from the held-out windows' autocorrelations."""
    real = reference.once("autocorrelations", lambda: _of_both(reference, reference.real))
    made = _of_both(reference, rows)
    lags = min(real.shape[1], made.shape[1])  # lengths differ a little between samples
    if not lags:
        return {}
    level, squares = np.abs(made[:, :lags] - real[:, :lags]).mean((1, 2))
    return {AUTOCORRELATION.key: float(level), SQUARED.key: float(squares)}


def _of_both(reference: SeriesReference, rows: Array) -> Array:
    """Autocorrelations of values and of their squares, (2, K, C)."""
    values, present = reference.values(rows), reference.present(rows)
    return np.stack([autocorrelations(of, present, MAX_LAG) for of in (values, np.square(values))])


def autocorrelations(values: Array, present: NDArray[np.bool_], most: int) -> Array:
    """The autocorrelations of windows.

    Args:
        values: (N, T, C).
        present: Which steps windows have, (N, T).
        most: Lags, at most. Those that few steps have are left out.

    Returns:
        Those at lags 1, 2, ..., (K, C); 0 for a channel that never varies.
    """
    centred = centred_of(values, present)
    variance = (centred**2).sum((0, 1)) / present.sum()
    unit = np.where(variance > 0, variance, 1.0)
    lags = [
        lag
        for lag in range(1, min(most, values.shape[1] - 1) + 1)
        if pairs(present, lag) >= MIN_SHARE * present.sum()
    ]
    found = [_product(centred, centred, present, lag) / unit for lag in lags]
    return np.array(found).reshape(len(found), values.shape[2])


def centred_of(values: Array, present: NDArray[np.bool_]) -> Array:
    """Values about their channel's mean, 0 after the end."""
    return np.where(present[:, :, None], values - values[present].mean(0), 0.0)


def pairs(present: NDArray[np.bool_], lag: int) -> int:
    """How many pairs of steps that windows have are a lag apart."""
    return int((present[:, : present.shape[1] - lag] & present[:, lag:]).sum())


def _product(x: Array, y: Array, present: NDArray[np.bool_], lag: int) -> Array:
    """The mean product of x_t and y_{t+lag}, (C,), over the steps that both have."""
    products = x[:, : x.shape[1] - lag] * y[:, lag:]
    return np.asarray(products.sum((0, 1)) / max(pairs(present, lag), 1))
