"""How near generated rows are to the training rows, beside how near held-out rows are:
copies, and distances to the nearest training row (DCR, distance to closest record).

A perfect sampler's rows are as held-out ones are. Rows that are nearer were learned by
heart, rows that are farther are unlike the data. This is no proof of privacy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.metrics.budget import Budget
from equipoise.metrics.copies import MIN_HELD_OUT, copied_fraction, fraction_metric
from equipoise.metrics.intervals import median_interval, proportion_interval
from equipoise.metrics.neighbours import nearest
from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, describe
from equipoise.metrics.result import MetricResult
from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.raw_table import Column
from equipoise.metrics.tables.roc import interval, roc_auc

EXACT_COPIES = describe(
    Metric(
        "exact_copies",
        "exact copies of training rows",
        "lower",
        "fraction of rows that equal a training row in every column, beside held-out rows'",
    )
)
NEAREST_TRAINING_ROW = describe(
    Metric(
        "nearest_training_row",
        "distance to the nearest training row",
        "near",
        "median of the rows' distances to the nearest training row, beside held-out rows'",
    )
)
NEARER_THAN_HELD_OUT = describe(
    Metric(
        "nearer_than_held_out",
        "nearer to training rows than held-out ones",
        "near",
        "how often a row is nearer to the training rows than a held-out row is (0.5 is best)",
    )
)


@dataclass(frozen=True)
class MixedDistance:
    """The distance of rows of mixed columns, the mean over columns (after Gower 1971).

    Numbers are at the difference that `Encoding.numbers` gives them; two different
    categories, and a blank number and another, are at a distance of 1. Equal rows are
    at a distance of exactly 0.
    """

    columns: Sequence[Column]

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """The distance of every row of a, (N, C), to every row of b, (M, C): (N, M)."""
        total = a.new_zeros(len(a), len(b))
        off, differ = torch.empty_like(total), torch.empty_like(total, dtype=torch.bool)
        for at, column in enumerate(self.columns):
            x, y = a[:, at, None], b[:, at]
            if column.size:
                total += torch.ne(x, y, out=differ)
                continue
            torch.sub(x, y, out=off).abs_()
            if column.flag is not None:
                off = torch.where(off.isnan(), (x.isnan() != y.isnan()).to(off.dtype), off)
            total += off
        return total.div_(max(len(self.columns), 1))


def training_distance_metrics(
    reference: MixedReference, fake: Array, seed: int, budget: Budget
) -> list[MetricResult]:
    """Exact copies, the distances to the nearest training row, and the fraction that
    was copied.

    Args:
        reference: With training rows.
        fake: Generated rows, (N, C), prepared.
        seed: Of the choice among rows.
        budget: How many rows are compared.

    Returns:
        The metrics; none where there are no training rows, or where too few rows were
        held out.
    """
    training, real = reference.training, reference.real
    if training is None or not len(training) or min(len(real), len(fake)) < MIN_HELD_OUT:
        return []
    found = [exact_copies_metric(fake, real, training)]
    rng = np.random.default_rng(seed)
    sides = (fake, budget.copies), (real, budget.samples), (training, budget.copies_among)
    encoded = reference.encoding.numbers
    few, held_out, among = (
        encoded(rows[rng.permutation(len(rows))[:number]])
        for (rows, _), number in zip(sides, _affordable(sides, budget), strict=True)
    )
    between = MixedDistance(reference.columns)
    distances = nearest(few, among, distances_between=between)[0]
    beside = nearest(held_out[: len(few)], among, distances_between=between)[0]
    found += nearest_metrics(distances, beside, len(among))
    searched = len(among) / max(reference.training_rows, len(among))
    copied = copied_fraction(few, held_out, among, searched, between)
    if not math.isfinite(copied.low):
        return found
    protocol = (
        f"fraction of {len(few):,} rows that are nearer to one of {len(among):,} training rows "
        f"than to {len(held_out):,} held-out ones, beyond what new real rows would be"
    )
    return [*found, fraction_metric(copied, protocol, len(few))]


def exact_copies_metric(fake: Array, held_out: Array, training: Array) -> MetricResult:
    """The share of generated rows, (N, C), that are copies of training rows, (T, C),
    beside that of held-out ones, (M, C)."""
    copies, beside = (are_copies(rows, training) for rows in (fake, held_out))
    protocol = (
        f"{len(fake):,} rows against {len(training):,} training rows; baseline: "
        f"{len(held_out):,} held-out rows"
    )
    ends = proportion_interval(int(copies.sum()), len(fake))
    return MetricResult.of(
        EXACT_COPIES, float(copies.mean()), float(beside.mean()), protocol, *ends, n=len(fake)
    )


def nearest_metrics(distances: Array, beside: Array, among: int) -> list[MetricResult]:
    """The median of the distances of generated rows, (N,), to the nearest of `among`
    training rows beside that of held-out ones, (M,), and how often the first are
    less."""
    n = len(distances)
    protocol = (
        f"{n:,} rows against {among:,} training rows, mean over columns of a mixed distance; "
        f"baseline: {len(beside):,} held-out rows"
    )
    is_fake = np.arange(n + len(beside)) < n
    nearer, influence = roc_auc(-np.concatenate([distances, beside]), is_fake)
    median = float(np.median(distances)), float(np.median(beside))
    return [
        MetricResult.of(NEAREST_TRAINING_ROW, *median, protocol, *median_interval(distances), n=n),
        MetricResult.of(
            NEARER_THAN_HELD_OUT, nearer, 0.5, protocol, *interval(nearer, influence), n=n
        ),
    ]


def are_copies(rows: Array, training: Array) -> NDArray[np.bool_]:
    """Which rows, (N, C), equal a training row, (T, C), in every column; blank cells
    equal one another."""
    return np.isin(_as_bytes(rows), _as_bytes(training))


def _as_bytes(rows: Array) -> NDArray[np.void]:
    """The rows, (N, C), as one value each, (N,): -0 is 0, and every nan is the same."""
    there = np.ascontiguousarray(np.where(np.isnan(rows), np.nan, rows + 0.0))
    return there.view(np.dtype((np.void, there.dtype.itemsize * there.shape[1])))[:, 0]


def _affordable(sides: Sequence[tuple[Array, int]], budget: Budget) -> list[int]:
    """How many generated, held-out and training rows are compared: as many as asked
    for, or fewer of all where the cells to compare would be too many."""
    numbers = [min(len(rows), most) for rows, most in sides]
    few, held_out, among = numbers
    cells = few * (among + held_out) * sides[0][0].shape[1]
    part = min(math.sqrt(budget.distance_cells / cells), 1.0)
    return [max(int(part * number), min(number, MIN_HELD_OUT)) for number in numbers]
