"""Verdicts on windows of series: they say what is off in the order of time."""

from __future__ import annotations

import pytest

from equipoise.diagnosis import Evidence, Verdict, diagnose
from equipoise.metrics.c2st import C2ST_ACCURACY
from equipoise.metrics.copies import COPIED_FRACTION
from equipoise.metrics.registry import Metric
from equipoise.metrics.result import MetricResult
from equipoise.metrics.series.autocorrelation import AUTOCORRELATION, SQUARED
from equipoise.metrics.series.cross_correlation import CROSS_CORRELATION
from equipoise.metrics.series.marginals import WINDOWS


def result(metric: Metric, value: float, baseline: float, off: float = 0.01) -> MetricResult:
    return MetricResult.of(metric, value, baseline, "n windows", value - off, value + off)


def verdict_of(*more: MetricResult, held_out: int = 1000) -> Verdict:
    """The verdict on windows that the distances and the classifier find right."""
    metrics = [result(WINDOWS, 0.09, 0.09), result(C2ST_ACCURACY, 0.503, 0.5, 0.012), *more]
    return diagnose(
        Evidence(
            metrics=metrics,
            log=(),
            held_out=held_out,
            samples_seen=1_000_000,
            usual_samples=1_000_000,
            recipe="balanced",
            latent_dim=48,
            class_frequencies=(),
            data="x.npy",
            run="runs/x-0",
        )
    )


def test_windows_like_real_ones_in_all_that_is_measured_have_converged() -> None:
    found = verdict_of(result(AUTOCORRELATION, 0.03, 0.03), result(SQUARED, 0.05, 0.04))
    assert (found.name, found.sure) == ("converged", "sure")


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (AUTOCORRELATION, "by their autocorrelations (0.20 on average, 0.03 between real"),
        (SQUARED, "by the autocorrelations of their squares (0.20"),
        (CROSS_CORRELATION, "by the correlations between channels (0.20"),
    ],
)
def test_an_order_that_is_off_is_named_though_the_classifier_sees_nothing(
    metric: Metric, words: str
) -> None:
    found = verdict_of(result(metric, 0.2, 0.03))
    assert found.name == "close"
    assert f"the order in time is off {words}" in found.sentence


def test_differences_that_chance_can_make_are_not_named() -> None:
    for unsure in (result(AUTOCORRELATION, 0.06, 0.03), result(SQUARED, 0.2, 0.03, off=0.18)):
        assert "order in time" not in verdict_of(unsure).sentence


def test_advice_speaks_of_windows() -> None:
    assert "more windows" in verdict_of(result(COPIED_FRACTION, 0.6, 0.0, 0.1)).advice
    assert "windows: a tenth" in verdict_of(held_out=20).advice
