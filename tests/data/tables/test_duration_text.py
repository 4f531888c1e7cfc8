from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.duration_text import DurationText, find_duration_text


@pytest.mark.parametrize(
    "texts",
    [["07:30", "23:59"], ["7:30", "123:59"], ["07:30:15"], ["7:30:15.250"], ["-1:00"],
     ["1 days 07:30:15", "-2 days +01:00:00"], ["0 days 00:00:00.000250"]],
)  # fmt: skip
def test_spans_are_read_as_pandas_does_and_written_alike(texts: list[str]) -> None:
    way = find_duration_text(texts)
    assert way is not None
    full = [text if text.count(":") == 2 else f"{text}:00" for text in texts]
    expected = pd.to_timedelta(full).to_numpy()
    np.testing.assert_array_equal(way.parse(texts), expected)
    assert way.write(expected) == texts


def test_spans_as_pandas_prints_them_come_back() -> None:
    spans = pd.Series(pd.to_timedelta(np.arange(-500, 500) * 7_777, unit="s"))
    texts = spans.astype(str).tolist()
    way = find_duration_text(texts)
    assert way is not None
    np.testing.assert_array_equal(way.parse(texts), spans.to_numpy())
    assert pd.to_timedelta(way.write(spans.to_numpy())).tolist() == spans.tolist()


@pytest.mark.parametrize(
    "texts", [["a"], ["1"], ["7:60"], ["1:2:3"], ["2024-01-31 07:30"], [], [""]]
)
def test_other_texts_are_no_spans(texts: list[str]) -> None:
    assert find_duration_text(texts) is None


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=5),
    st.sampled_from(["h:m:s", "days"]),
    st.booleans(),
)
def test_what_is_written_is_read_again(seconds: list[int], form: str, padded: bool) -> None:
    way = DurationText(form, padded)  # type: ignore[arg-type]
    spans = np.array(seconds).view("m8[s]")
    np.testing.assert_array_equal(way.parse(way.write(spans)), spans)
