"""Train on generated rows, test on real ones: for a column that the user names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from equipoise.data.factory import open_source
from equipoise.errors import RequestError
from equipoise.metrics.budget import QUICK
from equipoise.metrics.tables.target import target_metrics

CLASSES = ("free", "pro")
BUDGET = replace(QUICK, tree_cells=20_000)


def frame(rows: int = 2_000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    paid = x + 0.3 * rng.normal(size=rows)
    return pd.DataFrame(
        {"x": x, "paid": paid, "plan": np.where(x + 0.5 * rng.normal(size=rows) > 0, "pro", "free")}
    )


def shuffled(rows: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.stack([rng.permutation(column) for column in rows.T], 1)


@pytest.mark.parametrize(("target", "key"), [("plan", "tstr_auc"), ("paid", "tstr_r2")])
def test_real_rows_score_as_the_baseline_and_shuffled_columns_as_chance(
    target: str, key: str
) -> None:
    source = open_source(frame())
    real = source.seen(5_000, 0).numpy()
    (found,) = target_metrics(source, lambda n: (real[:n], None), target, CLASSES, 0, BUDGET)
    assert found.key == key
    assert found.value == pytest.approx(found.baseline, abs=0.02)
    assert found.baseline > 0.8
    others = shuffled(real)
    (found,) = target_metrics(source, lambda n: (others[:n], None), target, CLASSES, 0, BUDGET)
    assert found.value < (0.6 if key == "tstr_auc" else 0.1)


def test_a_table_of_plain_numbers_has_targets_too() -> None:
    source = open_source(frame()[["x", "paid"]])
    real = source.seen(5_000, 0).numpy()
    (found,) = target_metrics(source, lambda n: (real[:n], None), "paid", CLASSES, 0, BUDGET)
    assert found.value == pytest.approx(found.baseline, abs=0.02)


def test_the_column_of_labels_can_be_the_target() -> None:
    source = open_source(frame(), label_column="plan")
    labelled = source.labelled(5_000, 0, held_out=False)
    assert labelled is not None
    x, y = labelled[0].numpy(), labelled[1].numpy()
    (found,) = target_metrics(source, lambda n: (x[:n], y[:n]), "plan", CLASSES, 0, BUDGET)
    assert found.value == pytest.approx(found.baseline, abs=0.02)
    others = shuffled(y[:, None])[:, 0]
    (found,) = target_metrics(source, lambda n: (x[:n], others[:n]), "plan", CLASSES, 0, BUDGET)
    assert found.value < 0.65


def none(n: int) -> tuple[np.ndarray, None]:
    return np.zeros((n, 3)), None


def test_a_target_that_is_no_column_is_refused_with_those_that_are() -> None:
    with pytest.raises(RequestError, match=r"target = 'plam' is no column: .*'plan'"):
        target_metrics(open_source(frame()), none, "plam", CLASSES, 0, BUDGET)
    source = open_source(np.random.default_rng(0).normal(size=(100, 2)))
    with pytest.raises(RequestError, match="this data has no columns"):
        target_metrics(source, lambda n: (np.zeros((n, 2)), None), "x", CLASSES, 0, BUDGET)


def test_labels_that_the_generator_does_not_make_are_no_target_and_no_predictor() -> None:
    source = open_source(frame(), label_column="plan")
    x = source.seen(5_000, 0).numpy()

    def without(n: int) -> tuple[np.ndarray, None]:
        return x[:n], None

    (found,) = target_metrics(source, without, "paid", None, 0, BUDGET)
    assert found.value == pytest.approx(found.baseline, abs=0.02)
    with pytest.raises(RequestError, match="'plan' holds labels, which this generator does not"):
        target_metrics(source, without, "plan", None, 0, BUDGET)
    others = ("free", "pro", "team")
    with pytest.raises(RequestError, match="holds labels"):
        target_metrics(source, lambda n: (x[:n], np.zeros(n, int)), "plan", others, 0, BUDGET)


def test_a_target_that_a_constraint_computes_is_refused_with_the_reason() -> None:
    rows = frame().assign(double=lambda rows: 2 * rows["x"])
    source = open_source(rows, constraints=["double = 2 * x"])
    with pytest.raises(RequestError, match="is computed of other columns"):
        target_metrics(source, lambda n: (np.zeros((n, 3)), None), "double", None, 0, BUDGET)
