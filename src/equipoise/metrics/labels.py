"""Labels: does what was asked for come, and does a code found without labels mean the
same as they do?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.intervals import NORMAL_95

Classes = NDArray[np.integer]
READABLE = 0.1  # share of the way from chance to perfection, below which labels say nothing


def agreement(read: Classes, asked: Classes) -> float:
    """The share of samples, (N,), that are read as the class that was asked for."""
    return float((read == asked).mean())


def readable(fraction: float, chance: float) -> bool:
    """Whether labels that are read rightly in this share say something, where by
    `chance` they are in that one."""
    return fraction - chance >= READABLE * (1 - chance)


def agreement_alike(read: Classes, asked: Classes, number: int) -> tuple[float, float]:
    """The mean over classes of the share of samples, (N,), that are read as asked, 1 /
    `number` by chance however common each class is; and half the width of the 95%
    interval about it that chance would have. Classes that nobody asked for do not
    count."""
    right, total = (
        np.bincount(asked[read == asked], minlength=number),
        np.bincount(asked, minlength=number),
    )
    there = total > 0
    chance = (1 - 1 / number) / number
    return float((right[there] / total[there]).mean()), NORMAL_95 * float(
        np.sqrt((chance / total[there]).sum()) / there.sum()
    )


def unsupervised_accuracy(clusters: Classes, classes: Classes) -> float:
    """The share of samples, (N,), whose cluster is their class, with clusters named for
    classes one to one in the best way there is (Kuhn 1955; as in Xie et al. 2016, eq.
    10). Both are numbered from 0."""
    from scipy.optimize import linear_sum_assignment

    size = int(max(clusters.max(), classes.max())) + 1
    together = np.zeros((size, size), np.int64)
    np.add.at(together, (clusters, classes), 1)
    rows, columns = linear_sum_assignment(together, maximize=True)
    return float(together[rows, columns].sum() / len(classes))


def class_frequencies(classes: Classes, number: int) -> NDArray[np.float64]:
    """The share of each of `number` classes, numbered from 0, among samples (N,):
    (number,)."""
    return np.bincount(classes, minlength=number) / len(classes)


def class_divergence(fractions: NDArray[np.float64], real: NDArray[np.float64]) -> float:
    """KL(shares || real) in nats, of two distributions of the same classes: 0 where
    they are equal. A class that real samples lack counts as if one in a million had it.
    """
    from scipy.stats import entropy

    return float(entropy(fractions, np.maximum(real, 1e-6)))
