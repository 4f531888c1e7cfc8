from __future__ import annotations

import pytest

from equipoise.diagnosis.timing import seconds_for


def test_more_samples_take_as_long_as_the_last_half_of_the_log_took() -> None:
    log = [
        {"samples_seen": 1000 * i, "seconds": 100.0 if i == 0 else 100 + 2.0 * i} for i in range(11)
    ]
    assert seconds_for(5000, log) == pytest.approx(10.0)
    assert seconds_for(0, log) == 0


def test_a_log_of_one_line_gives_the_rate_since_the_start_and_an_empty_one_none() -> None:
    assert seconds_for(300, [{"samples_seen": 100, "seconds": 2.0}]) == pytest.approx(6.0)
    assert seconds_for(300, []) is None
    assert seconds_for(300, [{"samples_seen": 0, "seconds": 0.0}]) is None
