import numpy as np
import pytest

from equipoise.data.series.windows import Channel, Series
from equipoise.metrics.series.cross_correlation import (
    cross_correlation_distance,
    cross_correlations,
)
from equipoise.metrics.series.reference import SeriesReference

FORM = Series(12, 12, (Channel("0"), Channel("1")))
PRESENT = np.ones((5_000, 12), bool)


def pair(r: float, lag: int = 0, n: int = 5_000, seed: int = 0) -> np.ndarray:
    """White noise, and as much later a channel that correlates with it by r."""
    rng = np.random.default_rng(seed)
    first, noise = rng.normal(size=(n, 12)), rng.normal(size=(n, 12))
    second = r * np.roll(first, lag, axis=1) + np.sqrt(1 - r**2) * noise
    return np.stack([10 * first + 3, second], 2)


def test_at_lag_0_they_are_numpys_correlations() -> None:
    x = pair(0.6)
    np.testing.assert_allclose(
        cross_correlations(x, PRESENT, (0,))[0], np.corrcoef(x.reshape(-1, 2).T), atol=1e-12
    )


def test_a_channel_that_follows_another_shows_at_its_lag() -> None:
    found = cross_correlations(pair(0.6, lag=2), PRESENT, (0, 1, 2, 99))
    assert found.shape == (3, 2, 2)
    np.testing.assert_allclose(found[:, 0, 1], [0, 0, 0.6], atol=0.02)


@pytest.mark.parametrize(("r", "expected"), [(0.6, 0.0), (0.0, 0.6 / 5)])
def test_the_distance_is_the_mean_error_over_pairs_and_lags(r: float, expected: float) -> None:
    real = SeriesReference(pair(0.6).reshape(5_000, -1), FORM)
    rows = real.prepare(pair(r, seed=1).reshape(5_000, -1))
    found = cross_correlation_distance(real, rows)
    assert found["cross_correlation_distance"] == pytest.approx(expected, abs=0.01)


def test_one_channel_has_no_other_to_correlate_with() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 12))
    real = SeriesReference(rows, Series(12, 12, (Channel("0"),)))
    assert cross_correlation_distance(real, real.prepare(rows)) == {}
