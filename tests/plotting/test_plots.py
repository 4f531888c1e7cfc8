"""Images hold what they should; the eye does the rest."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from equipoise.data.distributions import Gaussian, Ring, Swissroll
from equipoise.data.schema import Schema
from equipoise.plotting import plots

RNG = np.random.default_rng(0)


def test_a_grid_shows_every_image_in_its_place() -> None:
    values = np.arange(5.0)[:, None, None, None] * np.ones((5, 1, 4, 6)) * 50
    image = np.asarray(Image.open(io.BytesIO(plots.image_grid(values, (0, 255)))))
    factor = image.shape[1] // 18
    assert image.shape == (8 * factor, 18 * factor)
    cells = image[:: 4 * factor, :: 6 * factor]
    assert cells.tolist() == [[0, 50, 100], [150, 200, 255]]  # white where there is no image


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGB")])
def test_a_grid_takes_grey_colour_and_transparency(channels: int, mode: str) -> None:
    values = RNG.uniform(0, 1, (4, channels, 5, 3))
    assert Image.open(io.BytesIO(plots.image_grid(values, (0.0, 1.0)))).mode == mode


def test_bars_are_densities_also_where_no_value_lies_within_the_edges() -> None:
    edges = np.linspace(-1, 1, 81)
    for values in (RNG.uniform(-1, 1, 500), RNG.normal(size=500), np.array([9.0])):
        heights = np.histogram(values, edges, weights=plots.bar_weights(values, edges.tolist()))[0]
        np.testing.assert_allclose(heights, plots.bars(values, edges))


def test_full_transparency_shows_as_white() -> None:
    image = Image.open(io.BytesIO(plots.image_grid(np.zeros((1, 4, 2, 2)), (0, 255))))
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_columns_that_hardly_vary_or_not_at_all_are_drawn(tmp_path: Path) -> None:
    values = np.stack(
        [np.full(200, 1.7e9), 1.7e9 + RNG.uniform(0, 1e-6, 200), RNG.normal(0, 1e-30, 200)], 1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.draw(
            tmp_path / "x.png", values, Schema((3,), "ND", "float64"), None, None, None, "title"
        )
    assert np.asarray(Image.open(tmp_path / "x.png").convert("L")).min() < 100


def across(image: np.ndarray) -> float:
    """How much of the image's width generated samples cover."""
    columns = np.nonzero((image[..., 0].astype(int) - image[..., 2] > 30).any(0))[0]
    return float(np.ptp(columns)) / image.shape[1]


def test_columns_of_other_units_fill_the_panel_and_those_of_one_stay_in_proportion(
    tmp_path: Path,
) -> None:
    covered = []
    for wide, high in ((60.0, 4e4), (1.0, 5.0)):
        values = RNG.uniform(0, (wide, high), (300, 2))
        plots.draw(
            tmp_path / "x.png",
            values,
            Schema((2,), "ND", "float64"),
            None,
            None,
            values[:30],
            "title",
        )
        covered.append(
            across(np.asarray(Image.open(tmp_path / "x.png").convert("RGB"))[:580])
        )  # without the legend
    assert covered[0] > 0.7
    assert covered[1] < 0.4


def test_axes_reach_over_nearly_all_samples_and_leave_an_outlier_outside() -> None:
    values = np.append(RNG.normal(size=2000), 1e5)[:, None]
    low, high = plots.reach(values)
    assert -6 < low[0] < -2
    assert 2 < high[0] < 6
    assert plots.outside(values, low, high) == ""
    assert plots.outside(values + 1e4, low, high) == ", 100% of them outside"


def test_bars_are_distinct_however_little_a_column_varies() -> None:
    for column in (
        np.full(50, 1.7e15),
        np.full(50, 0.0),
        np.array([1.0, np.nextafter(1.0, 2.0)]),
        np.array([1.7e15, 1.7e15 + 1]),
    ):
        edges = np.linspace(*plots.reach(column), 81)
        assert (np.diff(edges) > 0).all()


@pytest.mark.parametrize(
    ("shape", "distribution"),
    [
        ((1,), Gaussian()),
        ((1,), None),
        ((2,), Ring()),
        ((2,), Swissroll()),
        ((2,), None),
        ((5,), None),
        ((30,), None),
    ],
)
@pytest.mark.parametrize("with_real", [True, False])
def test_points_of_any_dimension_are_drawn(
    shape: tuple[int, ...], distribution: Gaussian | None, with_real: bool, tmp_path: Path
) -> None:
    values = RNG.normal(size=(200, *shape))
    real = RNG.normal(size=(100, *shape)) if with_real else None
    plots.draw(
        tmp_path / "folder" / "x.png",
        values,
        Schema(shape, "ND", "float64"),
        None,
        distribution,
        real,
        "title",
    )
    image = np.asarray(Image.open(tmp_path / "folder" / "x.png").convert("L"))
    assert image.min() < 100
    assert image.max() > 250


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
    shape: tuple[int, ...],
    columns: tuple[str | int, ...] | None,
    names: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(plots, "_write", lambda figure, _: figures.append(figure))
    schema = Schema(shape, "ND", "float64", columns=columns)
    plots.draw(tmp_path / "x.png", RNG.normal(size=(50, *shape)), schema, None, None, None, "title")
    axes = figures[0].axes[0]
    assert [axes.get_xlabel(), axes.get_ylabel()][: len(names)] == names


def test_the_fewer_samples_are_drawn_over_the_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(plots, "_dots", lambda *given: drawn.append(given[-1]))
    monkeypatch.setattr(plots, "legend_below", lambda *_: None)
    values, schema = RNG.normal(size=(50, 2)), Schema((2,), "ND", "float64")
    for real in (values[:5], values):
        plots.draw(tmp_path / "x.png", values, schema, None, None, real, "title")
    assert drawn == ["generated", "real", "real", "generated"]
