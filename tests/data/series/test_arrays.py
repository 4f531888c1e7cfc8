import numpy as np
import pytest

from equipoise.data.series.arrays import channel_of, series_of
from equipoise.data.series.windows import Channel
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)


def test_each_channel_has_the_step_and_the_bounds_that_its_values_show() -> None:
    whole, cents = RNG.integers(3, 9, 500), RNG.integers(-500, 500, 500) / 100
    real, positive = RNG.normal(size=500), RNG.exponential(size=500)
    assert channel_of(whole, "w") == Channel("w", 1.0, 3.0, 8.0)
    found = channel_of(cents, "c")
    assert (found.step, found.low, found.high) == (0.01, cents.min(), cents.max())
    assert channel_of(real, "r") == Channel("r")
    assert channel_of(positive, "p") == Channel("p", None, positive.min(), None)
    assert channel_of(real.astype(np.float32), "f").step is None


def test_windows_of_differing_lengths_are_counted() -> None:
    windows = [RNG.normal(size=(length, 2)) for length in (5, 3, 5, 4)]
    rows, form = series_of(windows, "x", listed=True)
    assert (form.steps, form.shortest, form.length_counts) == (5, 3, (1, 1, 2))
    assert rows[:, 0].tolist() == [5, 3, 5, 4]


def test_windows_without_an_axis_of_channels_have_one_channel() -> None:
    rows, form = series_of([np.arange(3.0), np.arange(5.0)], "x", listed=True)
    assert (form.flat, len(form.channels), rows.shape) == (True, 1, (2, 6))


def test_blanks_are_refused_with_their_counts_and_the_first_place() -> None:
    windows = [RNG.normal(size=(4, 2)) for _ in range(3)]
    windows[1][2, 1] = windows[1][3, 0] = np.nan
    windows[2][0, 0] = np.inf
    with pytest.raises(RequestError) as error:
        series_of(windows, "x.npy", listed=False)
    assert str(error.value) == (
        "x.npy has 3 blank or infinite values in 2 of 3 windows, the first in window 1, step 2, "
        "channel 1: fill them first, as by interpolation, or drop the windows"
    )


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ([np.zeros((4, 2)), np.zeros((4, 3))], "window 1 has 3 channels, the first has 2"),
        ([np.zeros((4, 2)), np.zeros((0, 2))], r"window 1 has shape \(0, 2\)"),
        ([np.zeros((4, 2)), np.zeros(4)], r"window 1 has shape \(4,\)"),
    ],
)
def test_windows_that_do_not_fit_together_are_refused(
    windows: list[np.ndarray], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        series_of(windows, "the list", listed=True)


def test_windows_are_checked_against_a_known_form() -> None:
    _, form = series_of([RNG.normal(size=(n, 2)) for n in (4, 6, 5)], "x", listed=True)
    rows, same = series_of([RNG.normal(size=(5, 2))], "x", listed=True, known=form)
    assert (same, rows.shape) == (form, (1, form.size))
    for wrong in (np.zeros((7, 2)), np.zeros((3, 2)), np.zeros((5, 3))):
        with pytest.raises(RequestError, match="windows of 4 to 6 steps of 2 channels"):
            series_of([wrong], "x", listed=True, known=form)
