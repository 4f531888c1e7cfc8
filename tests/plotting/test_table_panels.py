"""Panels of tables: the user's names and units, real rows beside generated ones, and
nothing on top of something else."""

from __future__ import annotations

import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from equipoise.data.schema import Schema
from equipoise.data.tables.recognition import recognise
from equipoise.plotting import plots
from equipoise.plotting.axes import literal_text
from equipoise.plotting.table_columns import drawn_columns
from equipoise.plotting.table_panels import (
    MAX_BARS,
    bin_edges,
    commonest,
    figure_size,
    fitting,
    own_bar,
    percent,
    table_panels,
)

RNG = np.random.default_rng(0)
N = 500


def panels(frame: pd.DataFrame, *, with_real: bool = True) -> Figure:
    """The frame's panels, laid out; its rows stand for both sides."""
    table, _ = recognise(frame)
    raw, columns = table.encode(frame, 0), drawn_columns(table)
    figure = Figure(figure_size(len(columns)), layout="constrained")
    table_panels(figure, columns, raw, raw if with_real else None)
    literal_text(figure)
    figure.draw_without_rendering()
    return figure


def ticks(axes: Axes, side: str) -> list[str]:
    labels = axes.get_yticklabels() if side == "y" else axes.get_xticklabels()
    return [label.get_text() for label in labels]


def test_bars_of_categories_have_their_names_the_commonest_on_top() -> None:
    cells = ["rare"] * 50 + ["common"] * 300 + ["between"] * 150
    figure = panels(pd.DataFrame({"plan": cells}))
    (axes,) = figure.axes
    assert axes.get_title() == "plan"
    assert ticks(axes, "y") == ["common", "between", "rare"]
    widths = [bar.get_width() for bar in axes.patches]  # type: ignore[attr-defined]
    assert widths == pytest.approx([0.6, 0.3, 0.1] * 2)
    assert axes.yaxis_inverted()


def test_rare_categories_are_one_bar_that_says_how_many_they_are() -> None:
    shares = [np.arange(20, 0, -1) / 210] * 2
    names, parts = commonest([f"c{i}" for i in range(20)], shares)
    assert names == [*(f"c{i}" for i in range(MAX_BARS)), "12 others"]
    assert all(part.sum() == pytest.approx(1) for part in parts)


def test_ordered_categories_keep_their_order() -> None:
    shares = [np.array([0.1, 0.6, 0.3])]
    assert commonest(["low", "mid", "high"], shares, ordered=True)[0] == ["low", "mid", "high"]
    assert commonest(["low", "mid", "high"], shares)[0] == ["mid", "high", "low"]


def test_dates_are_dates_on_the_axis() -> None:
    dates = pd.Timestamp("2019-01-01") + pd.to_timedelta(RNG.integers(0, 1500, N), "D")
    (axes,) = panels(pd.DataFrame({"signed up": dates})).axes
    assert "2020" in ticks(axes, "x")


def test_blanks_are_a_bar_of_their_own_with_their_share() -> None:
    numbers = RNG.normal(size=N)
    numbers[:100] = np.nan
    number, blanks = panels(pd.DataFrame({"x": numbers})).axes
    assert ticks(blanks, "x") == ["blank"]
    assert [text.get_text() for text in blanks.texts] == ["20%"]
    assert [bar.get_height() for bar in blanks.patches] == pytest.approx([0.2, 0.2])  # type: ignore[attr-defined]
    assert number.get_title() == "x"


def test_a_number_that_most_rows_have_is_a_bar_beside_the_others() -> None:
    gains = np.where(RNG.random(N) < 0.8, 0.0, RNG.normal(5000, 1000, N))
    assert own_bar(gains) == 0
    assert own_bar(RNG.normal(size=N)) is None
    assert own_bar(np.array([0, 0, 0, 1, 2])) is None  # nothing varies beside it
    assert own_bar(np.array([])) is None


@given(
    st.integers(-1000, 1000),
    st.integers(1, 400),
    st.sampled_from([1.0, 0.1, 5.0]),
)
def test_every_bin_of_numbers_in_steps_holds_as_many_steps(low: int, n: int, step: float) -> None:
    values = (low + np.arange(n)) * step
    edges = bin_edges(np.repeat(values, 20), step, logarithmic=False)
    counts = np.histogram(values, edges)[0]
    inner = counts[:-1] if len(counts) > 1 else counts
    assert len(set(inner)) == 1
    assert all(right > left for left, right in pairwise(edges))


@given(st.lists(st.floats(-1e300, 1e300), min_size=0, max_size=30))
def test_edges_of_any_numbers_rise(numbers: list[float]) -> None:
    with np.errstate(over="ignore"):
        edges = bin_edges(np.array(numbers), None, logarithmic=False)
    assert (np.diff(edges) > 0).all()


def test_titles_fit_their_panels() -> None:
    names = ["W" * 60, "i" * 200, "$\\frac{", "<script>", "日本語" * 20, "\u202eevil\n"]
    frame = pd.DataFrame(RNG.normal(size=(N, len(names))), columns=names)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(fitting(name) for name in names)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        figure = panels(frame)
    row = [axes.title.get_window_extent() for axes in figure.axes[:3]]
    assert all(left.x1 < right.x0 for left, right in pairwise(row))


def test_hostile_cells_are_shown_as_they_are_and_clipped() -> None:
    cells = RNG.choice(["<b>&", "$x_1$", "a" * 300, "\u202ee\n"], N)
    (axes,) = panels(pd.DataFrame({"x": cells})).axes
    assert set(ticks(axes, "y")) == {"<b>&", "$x_1$", "a" * 12 + "...", "\\u202ee"}


def test_without_real_rows_the_generated_ones_stand_alone() -> None:
    frame = pd.DataFrame({"a": RNG.choice(["x", "y"], N), "b": RNG.normal(size=N)})
    figure = panels(frame, with_real=False)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [f"{N:,} generated"]


def test_a_share_is_a_percentage_and_a_small_one_has_a_decimal() -> None:
    assert [percent(share) for share in (0, 0.004, 0.31, 1)] == ["0%", "0.4%", "31%", "100%"]


@pytest.mark.parametrize("in_training", [True, False])
def test_an_image_of_a_table_has_a_panel_for_each_column_and_says_where_it_has_fewer(
    in_training: bool, tmp_path: Path
) -> None:
    frame = pd.DataFrame({f"c{i}": RNG.choice(["x", "y"], N) for i in range(20)})
    table, _ = recognise(frame)
    raw = table.encode(frame, 0)
    schema = Schema((20,), "ND", "float64", "frame", columns=tuple(map(str, frame)), table=table)
    path = tmp_path / "x.png"
    plots.draw(path, raw, schema, None, None, raw, "title", in_training=in_training)
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert (pixels[..., 0] - pixels[..., 2] > 60).sum() > 1000  # vermilion: the generated rows
    assert pixels.min() < 50  # the outline of the real ones


def test_rows_that_are_not_finite_are_left_out() -> None:
    frame = pd.DataFrame({"a": RNG.choice(["x", "y"], N), "b": RNG.normal(size=N)})
    table, _ = recognise(frame)
    raw = table.encode(frame, 0)
    for generated, left in (
        (np.full_like(raw, np.nan), 0),
        (np.vstack([raw, np.full_like(raw, np.inf)]), N),
    ):
        figure = Figure(figure_size(2), layout="constrained")
        table_panels(figure, drawn_columns(table), generated, raw)
        (legend,) = figure.legends
        assert legend.get_texts()[0].get_text() == f"{left:,} generated"
