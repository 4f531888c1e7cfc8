"""Every metric is described once, in one plain line."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise import GAN
from equipoise.data.distributions import Gaussian, Grid
from equipoise.data.factory import open_source
from equipoise.data.sources import DistributionSource
from equipoise.metrics.evaluate import suite_for
from equipoise.metrics.image_suites import DIGIT_METRICS
from equipoise.metrics.result import METRICS, directions, meaning, metric_info

RNG = np.random.default_rng(0)


def test_a_judges_metrics_are_better_as_they_are_described() -> None:
    images = open_source(RNG.integers(0, 255, (60, 20, 20), dtype=np.uint8))
    points = open_source(RNG.normal(size=(60, 3)))
    for source in (DistributionSource(Gaussian()), DistributionSource(Grid()), images, points):
        better = suite_for(source, seed=0).better
        assert better == directions(*better)
    assert directions(*DIGIT_METRICS) == DIGIT_METRICS


def test_all_that_a_conditional_run_is_measured_by_is_described() -> None:
    x, y = RNG.normal(size=(800, 2)), ["a", "b"] * 400
    report = GAN(samples=32, batch_size=16, width=8, threads=1).fit(x, labels=y).evaluate()
    for metric in report.metrics:
        assert meaning(metric.name), metric.name
        assert metric_info(metric.name).better == metric.better, metric.name


def test_meanings_are_one_short_line_and_unknown_metrics_have_none() -> None:
    assert all(10 < len(known.meaning) <= 100 for known in METRICS.values())
    assert all("\n" not in known.meaning for known in METRICS.values())
    assert meaning("share of 7") == meaning("share of 3") != ""
    assert meaning("meanest") == meaning("of another version") == ""
    with pytest.raises(KeyError):
        metric_info("meanest")
