"""Distributions of whole windows, of single channels and of lengths, by Wasserstein-1
distances in the channels' standard deviations."""

from __future__ import annotations

import numpy as np

from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, register
from equipoise.metrics.series.reference import SeriesReference
from equipoise.metrics.wasserstein import Projected, wasserstein

MAX_NAMED = 20  # channels that have a metric of their own

WINDOWS = Metric(
    "window_wasserstein",
    "sliced Wasserstein of windows",
    "lower",
    "Wasserstein-1 of windows over 128 directions, in standard deviations of channels",
)
WORST_CHANNEL = Metric(
    "worst_channel_wasserstein_1",
    "worst channel's Wasserstein-1",
    "lower",
    "distance of the worst channel's values, whatever their step, in standard deviations",
)
CHANNEL = Metric(
    "channel_wasserstein_1",
    "Wasserstein-1 of channel {}",
    "lower",
    "distance of this channel's values, whatever their step, in standard deviations",
    in_table=False,
)
LENGTHS = Metric(
    "length_wasserstein_1",
    "Wasserstein-1 of lengths",
    "lower",
    "by how many steps lengths must change, on average, for equal distributions",
)


@register(WINDOWS, kinds=["series"], position=0, while_training=True)
def window_distance(reference: SeriesReference, rows: Array) -> float:
    """The sliced distance to as many real windows, lengths in their own spread."""
    n = min(len(rows), len(reference.real))
    projected = reference.once(
        ("projected", n), lambda: Projected(_flat(reference, reference.real[:n]))
    )
    return projected.distance(_flat(reference, rows[:n]))


def _flat(reference: SeriesReference, rows: Array) -> Array:
    """Rows with the length scaled too."""
    if not reference.series.has_lengths:
        return rows
    mean, spread = reference.real[:, 0].mean(), reference.real[:, 0].std() or 1.0
    return np.concatenate([(rows[:, :1] - mean) / spread, rows[:, 1:]], 1)


@register(WORST_CHANNEL, CHANNEL, kinds=["series"], position=40)
def channel_distances(reference: SeriesReference, rows: Array) -> dict[str, float]:
    """The greatest of the channels' distances, and those of the first channels."""
    made = reference.values(rows)[reference.present(rows)]
    real = reference.once(
        "channels", lambda: reference.values(reference.real)[reference.present(reference.real)]
    )
    distances = [wasserstein(a, b) for a, b in zip(made.T, real.T, strict=True)]
    named = zip(reference.series.names[:MAX_NAMED], distances, strict=False)
    return {
        WORST_CHANNEL.key: max(distances),
        **{CHANNEL.at(name): distance for name, distance in named},
    }


@register(LENGTHS, kinds=["series"], position=45)
def length_distance(reference: SeriesReference, rows: Array) -> dict[str, float]:
    """The distance of lengths, in steps; nothing where all are the same."""
    if not reference.series.has_lengths:
        return {}
    return {LENGTHS.key: wasserstein(rows[:, 0], reference.real[:, 0])}
