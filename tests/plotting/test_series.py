import numpy as np
from matplotlib.figure import Figure

from equipoise.data.series.arrays import series_of
from equipoise.plotting.axes import GENERATED, REAL
from equipoise.plotting.series import (
    MAX_SHOWN,
    autocorrelation_panels,
    channels_note,
    window_panels,
)

RNG = np.random.default_rng(0)


def rows(channels: int, n: int = 40) -> tuple[np.ndarray, object]:
    lengths = [5, 12, *RNG.integers(5, 13, n - 2).tolist()]
    return series_of([RNG.normal(size=(k, channels)) for k in lengths], "x", listed=True)


def test_every_channel_has_a_row_with_real_and_generated_windows_on_the_same_axes() -> None:
    real, form = rows(2)
    figure = Figure()
    window_panels(figure, form, real[:20], real[20:])
    left, right, *_ = figure.axes
    assert len(figure.axes) == 4
    assert left.get_ylim() == right.get_ylim()
    assert {line.get_color() for line in left.lines} == {REAL}
    assert {line.get_color() for line in right.lines} == {GENERATED}
    assert [left.get_title(), right.get_title()] == ["6 real of 20", "6 generated of 20"]
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == ["channel 0", "channel 1"]


def test_a_line_ends_with_its_window() -> None:
    real, form = rows(1)
    figure = Figure()
    window_panels(figure, form, real, None)
    shown = [len(line.get_xdata()) for line in figure.axes[0].lines]
    assert shown == form.lengths(real)[: len(shown)].tolist()


def test_of_many_channels_the_first_are_drawn_and_the_title_says_so() -> None:
    real, form = rows(9)
    figure = Figure()
    window_panels(figure, form, real, real)
    assert len(figure.axes) == 2 * MAX_SHOWN
    assert channels_note(form) == "; the first 4 of 9 channels"


def test_both_lines_of_autocorrelations_begin_at_1_and_their_gap_is_returned() -> None:
    real, form = rows(2, 2000)
    smooth = real.copy()
    values = form.values(smooth)
    values[:, :, 1] = values[:, :, 1].cumsum(1)
    figure = Figure()
    gaps = autocorrelation_panels(figure, form, smooth, real)
    for axes in figure.axes:
        curves = [line for line in axes.lines if len(line.get_ydata()) > 2]
        assert [curve.get_ydata()[0] for curve in curves] == [1.0, 1.0]
    assert gaps[0] < 0.01
    assert gaps[1] > 0.3
