from __future__ import annotations

import numpy as np
import pytest

from equipoise.data.tables.markers import (
    MARKERS,
    far_values,
    is_marker,
    looks_like_sentinel,
    words_among,
    words_text,
)


def test_markers_are_known_whatever_their_case_and_blanks() -> None:
    for text in ("?", " NA ", "N/A", "n/a", "None", "NULL", "-", "", "  ", "#DIV/0!"):
        assert is_marker(text)
    for text in ("0", "-1", "private", "no", "yes", "nano", "x" * 10**6):
        assert not is_marker(text)
    assert all(marker == marker.strip().lower() for marker in MARKERS)


def test_few_words_among_numbers_are_values_of_their_own() -> None:
    cells = np.array(["1", "2", "?", ">90"], object)
    counts = np.array([50, 40, 500, 5])
    wrong = np.array([False, False, True, True])
    assert words_among(cells, counts, wrong) == {"?": 500, ">90": 5}
    assert words_among(cells, np.array([50, 40, 5, 90]), wrong) is None, "a third of the rows"
    assert words_among(cells, counts, np.ones(4, bool)) is None, "no number at all"
    assert words_among(np.array([1, True], object), counts[:2], np.array([False, True])) is None
    many = np.array([f"w{i}" for i in range(12)], object)
    assert words_among(many, np.array([1000] + [1] * 11), np.arange(12) > 0) is None, "11 words"


def test_words_are_listed_with_their_rows() -> None:
    assert words_text({"?": 1836, "NA": 1}) == "'?' in 1,836 rows, 'NA' in 1 row"
    assert words_text({str(i): 1 for i in range(9)}).endswith(", ...")
    assert words_text({}) == ""


def test_values_far_from_the_others() -> None:
    values = np.array([-999.0, *range(18, 60), 99_999.0])
    many = np.full(len(values), 9)
    assert far_values(values[:-1], many[:-1]) == [-999]
    assert far_values(values[1:], many[1:]) == [99_999]
    assert far_values(values[1:-1], many[1:-1]) == []
    assert far_values(values[1:], np.full(len(values) - 1, 4)) == [], "rare"
    assert far_values(np.array([0.0, 1, 2, 99]), np.full(4, 9)) == [], "few others"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-999, True), (99_999, True), (888, True), (-1, True), (0, False), (9, False), (40, False)],
)
def test_numbers_that_people_write_for_what_is_missing(value: float, expected: bool) -> None:
    assert looks_like_sentinel(value, np.array([1.0, 50])) is expected


def test_a_negative_number_among_negative_ones_is_none() -> None:
    assert not looks_like_sentinel(-7, np.array([-3.0, 50]))
