"""Mode coverage on the ring and on samples with planted faults."""

from __future__ import annotations

import math

import numpy as np
import pytest

from equipoise.data.distributions import Ring
from equipoise.data.loading import seeded
from equipoise.metrics.modes import mode_coverage

RNG = np.random.default_rng(0)


def test_real_samples_of_the_ring_cover_every_mode_with_the_right_spread() -> None:
    distribution = Ring()
    coverage = mode_coverage(distribution.sample(100_000, seeded(0)).numpy(), *distribution.modes())
    assert coverage.covered == 8
    assert coverage.within == pytest.approx(1 - math.exp(-4.5), abs=1e-3)
    assert coverage.reverse_kl < 1e-3
    assert coverage.spread == pytest.approx(1, abs=0.01)


def test_a_collapsed_sampler_has_one_mode_and_the_divergence_of_it() -> None:
    distribution = Ring()
    centres, std = distribution.modes()
    coverage = mode_coverage(np.repeat(centres[:1], 100, 0), centres, std)
    assert (coverage.covered, coverage.within, coverage.spread) == (1, 1.0, 0.0)
    assert coverage.reverse_kl == pytest.approx(math.log(8))


def test_modes_that_are_too_narrow_show_in_the_spread() -> None:
    distribution = Ring()
    centres, std = distribution.modes()
    narrow = Ring(std=std / 2).sample(50_000, seeded(1)).numpy()
    assert mode_coverage(narrow, centres, std).spread == pytest.approx(0.5, abs=0.02)


def test_samples_between_the_modes_are_off_them() -> None:
    centres, std = Ring().modes()
    assert mode_coverage(np.zeros((10, 2)), centres, std).within == 0
