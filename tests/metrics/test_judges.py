"""Judges: the right figures for each kind of data, beside their floors."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data.laws import Gaussian, Grid, Swissroll
from equipoise.data.opening import open_source
from equipoise.data.sources import LawSource, Source
from equipoise.metrics.judges import Judge, judge_for

RNG = np.random.default_rng(0)


def figures_of_real(source: Source) -> tuple[Judge, dict[str, float]]:
    judge = judge_for(source, seed=0)
    return judge, judge(source.seen(judge.n, 0).double().numpy())


def test_a_law_on_the_line_is_judged_against_its_exact_distribution() -> None:
    judge, figures = figures_of_real(LawSource(Gaussian()))
    assert judge.n == 100_000
    assert list(figures) == ["Wasserstein-1", "Kolmogorov-Smirnov", "mean", "standard deviation"]
    assert figures["Wasserstein-1"] < 0.015
    assert figures["Kolmogorov-Smirnov"] < 0.006


def test_numbers_of_the_user_are_judged_against_those_held_out() -> None:
    judge, figures = figures_of_real(open_source(RNG.exponential(size=5000)))
    assert judge.n == 500
    assert figures["Wasserstein-1"] < 0.15


def test_known_modes_are_counted() -> None:
    _, figures = figures_of_real(LawSource(Grid()))
    assert figures["modes covered, of 25"] == 25
    assert figures["share within 3 sigma"] == pytest.approx(0.989, abs=0.01)
    assert figures["spread inside modes"] == pytest.approx(1, abs=0.05)


def test_points_without_known_modes_have_the_sliced_distance() -> None:
    _, figures = figures_of_real(LawSource(Swissroll()))
    assert list(figures) == ["sliced Wasserstein"]


def test_pictures_that_are_not_mnist_are_not_read_by_the_digit_classifier() -> None:
    _, figures = figures_of_real(open_source(RNG.integers(0, 255, (100, 28, 28), dtype=np.uint8)))
    assert list(figures) == ["sliced Wasserstein"]


@pytest.mark.usefixtures("mnist_home")
def test_real_digits_are_recognised_and_evenly_shared() -> None:
    source = open_source("mnist")
    judge = judge_for(source, seed=0, quick=True)
    figures = judge(source.seen(judge.n, 0).double().numpy())
    assert figures["Fréchet (digit features)"] < 0.2
    assert figures["recognised at 90%"] > 0.97
    assert figures["smallest class share"] > 0.07
    assert sum(value for name, value in figures.items() if name.startswith("share of ")) == pytest.approx(1)


def test_every_figure_comes_with_its_floor_and_its_protocol() -> None:
    source = LawSource(Gaussian())
    judge = judge_for(source, seed=0, quick=True)
    shifted = source.seen(judge.n, 1).numpy() + 1
    figures = judge.figures(shifted, source.seen(judge.n, 2).numpy())
    assert figures[0].value == pytest.approx(1, abs=0.1)
    assert figures[0].floor < 0.1
    assert figures[0].protocol == "2,000 samples against the exact law; floor: 2,000 real samples"
