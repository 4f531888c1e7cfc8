"""Whole processes measured from outside."""

from __future__ import annotations

import pytest

from benchmarks import processes


def test_the_peak_of_a_process_counts_what_it_held() -> None:
    held = 200 * 2**20
    least = processes.peak_of(["-c", "pass"])
    assert (
        held
        <= processes.peak_of(["-c", f"x = bytearray(b'1' * {held})"]) - least + 2**24
        < 3 * held
    )


def test_a_process_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="status 3"):
        processes.peak_of(["-c", "raise SystemExit(3)"])
