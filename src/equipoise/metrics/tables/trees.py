"""Gradient-boosted trees on rows of mixed columns: scikit-learn's, with categories as
they are, blank numbers as missing ones, and one thread.

Two hundred trees of at most 64 leaves, as many as XGBoost's of depth 6 have: on Adult
their AUC is within .02 of those. More than two classes take a tree each in every round;
they share the 200, but have 50 each at least. What trees cost is linear in the cells
that they are trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.tables.raw_table import Column
from equipoise.utils.threads import single_threaded

Array = NDArray[np.float64]
Classes = NDArray[np.int64]
TREES = 200
MIN_TREES = 50  # of each of many classes
LEAVES = 64
# Regularisation: without it few rows tell less (benchmarks/EXPERIMENTS.md).
L2 = 10.0
MAX_CATEGORIES = 255  # that a column of these trees can have


class TreeColumns:
    """Columns as the trees take them: of more than 255 categories the commonest 254
    keep their own, and the others are one.

    Args:
        columns: What the columns are.
        rows: Rows, (N, C), that say which categories are common.
    """

    def __init__(self, columns: Sequence[Column], rows: Array) -> None:
        self.columns = columns
        self._codes = {
            at: commonest_codes(rows[:, at].astype(np.int64), column.size, MAX_CATEGORIES)
            for at, column in enumerate(columns)
            if column.size > MAX_CATEGORIES
        }

    @property
    def note(self) -> str:
        """Which columns have fewer categories here, in words; empty if none."""
        if not self._codes:
            return ""
        several = "columns" if len(self._codes) > 1 else "column"
        return (
            f"; the rarest categories of {len(self._codes):,} {several} with more than "
            f"{MAX_CATEGORIES} are one"
        )

    def __call__(self, rows: Array) -> Array:
        """The rows, (N, C), as the trees take them."""
        found = rows.copy()
        for at, codes in self._codes.items():
            found[:, at] = codes[rows[:, at].astype(np.int64)]
        return found

    def fit_classifier(self, rows: Array, classes: Classes, seed: int) -> Any:
        """A classifier of the rows, (N, C), into their classes, (N,), two at least."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        rounds = rounds_of(trees_at_once(len(np.unique(classes))))
        model = HistGradientBoostingClassifier(max_iter=rounds, **self._settings(seed))
        with single_threaded():
            return model.fit(self(rows), classes)

    def fit_regressor(self, rows: Array, numbers: Array, seed: int) -> Any:
        """A regression of numbers, (N,), on the rows, (N, C)."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        model = HistGradientBoostingRegressor(max_iter=rounds_of(1), **self._settings(seed))
        with single_threaded():
            return model.fit(self(rows), numbers)

    def probabilities(self, model: Any, rows: Array) -> Array:
        """The probability of each class, (N, K), that a classifier gives to rows."""
        with single_threaded():
            return np.asarray(model.predict_proba(self(rows)))

    def numbers(self, model: Any, rows: Array) -> Array:
        """What a regression predicts for rows: (N,)."""
        with single_threaded():
            return np.asarray(model.predict(self(rows)))

    def _settings(self, seed: int) -> dict[str, Any]:
        return {
            "max_leaf_nodes": LEAVES,
            "l2_regularization": L2,
            "early_stopping": False,  # which holds back rows, and gives up on small differences
            "categorical_features": [column.size > 0 for column in self.columns],
            "random_state": seed,
        }


def trees_at_once(classes: int) -> int:
    """How many trees are trained in a round: one for two classes, else one for each."""
    return classes if classes > 2 else 1


def rounds_of(at_once: int) -> int:
    """The rounds of a training with so many trees in each."""
    return max(TREES // at_once, MIN_TREES)


def rows_within(cells: int, columns: int, at_once: int = 1) -> int:
    """How many rows trees are trained on at most.

    Args:
        cells: That the training of 200 trees may take.
        columns: Of the rows.
        at_once: Trees of a round.
    """
    most = cells * TREES // (rounds_of(at_once) * at_once * max(columns, 1))
    return max(most, 1)


def commonest_codes(codes: Classes, size: int, most: int) -> Classes:
    """A code for each of `size` categories, (size,), below `most`.

    Of more categories than that the commonest among the codes, (N,), have one each, and
    all others have the last.
    """
    if size <= most:
        return np.arange(size)
    commonest = np.argsort(-np.bincount(codes, minlength=size), kind="stable")
    found = np.full(size, most - 1)
    found[commonest[: most - 1]] = np.arange(most - 1)
    return found
