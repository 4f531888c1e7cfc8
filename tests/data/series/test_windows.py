import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.series.windows import Channel, Series
from equipoise.errors import RequestError

FORM = Series(
    4, 2, (Channel("0", 1.0, 0.0, 9.0), Channel("1")), listed=True, length_counts=(3, 0, 2)
)


@given(st.lists(st.integers(2, 4), min_size=1, max_size=9), st.integers(1, 3))
def test_windows_of_any_lengths_come_back_from_their_rows(lengths: list[int], count: int) -> None:
    rng = np.random.default_rng(sum(lengths))
    windows = [rng.normal(size=(length, count)) for length in lengths]
    form = Series(4, 2, tuple(Channel(str(i)) for i in range(count)), listed=True)
    rows = form.pack(windows)
    assert rows.shape == (len(windows), form.size)
    for window, found in zip(windows, form.unpack(rows), strict=True):
        np.testing.assert_array_equal(window, found)


def test_a_row_has_the_length_then_step_by_step_and_zeros_after_the_end() -> None:
    rows = FORM.pack([np.array([[1.0, 2.0], [3.0, 4.0]]), np.arange(8.0).reshape(4, 2)])
    assert rows.tolist() == [[2, 1, 2, 3, 4, 0, 0, 0, 0], [4, 0, 1, 2, 3, 4, 5, 6, 7]]
    assert FORM.present(rows).tolist() == [[True, True, False, False], [True] * 4]
    assert FORM.values(rows).shape == (2, 4, 2)


def test_windows_of_one_length_have_no_column_for_it() -> None:
    form = Series(3, 3, (Channel("0"),))
    assert (form.size, form.has_lengths) == (3, False)
    assert form.lengths(np.zeros((2, 3))).tolist() == [3, 3]


def test_the_form_is_told_in_words() -> None:
    assert FORM.described() == "windows of 2 to 4 steps of 2 channels"
    assert Series(24, 24, (Channel("0"),), flat=True).described() == "windows of 24 steps"


def test_lengths_are_counted_from_the_shortest_to_the_longest() -> None:
    assert Series.counts_of([4, 2, 2, 4, 2]) == FORM.length_counts
    assert Series.counts_of([7, 7]) == ()


def test_a_form_comes_back_from_json() -> None:
    assert Series.from_dict(json.loads(json.dumps(FORM.to_dict()))) == FORM


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 1},
        {"steps": 2**40},
        {"shortest": 0},
        {"shortest": True},
        {"channels": []},
        {"channels": [{"name": "0", "step": -1.0}, {"name": "1"}]},
        {"channels": [{"name": "0", "low": 2.0, "high": 1.0}, {"name": "1"}]},
        {"channels": [{"name": "0", "low": float("nan")}, {"name": "1"}]},
        {"channels": "ab"},
        {"listed": False},
        {"flat": True},
        {"length_counts": [3, 2]},
        {"length_counts": [3, 0, 0]},
        {"length_counts": [0, 3, 2]},
        {"length_counts": [3, -1, 2]},
        {"frame": {"order": []}},
        {"more": 1},
    ],
)
def test_a_form_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    stored = json.loads(json.dumps(FORM.to_dict()))
    with pytest.raises(RequestError):
        Series.from_dict({**stored, **wrong})
    with pytest.raises(RequestError):
        Series.from_dict(list(stored))


def test_a_form_of_one_length_has_no_counts() -> None:
    alone = replace(FORM, shortest=4, length_counts=())
    assert Series.from_dict(json.loads(json.dumps(alone.to_dict()))) == alone
