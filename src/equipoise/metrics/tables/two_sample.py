"""The classifier two-sample test (C2ST) of tables, by gradient-boosted trees.

An MLP sees too little of a table, and a logistic regression nothing: trees find the
values that a column cannot have, and what binds several columns. The area under the ROC
curve says more than the accuracy where few rows give themselves away.

Equal distributions give .5 of both, whatever the classifier and however many rows: that
is the baseline. Rows that were copied from the training data may give less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.metrics.c2st import TwoSampleTest, accuracy_metric, equally_many
from equipoise.metrics.intervals import proportion_interval
from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, describe
from equipoise.metrics.result import MetricResult
from equipoise.metrics.tables.raw_table import Column
from equipoise.metrics.tables.roc import interval, roc_auc
from equipoise.metrics.tables.trees import TREES, TreeColumns, rows_within

C2ST_AUC = describe(
    Metric(
        "c2st_auc",
        "C2ST ROC AUC",
        "lower",
        "area under the ROC curve of a new real-vs-generated classifier (0.5 is best)",
    )
)


@dataclass(frozen=True)
class TreeTest:
    """What trees that tell real from generated rows reach on unseen ones."""

    accuracy: TwoSampleTest
    auc: float
    low: float
    """With `high`, the 95% interval of the AUC (DeLong et al. 1988)."""
    high: float
    trained: int
    """Rows that the trees were trained on, half of them real."""
    note: str
    """On categories that were taken together, in words; empty if none were."""


def tree_c2st_metrics(
    columns: Sequence[Column],
    train: tuple[Array, Array],
    test: tuple[Array, Array],
    seed: int,
    cells: int,
) -> list[MetricResult]:
    """The accuracy and the AUC as metrics; the arguments are those of
    `tree_two_sample_test`."""
    found = tree_two_sample_test(columns, train, test, seed, cells)
    trees = f"{TREES} gradient-boosted trees"
    n = found.accuracy.n
    protocol = (
        f"{trees} trained on {found.trained:,} rows and tested on {n:,} others, half of them "
        f"real{found.note}"
    )
    return [
        accuracy_metric(found.accuracy, trees, found.trained, found.note),
        MetricResult.of(C2ST_AUC, found.auc, 0.5, protocol, found.low, found.high, n=n // 2),
    ]


def tree_two_sample_test(
    columns: Sequence[Column],
    train: tuple[Array, Array],
    test: tuple[Array, Array],
    seed: int,
    cells: int,
) -> TreeTest:
    """Train trees on real and generated rows, and test them on others.

    Args:
        columns: What the columns are.
        train: Real and generated rows to train on, (N, C) each. Both are cut to the
            size of the smaller, and to what `cells` allow.
        test: Others of both to test on, none of which may be in `train`.
        seed: Of the choice among rows.
        cells: Rows by columns that the trees are trained on at most.

    Returns:
        The accuracy and the area under the ROC curve, with their intervals.
    """
    rng = np.random.default_rng(seed)
    most = max(rows_within(cells, len(columns)) // 2, 1)
    rows = np.concatenate(equally_many(train, rng, most))
    kinds = np.arange(2).repeat(len(rows) // 2)
    trees = TreeColumns(columns, rows)
    model = trees.fit_classifier(rows, kinds, seed)
    unseen = np.concatenate(equally_many(test, rng))
    generated = np.arange(2).repeat(len(unseen) // 2) == 1
    scores = trees.probabilities(model, unseen)[:, 1]
    right, n = int(((scores > 0.5) == generated).sum()), len(unseen)
    auc, influence = roc_auc(scores, generated)
    return TreeTest(
        TwoSampleTest(right / n, *proportion_interval(right, n), n),
        auc,
        *interval(auc, influence),
        trained=len(rows),
        note=trees.note,
    )
