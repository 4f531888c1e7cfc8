"""The live display."""

from __future__ import annotations

import pytest

from equipoise.progress import Display, duration, lines
from equipoise.training.loop import Report

READINGS = {"discriminator_loss": 0.69314, "generator_loss": 12.5, "real_output": 0.51, "fake_output": -0.49}


def test_a_report_fits_beside_the_bar_in_eighty_columns() -> None:
    first, second = lines(Report(1_234_567, 600.0, 0.5, 98_765.4, 7265.0, READINGS)).splitlines()
    assert first == "1,234,567 samples, 98,765/s, 2:01:05 left"
    assert second == "loss D 0.693 G 12.500, D(real) +0.51 D(fake) -0.49"
    assert max(len(first), len(second)) <= 80 - 16 - len(" 100% ")


@pytest.mark.parametrize(("seconds", "told"), [(8.4, "8 s"), (187, "3:07"), (3729, "1:02:09")])
def test_durations_are_told_as_people_do(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_nothing_is_shown_where_output_is_not_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as display:
        display.show(Report(1, 1.0, 0.5, 1.0, 1.0, READINGS))
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
