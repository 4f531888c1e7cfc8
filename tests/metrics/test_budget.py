"""How much a report looks at, and what it says that it measures."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from equipoise.data.distributions import Ring
from equipoise.data.factory import open_source
from equipoise.data.sources import DistributionSource
from equipoise.metrics.budget import FULL, QUICK, STEPS
from equipoise.metrics.evaluate import evaluate_samples

RNG = np.random.default_rng(0)


def test_a_quick_report_looks_at_less_of_everything() -> None:
    full, quick = asdict(FULL), asdict(QUICK)
    assert all(quick[name] < full[name] for name in full)


def test_a_quick_report_has_the_metrics_of_a_full_one_on_fewer_samples() -> None:
    source, distribution = DistributionSource(Ring()), DistributionSource(Ring())

    def sampling(n: int) -> tuple[np.ndarray, None]:
        return distribution.seen(n, 99).double().numpy(), None

    steps: list[str] = []
    full = evaluate_samples(source, sampling, 0, None)
    quick = evaluate_samples(source, sampling, 0, None, QUICK, steps.append)
    assert [metric.key for metric in quick] == [metric.key for metric in full]
    assert quick[0].protocol.startswith("2,000 samples against 2,000 held-out samples")
    c2st = next(metric for metric in quick if metric.key == "c2st_accuracy")
    assert "tested on 4,000 others" in c2st.protocol
    assert steps == [
        "samples",
        "distances and coverage",
        "classifier two-sample test",
        "nearest training samples",
    ]


def test_steps_are_reported_in_their_order_with_labels_too() -> None:
    x, y = RNG.normal(size=(600, 2)), RNG.integers(0, 2, 600)
    source, steps = open_source(x, y), list[str]()
    evaluate_samples(
        source,
        lambda n: (RNG.normal(size=(n, 2)), RNG.integers(0, 2, n)),
        0,
        (0, 1),
        QUICK,
        steps.append,
    )
    assert steps == list(STEPS[:5])
