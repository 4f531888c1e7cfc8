"""Missing modes are found in samples that lack them, and never in real ones."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data.distributions import Grid
from equipoise.data.loading import seeded
from equipoise.diagnosis.missing import missing
from equipoise.metrics.modes import MODES_COVERED, REVERSE_KL, mode_coverage


@pytest.mark.parametrize("n", [2000, 2500])
@pytest.mark.parametrize("side", [5, 15, 20, 30])
def test_real_samples_of_many_modes_never_miss_some(side: int, n: int) -> None:
    distribution = Grid(side=side)
    draws = [
        mode_coverage(distribution.sample(n, seeded(seed)).numpy(), *distribution.modes())
        for seed in range(11)
    ]
    metrics = [
        {MODES_COVERED.at(side**2): float(draw.covered), REVERSE_KL.key: draw.reverse_kl}
        for draw in draws
    ]
    baselines = [
        metrics[0],
        {name: float(np.mean([found[name] for found in metrics[:3]])) for name in metrics[0]},
    ]
    assert [missing(found, baseline) for found in metrics[1:] for baseline in baselines] == [
        ""
    ] * 20


@pytest.mark.parametrize(
    ("modes", "baseline", "covered"),
    [(8, 8, 7), (25, 25, 24), (25, 24.7, 24), (400, 399.3, 380), (900, 843, 750)],
)
def test_modes_that_are_missed_by_more_than_chance_are_missing(
    modes: int, baseline: float, covered: float
) -> None:
    key = MODES_COVERED.at(modes)
    assert (
        missing({key: covered}, {key: baseline}) == f"{covered} of {baseline:.0f} modes are covered"
    )
