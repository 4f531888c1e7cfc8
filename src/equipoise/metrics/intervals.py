"""Intervals by subsampling: how far a metric would move with other samples.

The bootstrap draws samples twice, which biases Fréchet distances and makes
nearest-neighbour metrics meaningless. Subsampling without replacement (the delete-d
jackknife: Shao & Wu, "A General Theory for Jackknife Variance Estimation", Annals of
Statistics 1989) does not: with subsamples of half of n the standard deviation of the
metric over subsamples estimates its standard error at n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SUBSAMPLES = 8
CONFIDENCE = 0.95
NORMAL_95 = 1.96  # standard deviations about the mean that hold 95% of a normal distribution


def proportion_interval(successes: int, n: int) -> tuple[float, float]:
    """The 95% interval of a proportion (Clopper & Pearson 1934).

    Args:
        successes: Trials that succeeded, 0 to n.
        n: Trials, at least 1.

    Returns:
        Its lower and upper end, in 0..1.
    """
    from scipy.stats import binomtest

    interval = binomtest(successes, n).proportion_ci(CONFIDENCE)
    return float(interval.low), float(interval.high)


def median_interval(values: Array) -> tuple[float, float]:
    """The 95% interval of the median of numbers, (N,), whatever their distribution: two
    order statistics, by the binomial distribution of how many are below the median.

    Returns:
        Its lower and upper end; infinite ones for fewer than 6 numbers.
    """
    from scipy.stats import binom

    n = len(values)
    below = int(binom.ppf((1 - CONFIDENCE) / 2, n, 0.5)) - 1
    if below < 0:
        return -math.inf, math.inf
    ordered = np.sort(values)
    return float(ordered[below]), float(ordered[n - 1 - below])


@cache
def equivalence_power(n: int, bound: float) -> float:
    """The power of the test that a proportion is equivalent to 1/2.

    The test passes where the interval of n trials ends below `bound`: two one-sided
    tests (Schuirmann 1987), of which only the upper side matters to an accuracy.

    Args:
        n: Trials, at least 1.
        bound: 1/2 and the margin of equivalence.

    Returns:
        The probability, in 0..1, that it passes where the proportion is 1/2.
    """
    from scipy.stats import beta, binom

    k = np.arange(n)
    ends = np.asarray(beta.ppf((1 + CONFIDENCE) / 2, k + 1, n - k))
    passing = int(np.sum(ends < bound))
    return float(binom.cdf(passing - 1, n, 0.5))


def half_widths(
    metrics: Callable[[NDArray[np.int64]], Mapping[str, float]],
    n: int,
    used: Callable[[str], int],
    seed: int = 0,
) -> dict[str, float]:
    """Half the width of a 95% interval for each metric.

    A metric that is computed from m rows uses b = min(m, n / 2) of a subsample, which
    has n / 2. The standard deviation over subsamples is that of b rows times
    sqrt(1 - b / n), since no row is drawn twice; that of m rows is sqrt(b / m) of it.

    Args:
        metrics: From the indices of rows to the value of each metric by its key.
        n: Rows.
        used: From a key to the number of rows m that the metric is computed from.
        seed: Of the subsamples.

    Returns:
        The half widths by key.
    """
    from scipy.stats import t as student

    rng = np.random.default_rng(seed)
    taken = [metrics(rng.permutation(n)[: n // 2]) for _ in range(SUBSAMPLES)]
    quantile = float(student.ppf((1 + CONFIDENCE) / 2, SUBSAMPLES - 1))
    widths = {}
    for key in taken[0]:
        m = min(used(key), n)
        b = min(m, n // 2)
        widths[key] = (
            quantile
            * float(np.std([found.get(key, math.nan) for found in taken], ddof=1))
            * math.sqrt(b / m / (1 - b / n))
        )
    return widths
