"""Nearest neighbours: precision, recall, density and coverage, which say how much of
each distribution the other covers.

Naeem, Oh, Uh, Choi, Yoo: "Reliable Fidelity and Diversity Metrics for Generative
Models", ICML 2020, eqs. 4 to 8, after Kynkäänniemi et al. 2019 and Sajjadi et al. 2018.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.metrics.reference import ANY_IMAGES, MAX_PAIRED, POINTS, Array, Reference
from equipoise.metrics.registry import Metric, register

Rows = Array | NDArray[np.float32]
Distances = Callable[[Tensor, Tensor], Tensor]
"""From rows, (N, F), and others, (M, F), to the distances between them, (N, M)."""
TILE_ENTRIES = 1 << 19  # distances at once, 4 MB: bounds memory, and stays in the cache
K = 5  # neighbours: Naeem et al.'s
MIN_SAMPLES = 40  # of each kind; balls about fewer say nothing
EXACT_COLUMNS = 32  # up to which equal rows are at a distance of exactly 0, as in tables

PRECISION = Metric(
    "precision",
    "precision",
    "higher",
    "fraction of generated samples that lie among real ones (quality)",
)
RECALL = Metric(
    "recall",
    "recall",
    "higher",
    "fraction of real samples that lie among generated ones (diversity)",
)
DENSITY = Metric(
    "density",
    "density",
    "near",
    "how densely real samples surround generated ones (1 for equal distributions)",
)
COVERAGE = Metric(
    "coverage",
    "coverage",
    "higher",
    "fraction of real samples with a generated one close by (diversity)",
)


@dataclass(frozen=True)
class Coverage:
    """Fractions in 0..1, but density, which may be above 1.

    A manifold is the union of balls about samples, each reaching to its k-th neighbour.
    """

    precision: float
    """Fraction of generated samples inside the real samples' manifold."""
    recall: float
    """Fraction of real samples inside the generated samples' manifold."""
    density: float
    """How many real samples' balls a generated sample lies in, over k: 1 for the same
    distribution."""
    coverage: float
    """Fraction of real samples with a generated one in their ball."""


def space(reference: Reference) -> str:
    """What neighbours are looked for among, in words."""
    return f"{reference.feature_description}, k = {K}"


@register(
    PRECISION,
    RECALL,
    DENSITY,
    COVERAGE,
    kinds=POINTS,
    position=70,
    max_samples=MAX_PAIRED,
    compared_with=space,
)
@register(
    PRECISION,
    RECALL,
    DENSITY,
    COVERAGE,
    kinds=[*ANY_IMAGES, "digits"],
    position=70,
    compared_with=space,
)
def neighbour_metrics(reference: Reference, rows: Array) -> dict[str, float]:
    """Precision, recall, density and coverage; nan for few samples."""
    real, fake = reference.features, reference.features_of(rows)
    if min(len(real), len(fake)) < MIN_SAMPLES:
        return dict.fromkeys((m.key for m in (PRECISION, RECALL, DENSITY, COVERAGE)), math.nan)
    radii = reference.once("radii", lambda: kth_neighbour(torch.from_numpy(real), K))
    found = coverage(real, fake, radii=radii)
    return {
        PRECISION.key: found.precision,
        RECALL.key: found.recall,
        DENSITY.key: found.density,
        COVERAGE.key: found.coverage,
    }


def coverage(real: Array, fake: Array, k: int = K, radii: Tensor | None = None) -> Coverage:
    """Precision, recall, density and coverage (Naeem et al. 2020, eqs. 4 to 8).

    Args:
        real: Features of real samples, (M, F).
        fake: Of generated samples, (N, F).
        k: Neighbours, at least 1.
        radii: `kth_neighbour` of the real ones, (M,), where they are known already.
    """
    x, y = torch.from_numpy(real), torch.from_numpy(fake)
    real_radii, fake_radii = kth_neighbour(x, k) if radii is None else radii, kth_neighbour(y, k)
    in_fake = torch.zeros(len(x), dtype=torch.bool)
    reached = torch.zeros(len(x), dtype=torch.bool)
    balls = torch.zeros(len(y), dtype=torch.float64)
    for here in tiles(len(x), len(y)):
        distances = distances_of(x[here], y)
        inside = distances < real_radii[here, None]
        balls += inside.sum(0)
        reached[here] = inside.any(1)
        in_fake[here] = (distances < fake_radii).any(1)
    return Coverage(
        precision=float((balls > 0).double().mean()),
        recall=float(in_fake.double().mean()),
        density=float(balls.mean() / k),
        coverage=float(reached.double().mean()),
    )


def tiles(rows: int, columns: int) -> Iterator[slice]:
    """The rows of a matrix in parts of at most `TILE_ENTRIES` entries, at least a row
    each.

    Write a part's results into a tensor that was allocated before: interleaved small
    and large allocations fragment the heap, by a gigabyte for ten thousand rows.
    """
    height = max(TILE_ENTRIES // max(columns, 1), 1)
    return (slice(start, start + height) for start in range(0, rows, height))


def distances_of(a: Tensor, b: Tensor) -> Tensor:
    """The distance of every row of a, (N, F), to every row of b, (M, F): (N, M).

    Exact for few columns; for many by |a|^2 + |b|^2 - 2 a.b, which is faster.
    """
    if a.shape[1] <= EXACT_COLUMNS:
        return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    squares = torch.addmm(b.square().sum(1), a, b.T, alpha=-2).add_(a.square().sum(1, keepdim=True))
    return squares.clamp_(min=0).sqrt_()


def kth_neighbour(x: Tensor, k: int) -> Tensor:
    """The distance from each row of x, (N, F), to its k-th nearest other row, or to the
    farthest if there are fewer: (N,)."""
    return nearest_distances(x, min(k, len(x) - 1) + 1)[:, -1]


def nearest_distances(x: Tensor, number: int) -> Tensor:
    """The least distances from each row of x, (N, F), to any row, its own among them,
    in order: (N, number)."""
    found = x.new_empty(len(x), number)
    for here in tiles(len(x), len(x)):
        found[here] = distances_of(x[here], x).topk(number, largest=False).values
    return found


def nearest(
    x: Rows, among: Rows, *, distances_between: Distances = distances_of
) -> tuple[Array, NDArray[np.int64]]:
    """The distance from each row of x, (N, F), to the nearest row of `among`, (M, F),
    and which one that is: (N,) each."""
    a, b = torch.from_numpy(x).double(), torch.from_numpy(among).double()
    distances, rows = a.new_empty(len(a)), torch.empty(len(a), dtype=torch.int64)
    for here in tiles(len(a), len(b)):
        distances[here], rows[here] = distances_between(a[here], b).min(1)
    return distances.numpy(), rows.numpy()
