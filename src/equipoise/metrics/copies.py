"""Copies: whether samples are nearer to the training data than new real samples are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from equipoise.data.sources import Source
from equipoise.metrics.budget import Budget
from equipoise.metrics.intervals import NORMAL_95
from equipoise.metrics.neighbours import Distances, Rows, distances_of, tiles
from equipoise.metrics.reference import Array, column_stds, thumbnails
from equipoise.metrics.registry import Metric, describe
from equipoise.metrics.result import MetricResult

THUMBNAIL = 16  # pixels a side of the thumbnails that copies of images are looked for on
MIN_HELD_OUT = 40  # samples

COPIED_FRACTION = describe(
    Metric(
        "copied_fraction",
        "copied from the training data",
        "lower",
        "fraction of samples that are copies: nearer to training data than new real data",
    )
)


def copied_metric(source: Source, fake: Array, seed: int, budget: Budget) -> list[MetricResult]:
    """The fraction of samples that are copies, (N, *shape) as metrics compare them.

    Points are compared in columns of unit variance, images as thumbnails.

    Returns:
        The metric; none where the training data never repeats, or where there are too
        few samples.
    """
    if source.training_rows is None or source.for_test:
        return []
    images = source.schema.is_image
    raw = (
        source.measured(source.seen(budget.copies_among, seed)),
        source.measured(source.held_out(budget.samples, seed)),
        torch.from_numpy(fake[: budget.copies]),
    )
    training, held_out, some = (
        (thumbnails(part, THUMBNAIL) for part in raw)
        if images
        else _standardised(*(part.double().numpy() for part in raw))
    )
    found = copied_fraction(some, held_out, training, searched=len(training) / source.training_rows)
    if not math.isfinite(found.low):
        return []
    on = f", compared at {THUMBNAIL} x {THUMBNAIL} pixels at most," if images else ""
    protocol = (
        f"fraction of {len(some):,} samples{on} that are nearer to one of {len(training):,} "
        f"training samples than to {len(held_out):,} held-out ones, beyond what new real "
        "samples would be"
    )
    return [fraction_metric(found, protocol, len(some))]


def fraction_metric(found: CopiedFraction, protocol: str, n: int) -> MetricResult:
    """The fraction of n samples as a metric: what is below 0 and above 1 is cut off."""
    value, low, high = (min(max(end, 0.0), 1.0) for end in (found.value, found.low, found.high))
    return MetricResult.of(COPIED_FRACTION, value, 0.0, protocol, low, high, n=n)


def _standardised(rows: Array, *others: Array) -> list[Array]:
    """Points, (N, D) each, about the means of the first ones' columns and in units of
    their standard deviations."""
    centre, units = rows.mean(0), column_stds(rows)
    return [(part - centre) / units for part in (rows, *others)]


@dataclass(frozen=True)
class CopiedFraction:
    """How many generated samples are copies of training samples, as a fraction."""

    value: float
    """0 for a sampler that copies nothing, 1 for one that does nothing else; it
    scatters about the true fraction, so that it can be below 0."""
    low: float
    """With `high`, the 95% interval of the fraction.

    A sampler that copies nothing has one that begins above 0 in 2.5% of all cases.
    """
    high: float


def copied_fraction(
    fake: Rows,
    held_out: Rows,
    training: Rows,
    searched: float = 1.0,
    distances_between: Distances = distances_of,
) -> CopiedFraction:
    """The fraction of generated samples that are copies of training samples.

    The nearest real sample of a generated one is a training sample with probability q =
    T / (T + M) if nothing was copied, whatever the distribution, and however smooth or
    noisy samples are: which real samples were held out is then an independent draw. So
    copied = (fraction - q) / (1 - q) / searched, and its variance is that of a draw
    without replacement of the M held-out samples, each weighted by how many generated
    ones it is nearest to: a real sample in an empty region is nearest to many. Copies
    need no such draw to be nearest to their own, so that the interval is a little wide
    where there are many.

    Args:
        fake: Features of generated samples, (N, F). Float32 features take half the
            memory; distances are float64.
        held_out: Of real samples that were not trained on, (M, F).
        training: Of the training samples, or of a part of them, (T, F).
        searched: The part of the training samples that is given, above 0, at most 1.
        distances_between: What nearest means.

    Returns:
        The fraction with its interval.
    """
    real = [torch.from_numpy(training), torch.from_numpy(held_out)]
    weights = _nearest_weights(torch.from_numpy(fake).double(), real, distances_between)
    n, q = sum(map(len, weights)), len(training) / (len(training) + len(held_out))
    copied = (float(weights[0].sum()) - q) / (1 - q)
    scatter = float((torch.cat(weights) - 1 / n).square().sum()) * n / (n - 1)
    off = NORMAL_95 * math.sqrt(q / (1 - q) * scatter)
    low = copied - off if off < 1 else -math.inf  # 1 or more excludes no fraction
    return CopiedFraction(copied / searched, low / searched, (copied + off) / searched)


def _nearest_weights(
    x: Tensor, rows: Sequence[Tensor], distances_between: Distances
) -> list[Tensor]:
    """Which rows are nearest to those of x, (N, F).

    Of several rows that are equally near each counts in part.

    Returns:
        For each of `rows`, (M_i, F), the fraction of x that it is the nearest of,
        (M_i,).
    """
    least = torch.full((len(x),), torch.inf, dtype=x.dtype)
    matches, start = [], 0
    for part in rows:
        for here in tiles(len(part), len(x)):
            distances = distances_between(x, part[here].to(x.dtype))
            least = torch.minimum(least, distances.min(1).values)
            of, at = (distances == least[:, None]).nonzero(as_tuple=True)
            matches.append((of, at + start + here.start, least[of]))
        start += len(part)
    of, at, distance = (torch.cat(column) for column in zip(*matches, strict=True))
    nearest_at = distance == least[of]  # others were the nearest only until a nearer one came
    of, at = of[nearest_at], at[nearest_at]
    ties = torch.bincount(of, minlength=len(x)).to(x.dtype)
    weights = torch.zeros(start, dtype=x.dtype).index_add_(0, at, 1 / (ties[of] * len(x)))
    return list(torch.split(weights, [len(part) for part in rows]))
