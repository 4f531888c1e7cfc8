"""Results have the registry's names, and directions that agree with it."""

from __future__ import annotations

import numpy as np

from equipoise import GAN
from equipoise.metrics.registry import catalogue
from equipoise.metrics.result import MetricResult

RNG = np.random.default_rng(0)


def test_every_metric_of_a_conditional_run_is_in_the_catalogue() -> None:
    x, y = RNG.normal(size=(800, 2)), ["a", "b/c"] * 400
    report = GAN(samples=32, batch_size=16, width=8, threads=1).fit(x, labels=y).evaluate()
    for result in report.metrics:
        assert result.meaning, result.key
        assert catalogue()[result.family].better == result.better, result.key
    labels = [result.label for result in report.metrics]
    assert "frequency of class b/c" in labels
    assert "Wasserstein-1 of column 1" in labels
    assert not any("{" in label for label in labels)
    details = [r.detail for r in report.metrics if r.family == "class_frequency"]
    assert details == ["a", "b/c"]
    assert not any(r.in_table for r in report.metrics if r.family == "class_frequency")


def test_a_metric_that_is_not_known_here_has_a_label_and_no_meaning() -> None:
    result = MetricResult("of_another_version/7", 1.0, 1.0, "lower", "n samples")
    assert result.label == "of another version 7"
    assert result.meaning == ""
    assert result.in_table
