import numpy as np
import pytest

from equipoise.cli.series_files import arrays_of
from equipoise.data.series.windows import Channel, Series
from equipoise.errors import RequestError

FORM = Series(3, 1, (Channel("0"), Channel("1")), listed=True, length_counts=(1, 0, 1))
WINDOWS = [np.ones((1, 2), np.float32), np.full((3, 2), 2, np.float32)]


def test_windows_of_differing_lengths_are_padded_and_their_lengths_kept() -> None:
    found = arrays_of(WINDOWS, FORM, ".npz")
    assert found["lengths"].tolist() == [1, 3]
    assert found["x"].dtype == np.float32
    assert np.isnan(found["x"][0, 1:]).all()
    np.testing.assert_array_equal(found["x"][1], WINDOWS[1])
    whole = arrays_of([window.astype(int) for window in WINDOWS], FORM, ".npz")
    assert whole["x"][0].tolist() == [[1, 1], [0, 0], [0, 0]]


def test_one_array_cannot_hold_them() -> None:
    with pytest.raises(RequestError, match=r"give \.npz, \.csv or \.parquet"):
        arrays_of(WINDOWS, FORM, ".npy")
