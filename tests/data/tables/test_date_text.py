from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.date_text import (
    DATES,
    TIMES,
    DateText,
    date_text_of,
    find_date_text,
)
from equipoise.errors import RequestError

FORMATS = [
    *DATES, *(f"%Y-%m-%d{time}" for time in TIMES[1:]), "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M:%S",
]  # fmt: skip
STAMPS = pd.Timestamp("2021-03-01") + pd.to_timedelta(np.arange(300) * 77_777, unit="s")


@pytest.mark.parametrize("name", FORMATS)
def test_dates_are_read_and_written_as_pandas_does(name: str) -> None:
    texts = STAMPS.strftime(name).tolist()
    found = find_date_text(texts)
    assert found is not None
    expected = pd.to_datetime(pd.Series(texts), format=name).to_numpy()
    np.testing.assert_array_equal(found[0].parse(texts), expected)
    assert found[0].write(expected) == texts


@pytest.mark.parametrize(
    ("texts", "way"),
    [
        (["1/5/2024", "12/31/2024"], DateText("%m/%d/%Y", padded=False)),
        (["31.1.2024", "5.12.2024"], DateText("%d.%m.%Y", padded=False)),
        (["05JAN2024", "31DEC2024"], DateText("%d%b%Y", upper=True)),
        (["2024-01-05T10:00:00Z", "2024-01-06T11:00:00Z"], DateText("%Y-%m-%dT%H:%M:%S", "Z")),
        (["2024-01-05 10:00:00+02:00"], DateText("%Y-%m-%d %H:%M:%S", "+02:00")),
        (["2024-01-05 10:00:00.125"], DateText("%Y-%m-%d %H:%M:%S.%f", digits=3)),
    ],
)
def test_the_way_of_writing_is_found(texts: list[str], way: DateText) -> None:
    found = find_date_text(texts)
    assert found is not None
    assert found[0] == way
    assert way.write(way.parse(texts)) == texts


def test_one_date_shows_whether_the_day_or_the_month_is_first() -> None:
    american, german = ["01/02/2024", "01/31/2024"], ["01/02/2024", "31/01/2024"]
    for texts, name in ((american, "%m/%d/%Y"), (german, "%d/%m/%Y")):
        found = find_date_text(texts)
        assert found is not None
        assert (found[0].format, found[1]) == (name, "")
    both = find_date_text(["01/02/2024", "03/04/2024"])
    assert both is not None
    assert (both[0].format, both[1]) == ("%m/%d/%Y", "%d/%m/%Y")


def test_offsets_that_differ_become_that_of_the_most() -> None:
    texts = ["2024-01-05T10:00:00+01:00", "2024-07-05T10:00:00+02:00", "2024-07-06T10:00:00+02:00"]
    found = find_date_text(texts)
    assert found is not None
    dates = found[0].parse(texts)
    instants = pd.to_datetime(pd.Series(texts), utc=True).dt.tz_localize(None).to_numpy()
    np.testing.assert_array_equal(dates - np.timedelta64(2, "h"), instants)
    assert found[0].write(dates)[0] == "2024-01-05T11:00:00+02:00"


@pytest.mark.parametrize(
    "texts",
    [["a", "b"], ["1", "2"], ["13:30"], ["2024-13-01"], ["2024-01-32"], ["1.5"], [], [""],
     ["192.168.0.1"], ["2024"], ["12-34-56-78"], ["2024-01-31x"], ["May"]],
)  # fmt: skip
def test_other_texts_are_no_dates(texts: list[str]) -> None:
    found = find_date_text(texts)
    assert found is None or np.isnat(found[0].parse(texts)).all()


def test_a_text_that_is_no_date_is_none_among_dates() -> None:
    way = DateText("%Y%m%d")
    found = way.parse(["20240131", "2024013", "20241399", "?", "20240131Z", ""])
    assert np.isnat(found).tolist() == [False] + [True] * 5


@given(
    days=st.lists(st.integers(-90_000, 90_000), min_size=1, max_size=5),
    name=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%b %d, %Y", "%a, %d %b %Y"]),
    padded=st.booleans(),
)
def test_what_is_written_is_read_again(days: list[int], name: str, padded: bool) -> None:
    way = DateText(name, padded=padded)
    dates = np.array(days).view("M8[D]")
    np.testing.assert_array_equal(way.parse(way.write(dates)), dates)


@pytest.mark.parametrize(
    "asked", ["%Y-%d-%d", "", "%Q", "dd.mm.yyyy", "%1000Y", "{0}", "%Y{}", "%" * 200]
)
def test_a_format_that_is_none_is_refused(asked: str) -> None:
    with pytest.raises(RequestError, match="format = "):
        date_text_of(asked, ["2024-01-31"])
