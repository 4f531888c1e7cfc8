"""Train on synthetic, test on real (TSTR): what generated rows are worth to a model
that predicts a column.

Esteban, Hyland, Rätsch: "Real-valued (Medical) Time Series Generation with Recurrent
Conditional GANs", 2017. The baseline is the same model, trained on as many real rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import clipped
from equipoise.metrics.c2st import equally_many
from equipoise.metrics.reference import Array, column_stds
from equipoise.metrics.registry import Metric, describe
from equipoise.metrics.result import MetricResult
from equipoise.metrics.tables.raw_table import Column
from equipoise.metrics.tables.roc import interval, roc_auc
from equipoise.metrics.tables.trees import (
    TreeColumns,
    commonest_codes,
    rounds_of,
    rows_within,
    trees_at_once,
)

MIN_HELD_OUT = 40  # rows
MAX_CLASSES = 20  # which are told apart; the rarest others are one

TSTR_AUC = describe(
    Metric(
        "tstr_auc",
        "TSTR ROC AUC",
        "higher",
        "area under the ROC curve, on real rows, of a model trained on generated ones only",
    )
)
TSTR_R2 = describe(
    Metric(
        "tstr_r2",
        "TSTR R2",
        "higher",
        "R2, on real rows, of a model trained on generated ones only",
    )
)


@dataclass(frozen=True)
class Score:
    """How well a model predicts a column of unseen rows."""

    value: float
    """Area under the ROC curve, the mean over classes of each against the others; or
    R2."""
    low: float
    """With `high`, the 95% interval of the value over other rows."""
    high: float


def efficacy_metrics(
    columns: Sequence[Column],
    target: int,
    train: tuple[Array, Array],
    test: Array,
    seed: int,
    cells: int,
) -> list[MetricResult]:
    """The score of a model trained on generated rows, beside that of one trained on
    real ones.

    Args:
        columns: What the columns are.
        target: The column that is predicted from the others.
        train: Real and generated rows to train on, (N, C) each. Both are cut to the
            size of the smaller, and to what `cells` allow.
        test: Real rows to test on, (M, C), none of which is in `train`.
        seed: Of the trees.
        cells: Rows by columns that 200 trees are trained on at most.

    Returns:
        The metric; none where there is no other column, where all unseen rows have
        the same value, or where too few have one.
    """
    real, fake, unseen = (_known(columns[target], target, rows) for rows in (*train, test))
    if len(columns) == 1 or len(unseen) < MIN_HELD_OUT or not (len(real) and len(fake)):
        return []
    predictor = Predictor.of(columns, target, real)
    if len(np.unique(predictor.targets(unseen))) == 1:
        return []
    most = rows_within(cells, len(columns), predictor.at_once)
    on_real, on_fake = (
        predictor.score(rows, unseen, seed)
        for rows in equally_many((real, fake), np.random.default_rng(seed), most)
    )
    n, rounds = min(len(real), len(fake), most), rounds_of(predictor.at_once)
    protocol = (
        f"{clipped(repr(columns[target].name))} of {len(unseen):,} held-out rows, predicted by "
        f"{rounds} rounds of gradient-boosted trees trained on {n:,} generated ones"
        f"{predictor.note}; baseline: on {n:,} real ones"
    )
    metric = TSTR_AUC if columns[target].size else TSTR_R2
    return [
        MetricResult.of(
            metric, on_fake.value, on_real.value, protocol, on_fake.low, on_fake.high, n=n
        )
    ]


@dataclass(frozen=True)
class Predictor:
    """Predicts a column, `target`, from the others, `columns`."""

    columns: Sequence[Column]
    target: int
    classes: NDArray[np.int64] | None
    """The class of each code; None for numbers."""
    trees: TreeColumns

    @classmethod
    def of(cls, columns: Sequence[Column], target: int, real: Array) -> Predictor:
        """The predictor of a column; real rows, (N, C), say which classes are
        common."""
        others = [*columns[:target], *columns[target + 1 :]]
        size = columns[target].size
        codes = real[:, target].astype(np.int64) if size else None
        classes = None if codes is None else commonest_codes(codes, size, MAX_CLASSES)
        return cls(others, target, classes, TreeColumns(others, np.delete(real, target, 1)))

    @property
    def at_once(self) -> int:
        """Trees of a round."""
        return 1 if self.classes is None else trees_at_once(int(self.classes.max()) + 1)

    @property
    def note(self) -> str:
        """On categories that were taken together, in words; empty if none were."""
        merged = self.classes is not None and len(self.classes) > MAX_CLASSES
        together = f"; its rarest classes but {MAX_CLASSES - 1} are one" if merged else ""
        return together + self.trees.note

    def targets(self, rows: Array) -> Array | NDArray[np.int64]:
        """The target of rows, (N, C): numbers or classes, (N,)."""
        values = rows[:, self.target]
        return values if self.classes is None else self.classes[values.astype(np.int64)]

    def score(self, rows: Array, unseen: Array, seed: int) -> Score:
        """Train on rows, (N, C), and predict unseen ones, (M, C)."""
        train, test = (
            (np.delete(part, self.target, 1), self.targets(part)) for part in (rows, unseen)
        )
        return (self._r2 if self.classes is None else self._auc)(train, test, seed)

    def _auc(
        self,
        train: tuple[Array, NDArray[Any]],
        test: tuple[Array, NDArray[Any]],
        seed: int,
    ) -> Score:
        """The mean over the classes of the unseen rows; one that no row to train on has
        is never told from the others."""
        scores = np.zeros((len(test[0]), int(max(train[1].max(), test[1].max())) + 1))
        if len(np.unique(train[1])) > 1:
            model = self.trees.fit_classifier(*train, seed)
            scores[:, model.classes_] = self.trees.probabilities(model, test[0])
        areas, influences = zip(
            *(roc_auc(scores[:, name], test[1] == name) for name in np.unique(test[1])),
            strict=True,
        )
        value = float(np.mean(areas))
        return Score(value, *interval(value, np.mean(influences, 0)))

    def _r2(
        self,
        train: tuple[Array, NDArray[Any]],
        test: tuple[Array, NDArray[Any]],
        seed: int,
    ) -> Score:
        """The coefficient of determination; its interval is that of a ratio of
        means."""
        centre, unit = train[1].mean(), column_stds(train[1][:, None])[0]
        model = self.trees.fit_regressor(train[0], (train[1] - centre) / unit, seed)
        predicted = self.trees.numbers(model, test[0]) * unit + centre
        errors, spread = (test[1] - predicted) ** 2, (test[1] - test[1].mean()) ** 2
        left = errors.sum() / spread.sum()
        influence = (errors - left * spread) / spread.sum()
        return Score(float(1 - left), *interval(float(1 - left), influence, low=-np.inf))


def _known(column: Column, at: int, rows: Array) -> Array:
    """The rows whose value of a column is not blank, where that is a number."""
    return rows if column.size else rows[~np.isnan(rows[:, at])]
