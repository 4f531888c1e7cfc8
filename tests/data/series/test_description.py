import numpy as np

from equipoise.data.series.arrays import series_of
from equipoise.data.series.description import described_channels


def test_channels_are_told_with_their_range_mean_and_spread_up_to_the_ends() -> None:
    windows = [np.array([[1, 10], [3, 20]]), np.array([[5, 30], [7, 40], [9, 50]])]
    rows, form = series_of(windows, "x", listed=True)
    first, second = described_channels(form, rows)
    assert first.name == "0"
    assert first.kind == "channel"
    assert first.seen == "whole, 1 to 9, mean 5, std 2.828"
    assert second.seen == "whole, 10 to 50, mean 30, std 14.14"
    assert second.examples == "10, 20, 30"
