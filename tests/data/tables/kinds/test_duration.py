from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.tables.kinds.duration import DurationColumn
from equipoise.data.tables.recognition import recognise
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
N = 300
OTHER = RNG.normal(size=N)
SPANS = pd.Series(pd.to_timedelta(RNG.integers(60, 9_000, N), unit="min"))


def duration(cells: Any, **override: Any) -> DurationColumn:
    """The column of spans of time that these cells are."""
    table, _ = recognise(pd.DataFrame({"x": cells, "other": OTHER}), {"x": override})
    column = table.columns[0]
    assert isinstance(column, DurationColumn)
    return column


def test_the_raw_number_counts_minutes() -> None:
    column = duration(SPANS)
    assert column.unit_of_time == "m"
    np.testing.assert_array_equal(
        column.encode(SPANS, RNG)[:, 0], SPANS.dt.total_seconds().to_numpy() / 60
    )


def test_spans_are_whole_and_within_their_bounds() -> None:
    made = duration(SPANS).decode(np.array([[-1e300], [500.4], [1e300]]))
    assert made.tolist() == [SPANS.min(), pd.Timedelta(500, "min"), SPANS.max()]


def test_times_of_day_are_written_as_they_were() -> None:
    cells = pd.Series([f"{x // 60:02d}:{x % 60:02d}" for x in RNG.integers(0, 1440, N)])
    column = duration(cells)
    made = column.decode(RNG.uniform(-100, 2_000, (200, 1)))
    assert made.str.fullmatch(r"([01]\d|2[0-3]):[0-5]\d").all()


def test_markers_and_blanks_come_back() -> None:
    cells = SPANS.astype(str).mask(OTHER > 1, "?").mask(OTHER < -1)
    column = duration(cells)
    assert (column.markers, column.blank) == (("?",), True)
    pd.testing.assert_series_equal(
        column.decode(column.encode(cells, RNG)), cells, check_names=False
    )


def test_what_the_user_says_of_spans() -> None:
    column = duration(SPANS, minimum="0 s", maximum="10 days", spikes=["1 hour"])
    assert column.decode(np.array([[-9.0, 0], [1e9, 0], [500, 1]])).tolist() == [
        pd.Timedelta(0),
        pd.Timedelta(10, "D"),
        pd.Timedelta(1, "h"),
    ]
    with pytest.raises(RequestError, match="maximum = 'long': must be a span of time"):
        duration(SPANS, maximum="long")
    with pytest.raises(RequestError, match="is not of spans of time: it holds 'a', 'b'; text is"):
        duration(["a"] * (N - 1) + ["b"], kind="duration")
