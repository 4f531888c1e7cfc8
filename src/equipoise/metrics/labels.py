"""Scores of labels: accuracy, balanced accuracy, class frequencies and their KL
divergence, and the accuracy of clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.intervals import NORMAL_95

Classes = NDArray[np.integer]
MIN_ABOVE_CHANCE = 0.1  # fraction of the way from chance to 1


def accuracy(predicted: Classes, true: Classes) -> float:
    """The fraction of samples, (N,), whose class was predicted."""
    return float((predicted == true).mean())


def above_chance(score: float, chance: float) -> bool:
    """Whether an accuracy is at least 10% of the way from chance to 1."""
    return score - chance >= MIN_ABOVE_CHANCE * (1 - chance)


def balanced_accuracy(predicted: Classes, true: Classes, number: int) -> tuple[float, float]:
    """The mean over classes of the accuracy on each, as scikit-learn's
    `balanced_accuracy_score`.

    Args:
        predicted: Classes from 0, (N,).
        true: The true ones, (N,). Classes that do not occur do not count.
        number: How many classes there are.

    Returns:
        The balanced accuracy, in 0..1, which is 1 / `number` by chance however common
        each class is, and half the width of the 95% interval that chance has.
    """
    right = np.bincount(true[predicted == true], minlength=number)
    total = np.bincount(true, minlength=number)
    there = total > 0
    chance = (1 - 1 / number) / number
    return float((right[there] / total[there]).mean()), NORMAL_95 * float(
        np.sqrt((chance / total[there]).sum()) / there.sum()
    )


def unsupervised_accuracy(clusters: Classes, classes: Classes) -> float:
    """The fraction of samples, (N,), whose cluster is their class, with the best
    one-to-one assignment of clusters to classes (Kuhn 1955; Xie et al. 2016, eq. 10).
    Both are numbered from 0."""
    from scipy.optimize import linear_sum_assignment

    size = int(max(clusters.max(), classes.max())) + 1
    together = np.zeros((size, size), np.int64)
    np.add.at(together, (clusters, classes), 1)
    rows, columns = linear_sum_assignment(together, maximize=True)
    return float(together[rows, columns].sum() / len(classes))


def class_frequencies(classes: Classes, number: int) -> NDArray[np.float64]:
    """The frequency of each of `number` classes, numbered from 0, among samples (N,):
    (number,)."""
    return np.bincount(classes, minlength=number) / len(classes)


def label_kl(frequencies: NDArray[np.float64], real: NDArray[np.float64]) -> float:
    """KL(frequencies || real) in nats, of two distributions of the same classes.

    It is 0 where they are equal. A class that real samples lack counts as if one in a
    million had it.
    """
    from scipy.stats import entropy

    return float(entropy(frequencies, np.maximum(real, 1e-6)))
