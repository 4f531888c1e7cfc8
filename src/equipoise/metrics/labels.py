"""Labels: does what was asked for come, and does a code found without labels mean the same as they do?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Classes = NDArray[np.integer]


def agreement(read: Classes, asked: Classes) -> float:
    """The share of samples, (N,), that are read as the class that was asked for."""
    return float((read == asked).mean())


def unsupervised_accuracy(clusters: Classes, classes: Classes) -> float:
    """The share of samples, (N,), whose cluster is their class, with clusters named for classes one to one in the best way there is
    (Kuhn 1955; as in Xie et al. 2016, eq. 10). Both are numbered from 0."""
    from scipy.optimize import linear_sum_assignment

    size = int(max(clusters.max(), classes.max())) + 1
    together = np.zeros((size, size), np.int64)
    np.add.at(together, (clusters, classes), 1)
    rows, columns = linear_sum_assignment(together, maximize=True)
    return float(together[rows, columns].sum() / len(classes))


def class_shares(classes: Classes, number: int) -> NDArray[np.float64]:
    """The share of each of `number` classes, numbered from 0, among samples (N,): (number,)."""
    return np.bincount(classes, minlength=number) / len(classes)


def class_divergence(shares: NDArray[np.float64], real: NDArray[np.float64]) -> float:
    """KL(shares || real) in nats, of two laws of the same classes: 0 where they are equal. A class that real samples lack counts as if one
    in a million had it."""
    from scipy.stats import entropy

    return float(entropy(shares, np.maximum(real, 1e-6)))
