"""The verdict says what the figures say, and never "balanced" of a figure far from its floor."""

from __future__ import annotations

import pytest

from equipoise.metrics.judges import Figure
from equipoise.verdict import judge


def figure(name: str, value: float, floor: float) -> Figure:
    return Figure(name, value, floor, "lower", "n samples")


@pytest.mark.parametrize(("value", "name"), [(0.005, "balanced"), (0.014, "balanced"), (0.03, "close"), (0.06, "off"), (5.0, "off")])
def test_the_name_follows_the_headline_over_its_floor(value: float, name: str) -> None:
    assert judge([figure("Wasserstein-1", value, 0.005)], "balanced", "balanced", 1000).name == name


def test_the_sentence_gives_the_figure_and_its_floor() -> None:
    said = judge([figure("Wasserstein-1", 0.03, 0.005)], "balanced", "balanced", 1000).sentence
    assert "Wasserstein-1 is 0.03, 6.0 times what as many real samples get (0.005)" in said


def test_missing_modes_come_before_a_small_distance() -> None:
    figures = [figure("sliced Wasserstein", 0.001, 0.001), figure("modes covered, of 8", 7, 8)]
    verdict = judge(figures, "classic", "balanced", 1000)
    assert verdict.name == "mode collapse"
    assert "7 of 8 modes" in verdict.sentence
    assert "balanced" in verdict.advice


def test_missing_digits_are_named() -> None:
    shares = [figure(f"share of {digit}", 0.0 if digit in (3, 7) else 0.125, 0.1) for digit in range(10)]
    verdict = judge([figure("Fréchet (digit features)", 1.0, 1.0), *shares], "balanced", "balanced", 1000)
    assert verdict.name == "mode collapse"
    assert "hardly any 3, 7 among the digits" in verdict.sentence


def test_a_result_that_can_be_told_is_given_something_to_do() -> None:
    assert "balanced" in judge([figure("W", 1, 0.001)], "classic", "balanced", 1000).advice
    assert "train longer" in judge([figure("W", 1, 0.001)], "balanced", "balanced", 1000).advice


def test_a_handful_of_held_out_samples_gets_no_praise() -> None:
    assert judge([figure("W", 1.0, 1.0)], "balanced", "balanced", 6).name == "too little data"


def test_modes_that_are_too_narrow_are_not_called_balanced() -> None:
    figures = [figure("sliced Wasserstein", 0.01, 0.01), figure("modes covered, of 8", 8, 8), figure("spread inside modes", 0.46, 0.99)]
    verdict = judge(figures, "balanced", "balanced", 1000)
    assert verdict.name == "close"
    assert "too narrow inside the modes (spread 0.46, real ones 0.99)" in verdict.sentence
