"""Numbers, durations and dates as people read them, in any encoding."""

from __future__ import annotations

import math

import pytest

from equipoise.metrics.result import MetricResult
from equipoise.report.formatting import interval
from equipoise.utils.formatting import about, clock, dated, for_terminal, now, number, spoken


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (8.0, "8"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.12345678, "0.1235"),
        (-0.5, "-0.5000"),
        (53.6606, "53.66"),
        (556.2151, "556.2"),
        (12345.678, "12,346"),
        (0.000012345, "1.23e-05"),
        (1.7e9, "1.7e+09"),
        (math.nan, "not a number"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
    ],
)
def test_numbers_are_as_long_as_they_need_be(value: float, expected: str) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.75, 1.25), "± 0.25"),
        ((-400.0, 561.0), "± 480"),
        ((None, None), ""),
        ((1.0, None), ""),
        ((1.0, 1.0), ""),
        ((math.nan, math.nan), ""),
        ((-math.inf, math.inf), ""),
    ],
)
def test_an_interval_is_half_a_width_and_left_out_where_it_is_not_known(
    ends: tuple[float | None, float | None], expected: str
) -> None:
    assert interval(MetricResult("x", 1.0, 1.0, "lower", "", *ends)) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.2, "less than a second"),
        (1.2, "1 second"),
        (99, "99 seconds"),
        (120, "2 minutes"),
        (5990, "1.7 hours"),
        (5500, "92 minutes"),
        (3 * 3600 + 1800, "3.5 hours"),
        (40 * 3600, "40 hours"),
        (86400 * 10, "10 days"),
    ],
)
def test_durations_are_rounded(seconds: float, expected: str) -> None:
    assert spoken(seconds) == expected
    assert about(seconds) == (expected if seconds < 0.5 else f"about {expected}")


@pytest.mark.parametrize(("seconds", "expected"), [(8.4, "8 s"), (187, "3:07"), (3729, "1:02:09")])
def test_a_line_that_is_renewed_has_a_short_time(seconds: float, expected: str) -> None:
    assert clock(seconds) == expected


def test_an_interval_that_does_not_contain_its_value_has_both_ends() -> None:
    assert interval(MetricResult("copied", 0.0, 0.0, "lower", "", 0.0, 0.34)) == "(0 to 0.3400)"
    assert interval(MetricResult("x", 1.0, 0.5, "lower", "", 0.91, 1.0)) == "(0.9100 to 1)"


def test_a_date_is_written_in_utc_and_in_english() -> None:
    assert dated("2026-11-28T01:10:31+02:00") == "27 November 2026, 23:10 UTC"
    assert dated(now()).endswith(" UTC")
    with pytest.raises(ValueError, match="yesterday"):
        dated("yesterday")


def test_signs_become_ascii_where_there_are_no_others() -> None:
    text = "↓ Fréchet 3 ± 1 ∞ 漢"
    assert for_terminal(text, "utf-8") == text
    assert for_terminal(text, "ascii") == "v Frechet 3 +- 1 inf \\u6f22"
    assert for_terminal("é ±", "cp1252") == "é ±"  # it has these two
