import numpy as np
import pytest

from equipoise.data.series.windows import Channel, Series
from equipoise.metrics.series.autocorrelation import autocorrelation_distances, autocorrelations
from equipoise.metrics.series.reference import SeriesReference

STEPS = 30
FORM = Series(STEPS, STEPS, (Channel("0"), Channel("1")))
EVERYWHERE = np.ones((20_000, STEPS), bool)


def ar(phi: tuple[float, float], n: int = 20_000, seed: int = 0) -> np.ndarray:
    """Stationary first-order autoregressions, (n, T, 2)."""
    x = np.random.default_rng(seed).normal(size=(n, STEPS, 2))
    rest = np.sqrt(1 - np.square(phi))
    for step in range(1, STEPS):
        x[:, step] = np.array(phi) * x[:, step - 1] + rest * x[:, step]
    return x


def test_of_an_autoregression_they_are_the_powers_of_its_coefficient() -> None:
    found = autocorrelations(100 + 7 * ar((0.8, -0.5)), EVERYWHERE, 8)
    lags = np.arange(1, 9)[:, None]
    np.testing.assert_allclose(found, np.array([0.8, -0.5]) ** lags, atol=0.01)


def test_of_one_window_they_are_numpys() -> None:
    x = np.random.default_rng(0).normal(size=(1, 50, 1)).cumsum(1)
    centred = x[0, :, 0] - x.mean()
    expected = [
        (centred[:-lag] * centred[lag:]).mean() / (centred**2).mean() for lag in range(1, 21)
    ]
    found = autocorrelations(x, np.ones((1, 50), bool), 20)[:, 0]
    np.testing.assert_allclose(found, expected)


def test_what_is_after_the_end_of_a_window_does_not_count() -> None:
    x, lengths = ar((0.8, -0.5)), np.random.default_rng(1).integers(15, STEPS + 1, 20_000)
    present = np.arange(STEPS) < lengths[:, None]
    spoiled = np.where(present[:, :, None], x, 1e3)
    found = autocorrelations(spoiled, present, 5)
    expected = np.array([0.8, -0.5]) ** np.arange(1, 6)[:, None]
    np.testing.assert_allclose(found, expected, atol=0.015)


def test_a_channel_that_never_varies_has_none_and_rare_lags_are_left_out() -> None:
    assert (autocorrelations(np.ones((5, 9, 1)), np.ones((5, 9), bool), 4) == 0).all()
    assert autocorrelations(np.ones((5, 1, 1)), np.ones((5, 1), bool), 4).shape == (0, 1)
    assert len(autocorrelations(np.ones((5, 20, 1)), np.ones((5, 20), bool), 40)) == 18


def reference(phi: tuple[float, float]) -> SeriesReference:
    return SeriesReference(ar(phi, 4_000).reshape(4_000, -1), FORM)


@pytest.mark.parametrize(
    ("phi", "expected"), [((0.8, -0.5), 0.0), ((0.4, -0.5), None), ((0.0, 0.0), None)]
)
def test_the_distance_is_the_mean_error_over_channels_and_lags(
    phi: tuple[float, float], expected: float | None
) -> None:
    real = reference((0.8, -0.5))
    rows = real.prepare(ar(phi, 4_000, seed=1).reshape(4_000, -1))
    found = autocorrelation_distances(real, rows)["autocorrelation_distance"]
    lags = np.arange(1, 28)[:, None]
    error = np.abs(np.array(phi) ** lags - np.array((0.8, -0.5)) ** lags).mean()
    assert found == pytest.approx(error if expected is None else expected, abs=0.02)


def test_clusters_of_large_swings_show_in_the_squares_alone() -> None:
    rng = np.random.default_rng(0)
    quiet = rng.normal(size=(4_000, STEPS, 2))
    swings = quiet * np.exp(rng.normal(size=(4_000, 1, 1)))
    real = SeriesReference((swings / swings.std()).reshape(4_000, -1), FORM)
    found = autocorrelation_distances(real, real.prepare(quiet.reshape(4_000, -1)))
    assert found["autocorrelation_distance"] < 0.03
    assert found["squared_autocorrelation_distance"] > 0.1
