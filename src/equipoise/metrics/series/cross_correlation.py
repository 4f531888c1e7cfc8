"""Cross-correlations: how one channel's values depend on another's, at the same step
and some steps before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, register
from equipoise.metrics.series.autocorrelation import centred_of, pairs
from equipoise.metrics.series.reference import SeriesReference

LAGS = (0, 1, 2, 4, 8)

CROSS_CORRELATION = Metric(
    "cross_correlation_distance",
    "difference of cross-correlations",
    "lower",
    "mean error of correlations between channels, at lags 0 to 8",
)


@register(CROSS_CORRELATION, kinds=["series"], position=20, while_training=True)
def cross_correlation_distance(reference: SeriesReference, rows: Array) -> dict[str, float]:
    """The mean absolute difference from the held-out windows' correlations of two
    channels; nothing for one channel."""
    if len(reference.series.channels) < 2:
        return {}
    real = reference.once("cross-correlations", lambda: _of(reference, reference.real))
    different = ~np.eye(real.shape[1], dtype=bool)
    return {CROSS_CORRELATION.key: float(np.abs(_of(reference, rows) - real)[:, different].mean())}


def _of(reference: SeriesReference, rows: Array) -> Array:
    return cross_correlations(reference.values(rows), reference.present(rows), LAGS)


def cross_correlations(
    values: Array, present: NDArray[np.bool_], lags: tuple[int, ...] = LAGS
) -> Array:
    """The correlations of channels.

    Args:
        values: (N, T, C).
        present: Which steps windows have, (N, T).
        lags: Steps by which the second channel is later; those below T are taken.

    Returns:
        (K, C, C): of channel i at a step with channel j a lag later. 0 for a channel
        that never varies.
    """
    centred = centred_of(values, present)
    spread = np.sqrt((centred**2).sum((0, 1)) / present.sum())
    unit = np.where(spread > 0, spread, 1.0)
    scaled, found = centred / unit, []
    for lag in lags:
        length = values.shape[1] - lag
        if length < 1:
            break
        count = max(pairs(present, lag), 1)
        before, after = scaled[:, :length], scaled[:, lag:]
        width = values.shape[2]
        found.append(before.reshape(-1, width).T @ after.reshape(-1, width) / count)
    return np.array(found)
