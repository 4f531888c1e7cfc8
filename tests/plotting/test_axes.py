"""Histograms are densities, limits leave outliers outside, names are shown as they
are."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

from equipoise.data.distributions import Gaussian
from equipoise.data.schema import Schema
from equipoise.plotting import axes as plotting

RNG = np.random.default_rng(0)


def test_the_bars_of_a_uniform_distribution_have_its_density() -> None:
    edges = np.linspace(0, 1, plotting.BINS + 1)
    density = plotting.density_of((np.arange(8000) + 0.5) / 4000, edges)  # half are outside
    assert density == pytest.approx(np.full(plotting.BINS, 0.5))


def test_no_value_within_the_edges_is_a_density_of_zero() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not plotting.density_of(np.array([9.0, np.nan]), np.linspace(-1, 1, 81)).any()


def test_limits_contain_nearly_all_samples_and_leave_an_outlier_outside() -> None:
    values = np.append(RNG.normal(size=2000), 1e5)[:, None]
    low, high = plotting.axis_limits(values)
    assert -6 < low[0] < -2
    assert 2 < high[0] < 6
    assert plotting.outside_note(values, low, high) == ""
    assert plotting.outside_note(values + 1e4, low, high) == "100% outside"
    half = np.array([[0.5, 0.5], [2.0, 0.5]])
    assert plotting.outside_note(half, np.zeros(2), np.ones(2)) == "50% outside"


@pytest.mark.parametrize(
    "column",
    [
        np.full(50, 1.7e15),
        np.full(50, 0.0),
        np.array([1.0, np.nextafter(1.0, 2.0)]),
        np.array([1.7e15, 1.7e15 + 1]),
    ],
)
def test_edges_of_bars_differ_however_little_a_column_varies(column: np.ndarray) -> None:
    low, high = plotting.axis_limits(column)
    assert (np.diff(plotting.bin_edges(low, high)) > 0).all()


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 6, [0, 1, 2, 3, 4, 5, 6]),
        (-0.9, 8.7, [0, 2, 4, 6, 8]),
        (-1e5, 3e5, [-1e5, 0, 1e5, 2e5, 3e5]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    found = plotting.round_ticks(7).tick_values(low, high)
    assert [tick for tick in found if low <= tick <= high] == ticks


def test_a_known_density_is_drawn_in_place_of_real_samples() -> None:
    labels = []
    for distribution in (Gaussian(), None):
        axes = Figure().subplots()
        values = RNG.normal(4, 1, 100)
        edges = np.linspace(0, 8, 81)
        plotting.compared_histograms(axes, values, values[:50], distribution, edges, "2% outside")
        labels.append(axes.get_legend_handles_labels()[1])
    assert labels == [
        ["100 generated, 2% outside", "true density"],
        ["100 generated, 2% outside", "50 real"],
    ]


@pytest.mark.parametrize(
    ("shape", "columns", "names"),
    [
        ((1,), None, ["value"]),
        ((1,), ("price",), ["price"]),
        ((2,), None, ["column 0", "column 1"]),
        ((2,), ("age", 7), ["age", "7"]),
    ],
)
def test_axes_have_the_names_of_the_columns(
    shape: tuple[int, ...], columns: tuple[str | int, ...] | None, names: list[str]
) -> None:
    assert plotting.axis_names(Schema(shape, "ND", "float64", columns=columns)) == names


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("$\\frac{$", "$\\frac{$"),
        ("two\nlines", "two\\nlines"),
        ("half \udcff", "half \\udcff"),
        ("x" * 300, "x" * plotting.MAX_TEXT_LENGTH + "..."),
    ],
)
def test_names_are_shown_as_they_are(name: str, shown: str) -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.set_xlabel(name)
    plotting.literal_text(figure)
    assert axes.get_xlabel() == shown
    assert not axes.xaxis.label.get_parse_math()
