"""The two-sample test by boosted trees finds planted differences, and nothing where
there is nothing."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from equipoise.metrics.tables.raw_table import RawTable
from equipoise.metrics.tables.two_sample import TreeTest, tree_c2st_metrics, tree_two_sample_test

RNG = np.random.default_rng(0)
COLUMNS = RawTable(("x", "y", "plan"), (0, 0, 3)).columns
CELLS = 10**6


def rows_of(n: int, bound: float = 1.0) -> np.ndarray:
    """x, y and the plan are random; the plan is that of x y, if bound: no two columns
    depend on each other."""
    x, y = RNG.normal(size=(2, n))
    plan = np.where(RNG.random(n) < bound, x * y > 0, RNG.random(n) < 0.5)
    return np.stack([x, y, plan], 1).astype(float)


def halved(real: np.ndarray, fake: np.ndarray, cells: int = CELLS) -> TreeTest:
    half = len(real) // 2
    return tree_two_sample_test(
        COLUMNS, (real[:half], fake[:half]), (real[half:], fake[half:]), 0, cells
    )


def test_real_rows_are_not_told_from_other_real_rows() -> None:
    found = halved(rows_of(4000), rows_of(4000))
    assert found.low < 0.5 < found.high
    assert found.accuracy.low < 0.5 < found.accuracy.high
    assert found.accuracy.n == 4000


def test_what_binds_three_columns_and_no_two_of_them_is_found() -> None:
    found = halved(rows_of(4000), rows_of(4000, bound=0.0))
    assert found.auc > 0.7  # the best: half of the generated rows are impossible, .75
    assert found.low > 0.65
    assert found.accuracy.low > 0.6


def test_the_area_on_shifted_normal_distributions_is_about_the_best_rules() -> None:
    real, fake = rows_of(6000), rows_of(6000)
    fake[:, 2], real[:, 2] = 0, 0
    fake[:, 0] += 2
    best = norm.cdf(2**0.5)
    assert best - 0.03 < halved(real, fake).auc < best + 0.02


def test_values_that_a_column_cannot_have_give_rows_away() -> None:
    real, fake = np.round(rows_of(2000)), np.round(rows_of(2000))
    fake[:, 0] += 0.2
    assert halved(real, fake).auc > 0.99


def test_the_metrics_say_what_was_trained_on_what() -> None:
    real, fake = rows_of(600), rows_of(500)
    parts = (real[:300], fake[:300]), (real[300:], fake[300:])
    accuracy, auc = tree_c2st_metrics(COLUMNS, *parts, 0, 900)
    assert (accuracy.key, auc.key) == ("c2st_accuracy", "c2st_auc")
    assert accuracy.baseline == auc.baseline == 0.5
    assert accuracy.n_samples == auc.n_samples == 200
    said = "200 gradient-boosted trees trained on 300 "  # 900 cells of three columns
    assert accuracy.protocol.startswith(f"{said}samples and tested on 400 others, half of")
    assert auc.protocol.startswith(f"{said}rows and tested on 400 others, half of them real")
    assert auc.low is not None
    assert auc.low < auc.value < auc.high


def test_one_seed_gives_one_answer() -> None:
    real, fake = rows_of(600), rows_of(600, 0.5)
    assert halved(real, fake) == halved(real, fake)
