"""Verdicts on tables: they name the column or the category that is off, and need what a
test of equivalence of tables supports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from equipoise.diagnosis import Evidence, Monitor, Verdict, diagnose
from equipoise.diagnosis.missing import MissingCategory
from equipoise.metrics.c2st import C2ST_ACCURACY
from equipoise.metrics.copies import COPIED_FRACTION
from equipoise.metrics.neighbours import COVERAGE, PRECISION
from equipoise.metrics.registry import Metric
from equipoise.metrics.result import MetricResult
from equipoise.metrics.tables.column_shapes import COLUMN_SHAPE
from equipoise.metrics.tables.frechet import TABLE_FRECHET
from equipoise.metrics.tables.training_distances import EXACT_COPIES
from equipoise.metrics.tables.two_sample import C2ST_AUC

BLACK = MissingCategory("race", "Black", 0.0, 0.095)


def result(
    metric: Metric, value: float, baseline: float, off: float = 0.01, *, detail: object = None
) -> MetricResult:
    ends = value - off, value + off
    return MetricResult.of(metric, value, baseline, "n rows", *ends, detail=detail)


def table(distance: float, accuracy: float, auc: float, *more: MetricResult) -> list[MetricResult]:
    """Metrics of a table, as they were on Adult: real rows have a distance of .076, and
    with 5% of the cells exchanged .115."""
    primary = replace(result(TABLE_FRECHET, distance, 0.076, 0.005), narrowed=0.115)
    return [
        primary,
        result(C2ST_ACCURACY, accuracy, 0.5, 0.012),
        result(C2ST_AUC, auc, 0.5, 0.014),
        *more,
    ]


def verdict_of(metrics: list[MetricResult], **settings: Any) -> Verdict:
    usual: dict[str, Any] = {
        "log": (),
        "held_out": 1000,
        "samples_seen": 1_000_000,
        "usual_samples": 1_000_000,
        "recipe": "balanced",
        "latent_dim": 64,
        "class_frequencies": (),
        "data": "customers.csv",
        "run": "runs/customers-0",
    }
    return diagnose(Evidence(metrics=metrics, **{**usual, **settings}))


REAL = table(0.078, 0.503, 0.505)
TRAINED = table(0.121, 0.66, 0.736)
SHUFFLED = table(0.83, 0.967, 0.992, result(PRECISION, 0.62, 0.92))


def test_real_rows_have_surely_converged() -> None:
    verdict = verdict_of(REAL)
    assert (verdict.name, verdict.sure) == ("converged", "sure")


@pytest.mark.parametrize(
    "metrics",
    [
        table(0.112, 0.503, 0.505),  # its interval reaches 5% exchanged cells
        table(0.078, 0.525, 0.505),
        table(0.078, 0.503, 0.532),  # few rows give themselves away
    ],
)
def test_it_has_not_surely_converged_unless_every_interval_is_below(
    metrics: list[MetricResult],
) -> None:
    verdict = verdict_of(metrics)
    assert (verdict.name, verdict.sure) != ("converged", "sure")


@pytest.mark.parametrize(
    "metrics",
    [TRAINED, table(0.13, 0.505, 0.505), table(0.09, 0.52, 0.58)],
)
def test_rows_that_differ_measurably_are_close_however_few_baselines_that_is(
    metrics: list[MetricResult],
) -> None:
    assert verdict_of(metrics).name == "close"


def test_columns_shuffled_apart_are_far_though_every_column_is_right() -> None:
    for metrics in (SHUFFLED, table(0.5, 0.90, 0.94)):
        verdict = verdict_of(metrics)
        assert verdict.name == "stalled"
        assert "differ from real ones" in verdict.sentence
    assert "62% of them lie where the data does" in verdict_of(SHUFFLED).sentence


SHIFTED = result(COLUMN_SHAPE, 0.8317, 0.974, 0.02, detail="age")
FINE = result(COLUMN_SHAPE, 0.98, 0.985, 0.02, detail="sex")
UNSURE = result(COLUMN_SHAPE, 0.90, 0.97, 0.1, detail="income")


def test_a_column_that_is_off_is_named_with_its_figures() -> None:
    verdict = verdict_of([*table(0.15, 0.66, 0.74), FINE, UNSURE, SHIFTED])
    assert verdict.name == "close"
    assert (
        "the shape of one column is off: 'age' (0.83, 0.97 with other real rows)"
        in verdict.sentence
    )
    assert "sex" not in verdict.sentence
    assert "income" not in verdict.sentence


def test_a_column_that_is_off_is_no_convergence_however_good_the_rest_is() -> None:
    assert verdict_of([*REAL, SHIFTED]).name == "close"


def test_of_many_columns_that_are_off_the_worst_are_named_also_far_from_the_data() -> None:
    off = [result(COLUMN_SHAPE, 0.5 + i / 20, 0.97, detail=f"c{i}") for i in range(5)]
    sentence = verdict_of([*SHUFFLED, *off]).sentence
    assert "The shapes of 5 columns are off: 'c0' (0.50," in sentence
    assert "'c1'" in sentence
    assert "and 3 more" in sentence
    assert "'c2'" not in sentence


def test_a_hostile_name_is_clipped() -> None:
    bad = result(COLUMN_SHAPE, 0.5, 0.97, detail="\n<b>" + "x" * 500)
    sentence = verdict_of([*TRAINED, bad]).sentence
    assert "\n" not in sentence
    assert len(sentence) < 500


def test_a_missing_category_is_a_collapse_that_names_it() -> None:
    verdict = verdict_of(TRAINED, missing_categories=(BLACK,))
    assert verdict.name == "mode collapse"
    assert "hardly any of them have race = 'Black' (0.0% of them, 9.5% of the real rows)" in (
        verdict.sentence
    )
    assert "train" in verdict.advice
    several = verdict_of(TRAINED, missing_categories=(BLACK, BLACK, BLACK))
    assert "and 2 more categories are missing" in several.sentence


def test_the_advice_for_another_recipe_speaks_of_categories() -> None:
    verdict = verdict_of(TRAINED, missing_categories=(BLACK,), recipe="wgan-gp")
    assert "designed to keep every category" in verdict.advice
    assert verdict.command == "equipoise train customers.csv"


def test_copies_of_training_rows_are_memorised_by_either_metric() -> None:
    copied = result(COPIED_FRACTION, 0.87, 0.0, 0.1)
    exact = result(EXACT_COPIES, 0.686, 0.001, 0.01)
    for metrics in ([*REAL, copied], [*REAL, exact]):
        verdict = verdict_of(metrics)
        assert verdict.name == "memorising"
        assert verdict.advice == "Next: train on more rows, or shorter."
        assert "augment" not in verdict.command
    assert "69% of the rows equal a training row in every column, 0.1% of held-out rows do" in (
        verdict_of([*REAL, exact]).sentence
    )


def test_as_many_copies_as_held_out_rows_have_are_no_fault() -> None:
    """Rows of a few categories repeat, in any table."""
    same = result(EXACT_COPIES, 0.62, 0.6, 0.02)
    assert verdict_of([*REAL, same]).name == "converged"


def test_a_short_training_is_told_to_go_on() -> None:
    verdict = verdict_of(TRAINED, samples_seen=20_480)
    assert "train longer" in verdict.advice
    assert verdict.command.startswith("equipoise train --resume runs/customers-0")


def test_no_sentence_speaks_of_what_tables_do_not_have() -> None:
    for metrics in (REAL, TRAINED, SHUFFLED, [*TRAINED, SHIFTED]):
        verdict = verdict_of(metrics, missing_categories=())
        said = f"{verdict.sentence} {verdict.advice}"
        assert not any(word in said for word in ("mode", "digit", "image", "narrow", "wide"))


def test_coverage_inside_the_data_is_said_without_modes() -> None:
    inside = result(COVERAGE, 0.3, 0.97), result(PRECISION, 0.95, 0.92)
    sentence = verdict_of([*TRAINED, *inside]).sentence
    assert "they come near 30% of the real samples" in sentence
    assert "mode" not in sentence


def test_the_monitor_warns_of_no_modes_while_a_table_is_trained() -> None:
    monitor = Monitor(lambda: {TABLE_FRECHET.key: 0.076})
    for value in (0.2, 0.15, 0.14, 0.16, 0.13, 0.15, 0.12):
        assert monitor.at_metrics({TABLE_FRECHET.key: value}, 0.5) == ""
    said = monitor.at_metrics({TABLE_FRECHET.key: 2.0}, 0.9)
    assert "training is falling apart" in said
    assert "mode" not in said
