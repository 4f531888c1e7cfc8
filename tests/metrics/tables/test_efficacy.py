"""Train on synthetic, test on real."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from equipoise.metrics.result import MetricResult
from equipoise.metrics.tables import trees
from equipoise.metrics.tables.efficacy import MAX_CLASSES, Predictor, efficacy_metrics
from equipoise.metrics.tables.raw_table import Column, RawTable

RNG = np.random.default_rng(0)
CELLS = 10**6
TABLE = RawTable(("x", "plan", "y", "kind"), (0, 4, 0, 2))


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "TREES", 30)
    monkeypatch.setattr(trees, "MIN_TREES", 30)


def rows_of(n: int) -> np.ndarray:
    """The plan follows x, y both, and the kind y, each with noise."""
    x = RNG.normal(size=n)
    plan = np.digitize(x + 0.3 * RNG.normal(size=n), [-1, 0, 1])
    y = x + plan + 0.5 * RNG.normal(size=n)
    return np.stack([x, plan, y, y + RNG.normal(size=n) > 1], 1).astype(float)


def shuffled(rows: np.ndarray) -> np.ndarray:
    return np.stack([RNG.permutation(column) for column in rows.T], 1)


def efficacy(
    target: int, fake: np.ndarray, columns: tuple[Column, ...] = TABLE.columns, cells: int = CELLS
) -> MetricResult:
    (found,) = efficacy_metrics(
        columns, target, (rows_of(800), fake), rows_of(400), seed=0, cells=cells
    )
    return found


@pytest.mark.parametrize(("target", "key"), [(1, "tstr_auc"), (2, "tstr_r2"), (3, "tstr_auc")])
def test_rows_as_good_as_real_ones_are_worth_as_much_and_shuffled_ones_nothing(
    target: int, key: str
) -> None:
    good, bad = efficacy(target, rows_of(800)), efficacy(target, shuffled(rows_of(800)))
    assert good.key == bad.key == key
    assert good.value == pytest.approx(good.baseline, abs=0.05)
    assert good.baseline > 0.7
    assert good.low is not None
    assert good.low < good.value < good.high
    assert bad.value < good.value - 0.2


def test_the_scores_are_those_of_scikit_learn() -> None:
    train, test = rows_of(600), rows_of(300)
    for target in (1, 2, 3):
        predictor = Predictor.of(TABLE.columns, target, train)
        found = predictor.score(train, test, 0).value
        x, y = np.delete(train, target, 1), train[:, target]
        unseen, true = np.delete(test, target, 1), test[:, target]
        if TABLE.sizes[target] == 0:
            model = predictor.trees.fit_regressor(x, y, 0)
            assert found == pytest.approx(r2_score(true, model.predict(unseen)), abs=1e-3)
            continue
        scores = predictor.trees.fit_classifier(x, y.astype(int), 0).predict_proba(unseen)
        scores = scores[:, 1] if scores.shape[1] == 2 else scores
        assert found == pytest.approx(roc_auc_score(true, scores, multi_class="ovr"))


def test_both_models_are_trained_on_as_many_rows_as_the_cells_allow() -> None:
    assert efficacy(3, rows_of(300)).n_samples == 300
    capped = efficacy(3, rows_of(800), cells=4 * 150)
    assert capped.n_samples == 150
    assert "trained on 150 generated ones; baseline: on 150 real ones" in capped.protocol
    assert efficacy(1, rows_of(800), cells=16 * 100).n_samples == 100  # four classes


def test_generated_rows_of_one_class_are_worth_a_coin() -> None:
    fake = rows_of(800)
    fake[:, 3] = 1
    found = efficacy(3, fake)
    assert found.value == 0.5
    assert found.baseline > 0.7


def test_a_class_that_generated_rows_lack_is_told_from_none() -> None:
    fake = rows_of(800)
    fake = fake[fake[:, 1] < 3]
    found = efficacy(1, fake)
    assert found.value < found.baseline - 0.05
    assert found.value > 0.5


def test_the_rarest_of_many_classes_are_one_and_it_is_said() -> None:
    table = RawTable(("x", "code"), (0, 100))

    def many(n: int) -> np.ndarray:
        code = np.minimum(RNG.geometric(0.15, n) - 1, 99)
        return np.stack([code + RNG.normal(size=n), code], 1).astype(float)

    predictor = Predictor.of(table.columns, 1, many(500))
    assert predictor.at_once == MAX_CLASSES
    (found,) = efficacy_metrics(table.columns, 1, (many(500), many(500)), many(300), 0, CELLS)
    assert "; its rarest classes but 19 are one" in found.protocol
    assert found.value == pytest.approx(found.baseline, abs=0.1)


def test_rows_whose_number_to_predict_is_blank_do_not_count() -> None:
    table = RawTable(("x", "y", "y"), (0, 0, 2), (None, None, 1))

    def rows(n: int) -> np.ndarray:
        x = RNG.normal(size=n)
        return table.values(np.stack([x, 2 * x, RNG.random(n) < 0.5], 1))

    (found,) = efficacy_metrics(table.columns, 1, (rows(400), rows(400)), rows(200), 0, CELLS)
    assert found.key == "tstr_r2"
    assert found.value > 0.9
    assert 150 < found.n_samples < 250


def test_where_nothing_can_be_predicted_there_is_no_metric() -> None:
    columns, rows = TABLE.columns, rows_of(200)
    assert efficacy_metrics(columns, 3, (rows, rows), rows[:30], 0, CELLS) == []
    same = rows.copy()
    same[:, 3] = 0
    assert efficacy_metrics(columns, 3, (rows, rows), same, 0, CELLS) == []
    alone = columns[:1]
    assert efficacy_metrics(alone, 0, (rows[:, :1],) * 2, rows[:, :1], 0, CELLS) == []


def test_a_name_that_is_hostile_is_quoted_and_cut() -> None:
    table = RawTable(("x", "a\nb" * 100), (0, 2))
    rows = np.stack([RNG.normal(size=200), RNG.integers(0, 2, 200)], 1)
    (found,) = efficacy_metrics(table.columns, 1, (rows, rows), rows, 0, CELLS)
    assert "\n" not in found.protocol
    assert len(found.protocol) < 300
