"""Intervals hold what they should as often as they say."""

from __future__ import annotations

import numpy as np

from equipoise.metrics.intervals import half_widths


def test_the_interval_of_a_mean_is_as_wide_as_students_and_holds_it_nearly_always() -> None:
    rng = np.random.default_rng(0)
    widths, hits = [], 0
    for trial in range(200):
        x = rng.normal(size=400)
        width = half_widths(lambda rows, x=x: {"mean": float(x[rows].mean())}, len(x), lambda _: 400, seed=trial)["mean"]
        widths.append(width)
        hits += abs(x.mean()) <= width
    assert 0.9 <= hits / 200 <= 1
    assert 2.0 / 20 < np.mean(widths) < 2.6 / 20  # 1.96 / sqrt(400), and more since the deviation is of eight subsamples


def test_a_figure_of_fewer_samples_has_the_interval_of_fewer_samples() -> None:
    rng = np.random.default_rng(0)
    for m in (40, 150, 300):
        widths = []
        for trial in range(150):
            x = rng.normal(size=400)
            widths.append(half_widths(lambda rows: {"mean": float(x[rows][:m].mean())}, 400, lambda _: m, seed=trial)["mean"])  # noqa: B023  # called at once
        assert 0.9 < np.sqrt(np.mean(np.square(widths))) / (2.365 / np.sqrt(m)) < 1.1  # Student's quantile of eight
