"""All metrics of a mixed table together."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.budget import STEPS, Budget
from equipoise.metrics.registry import catalogue
from equipoise.metrics.tables import trees
from equipoise.metrics.tables.evaluate import rows_needed, table_metrics
from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.raw_table import RawTable

RNG = np.random.default_rng(0)
TABLE = RawTable(("x", "plan"), (0, 3))
BUDGET = Budget(tree_cells=1_000, copies=100)


def rows_of(n: int) -> np.ndarray:
    x = RNG.normal(size=n)
    return np.stack([x, np.digitize(x, [-1, 1])], 1).astype(float)


def test_every_metric_is_in_the_catalogue_and_every_step_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trees, "TREES", 10)
    monkeypatch.setattr(trees, "MIN_TREES", 1)
    reference = MixedReference(rows_of(200), TABLE, rows_of(900))
    assert rows_needed(reference, BUDGET) == 200 + 250
    steps: list[str] = []
    fake = rows_of(rows_needed(reference, BUDGET))
    found = table_metrics(reference, fake, 0, BUDGET, steps.append)
    assert [result.key for result in found] == [
        "c2st_accuracy",
        "c2st_auc",
        "exact_copies",
        "nearest_training_row",
        "nearer_than_held_out",
        "copied_fraction",
    ]
    for result in found:
        assert catalogue()[result.family].better == result.better
        assert result.meaning
    assert steps == [step for step in STEPS if step in steps]
    assert "trained on 500 rows and tested on 400 others" in found[1].protocol


def test_without_training_rows_there_are_none() -> None:
    assert table_metrics(MixedReference(rows_of(100), TABLE), rows_of(200), 0) == []
