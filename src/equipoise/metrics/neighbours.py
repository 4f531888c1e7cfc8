"""Nearest neighbours: how much of each distribution the other covers, and whether
samples are copies of the training data.

Naeem, Oh, Uh, Choi, Yoo: "Reliable Fidelity and Diversity Metrics for Generative
Models", ICML 2020, eqs. 4 to 8, after Kynkäänniemi et al. 2019 and Sajjadi et al. 2018.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.metrics.intervals import NORMAL_95
from equipoise.metrics.result import COVERAGE, DENSITY, PRECISION, RECALL

Array = NDArray[np.float64]
Rows = Array | NDArray[np.float32]
TILE = 1 << 19  # distances held at once, 4 MB: bounds memory at any n, and stays in the cache
K = 5  # neighbours: Naeem et al.'s
TIED, TIES = (
    1e-9,
    0.05,
)  # relative difference below which distances are equal; share of rows with such from which the data has steps
# Over the root of the rows: share of itself by which an estimate of the dimension may
# be too high; distributions gave up to 4.8.
CHANCE = 5.0
MIN_ROWS = (
    40  # of which an estimate of the dimension is off by a sixth of itself, one standard deviation
)
FEW_COLUMNS = (
    32  # up to which equal rows must come out as exactly equal: tables of whole numbers have many
)


@dataclass(frozen=True)
class Coverage:
    """Shares in 0..1, but density, which may be above 1.

    A manifold is the union of balls about samples, each reaching to its k-th neighbour.
    """

    precision: float
    """Share of generated samples inside the real samples' manifold."""
    recall: float
    """Share of real samples inside the generated samples' manifold."""
    density: float
    """How many real samples' balls a generated sample lies in, over k: 1 for the same
    distribution."""
    coverage: float
    """Share of real samples with a generated one in their ball."""

    def named(self) -> dict[str, float]:
        """As figures have them."""
        return {
            PRECISION: self.precision,
            RECALL: self.recall,
            DENSITY: self.density,
            COVERAGE: self.coverage,
        }


def coverage(real: Array, fake: Array, k: int = K, radii: Tensor | None = None) -> Coverage:
    """Precision, recall, density and coverage of features `fake`, (N, F), against
    `real`, (M, F); `radii` are `kth_neighbour` of the real ones, where they are known
    already."""
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
    """The rows of a matrix of this size in parts of at most `TILE` entries, at least a
    row each.

    What is kept of a part belongs into a tensor that was there before: small results
    between large passing ones leave holes in memory that the next large one does not
    fit, a gigabyte in all of ten thousand rows.
    """
    height = max(TILE // max(columns, 1), 1)
    return (slice(start, start + height) for start in range(0, rows, height))


def distances_of(a: Tensor, b: Tensor) -> Tensor:
    """The distance of every row of a, (N, F), to every row of b, (M, F): (N, M).

    Exact for few columns; for many by |a|^2 + |b|^2 - 2 a.b, which is faster.
    """
    if a.shape[1] <= FEW_COLUMNS:
        return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    squares = torch.addmm(b.square().sum(1), a, b.T, alpha=-2).add_(a.square().sum(1, keepdim=True))
    return squares.clamp_(min=0).sqrt_()


def kth_neighbour(x: Tensor, k: int) -> Tensor:
    """The distance from each row of x, (N, F), to its k-th nearest other row, or to the
    farthest if there are fewer: (N,)."""
    return _least(x, min(k, len(x) - 1) + 1)[:, -1]


def _least(x: Tensor, number: int) -> Tensor:
    """The least distances from each row of x, (N, F), to any row, its own among them,
    in order: (N, number)."""
    found = x.new_empty(len(x), number)
    for here in tiles(len(x), len(x)):
        found[here] = distances_of(x[here], x).topk(number, largest=False).values
    return found


def nearest(x: Rows, among: Rows) -> tuple[Array, NDArray[np.int64]]:
    """The distance from each row of x, (N, F), to the nearest row of `among`, (M, F),
    and which one that is: (N,) each."""
    a, b = torch.from_numpy(x).double(), torch.from_numpy(among).double()
    distances, rows = a.new_empty(len(a)), torch.empty(len(a), dtype=torch.int64)
    for here in tiles(len(a), len(b)):
        distances[here], rows[here] = distances_of(a[here], b).min(1)
    return distances.numpy(), rows.numpy()


@dataclass(frozen=True)
class Memory:
    """How many generated samples are copies of training samples, as a fraction."""

    copied: float
    """0 for a sampler that copies nothing, 1 for one that does nothing else; it
    scatters about the true fraction, so that it can be below 0."""
    low: float
    """With `high`, the 95% interval of the fraction.

    A sampler that copies nothing has one that begins above 0 in 2.5% of all cases.
    """
    high: float


def memory(fake: Rows, held_out: Rows, training: Rows, searched: float = 1.0) -> Memory:
    """The fraction of generated samples that are copies of training samples.

    The nearest real sample of a generated one is a training sample with probability q =
    T / (T + M) if nothing was copied, whatever the distribution, and however smooth or
    noisy samples are: which real samples were held out is then an independent draw. So
    copied = (share - q) / (1 - q) / searched, and its variance is that of a draw
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

    Returns:
        The fraction with its interval.
    """
    real = [torch.from_numpy(training), torch.from_numpy(held_out)]
    weights = _nearest_weights(torch.from_numpy(fake).double(), real)
    n, q = sum(map(len, weights)), len(training) / (len(training) + len(held_out))
    copied = (float(weights[0].sum()) - q) / (1 - q)
    scatter = float((torch.cat(weights) - 1 / n).square().sum()) * n / (n - 1)
    off = NORMAL_95 * math.sqrt(q / (1 - q) * scatter)
    low = copied - off if off < 1 else -math.inf  # of 1 or more no fraction can be told from none
    return Memory(copied / searched, low / searched, (copied + off) / searched)


def _nearest_weights(x: Tensor, rows: Sequence[Tensor]) -> list[Tensor]:
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
            distances = distances_of(x, part[here].to(x.dtype))
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


def mean_distance(x: Array) -> float:
    """The mean distance between two rows of x, (N, F): 0 where all are alike; nan for
    one row."""
    if len(x) < 2:
        return math.nan
    rows = torch.from_numpy(x)
    total = sum(float(distances_of(rows[here], rows).sum()) for here in tiles(len(rows), len(rows)))
    return total / (len(rows) * (len(rows) - 1))


def intrinsic_dimension(x: Array) -> float:
    """How many numbers it takes to tell a row of x, (N, D), from its neighbours: the
    TwoNN estimate (Facco et al., "Estimating the intrinsic dimension of datasets by a
    minimal neighborhood information", Scientific Reports 2017), 1 / mean log(r2 / r1)
    over the distances to the two nearest rows. Equal rows count once.

    nan where it cannot be told: of fewer than 40 different rows; of whole numbers and
    the like, whose nearest rows are at equal distances; and where the estimate is above
    D by more than chance.
    """
    rows = torch.from_numpy(np.unique(x, axis=0))
    if len(rows) < MIN_ROWS:
        return math.nan
    distances = _least(rows, 3)
    logs = (distances[:, 2] / distances[:, 1].clamp(min=1e-300)).log()
    found, most = (
        float(1 / logs.mean().clamp(min=1e-12)),
        rows.shape[1] * (1 + CHANCE / math.sqrt(len(rows))),
    )
    return math.nan if found > most or float((logs < TIED).double().mean()) > TIES else found
