import numpy as np
import pytest
from scipy import stats

from equipoise.data.series.arrays import series_of
from equipoise.metrics.series.marginals import channel_distances, length_distance, window_distance
from equipoise.metrics.series.reference import SeriesReference

RNG = np.random.default_rng(0)


def windows(n: int = 400, shift: float = 0.0, longest: int = 8) -> list[np.ndarray]:
    """Two channels of very different scales, and lengths from 4 to 8."""
    return [
        np.column_stack([RNG.normal(shift, 1, length), RNG.normal(1e4, 1e3, length)])
        for length in [4, 8, *RNG.integers(4, longest + 1, n - 2).tolist()]
    ]


REAL = windows()
ROWS, FORM = series_of(REAL, "x", listed=True)
REFERENCE = SeriesReference(ROWS, FORM)


def prepared(given: list[np.ndarray]) -> np.ndarray:
    return REFERENCE.prepare(FORM.pack(given))


def test_a_channels_distance_is_scipys_of_all_its_values_in_standard_deviations() -> None:
    made = windows(shift=0.5)
    found = channel_distances(REFERENCE, prepared(made))
    x, y = np.concatenate(made)[:, 0], np.concatenate(REAL)[:, 0]
    expected = stats.wasserstein_distance(x, y) / y.std()
    assert found["channel_wasserstein_1/0"] == pytest.approx(expected)
    assert found["worst_channel_wasserstein_1"] == max(
        found["channel_wasserstein_1/0"], found["channel_wasserstein_1/1"]
    )


def test_the_distance_of_lengths_is_in_steps() -> None:
    found = length_distance(REFERENCE, prepared(windows(longest=5)))["length_wasserstein_1"]
    assert found == pytest.approx(1.5, abs=0.3)
    same, form = series_of([RNG.normal(size=(4, 1))] * 9, "x", listed=True)
    assert length_distance(SeriesReference(same, form), same) == {}


def test_windows_that_differ_are_further_away_than_others_of_the_data() -> None:
    near = window_distance(REFERENCE, prepared(windows()))
    far = window_distance(REFERENCE, prepared(windows(shift=0.5)))
    short = window_distance(REFERENCE, prepared(windows(longest=5)))
    assert 1.3 * near < min(far, short)


def test_a_classifier_sees_the_changes_from_step_to_step() -> None:
    shown = REFERENCE.with_changes(ROWS)
    rows = REFERENCE.prepare(ROWS)
    values = REFERENCE.values(rows)
    assert shown.shape == (400, FORM.size + 7 * 2)
    first = shown[0, FORM.size :].reshape(7, 2)
    np.testing.assert_allclose(first[:3], np.diff(values[0, :4], axis=0))
    assert (first[3:] == 0).all()
