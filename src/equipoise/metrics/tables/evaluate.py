"""What the suite of a table does not have: metrics that need training rows or
classifiers."""

from __future__ import annotations

from collections.abc import Callable

from equipoise.metrics.budget import FULL, Budget, quiet
from equipoise.metrics.c2st import MIN_C2ST
from equipoise.metrics.reference import Array
from equipoise.metrics.result import MetricResult
from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.training_distances import training_distance_metrics
from equipoise.metrics.tables.trees import rows_within
from equipoise.metrics.tables.two_sample import tree_c2st_metrics


def rows_needed(reference: MixedReference, budget: Budget = FULL) -> int:
    """How many generated rows `table_metrics` takes: for the two-sample test as many as
    held-out rows, and as many as training rows as far as trees are trained on them."""
    training = 0 if reference.training is None else len(reference.training)
    most = rows_within(budget.tree_cells, len(reference.columns)) // 2
    return reference.n + max(min(training, most), budget.copies)


def table_metrics(
    reference: MixedReference,
    fake: Array,
    seed: int,
    budget: Budget = FULL,
    on_step: Callable[[str], None] = quiet,
) -> list[MetricResult]:
    """The metrics of generated rows beside those of the suite.

    Args:
        reference: Held-out rows with training rows. Without these there are none.
        fake: Generated rows, (N, R), a raw matrix; `rows_needed` of them.
        seed: Of the choice among rows, and of the trees.
        budget: How much is measured.
        on_step: Called with what is measured next, of `budget.STEPS`.
    """
    training, real = reference.training, reference.real
    if training is None or not len(training):
        return []
    rows, found = reference.prepare(fake), []
    test, train = rows[: len(real)], rows[len(real) :]
    if len(real) >= MIN_C2ST and len(train):
        on_step("classifier two-sample test")
        parts = (training, train), (real, test)
        found += tree_c2st_metrics(reference.columns, *parts, seed, budget.tree_cells)
    on_step("nearest training samples")
    found += training_distance_metrics(reference, rows, seed, budget)
    return found
