"""Images of samples show what they should; the eye does the rest."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from equipoise.data.distributions import Distribution, Gaussian, Ring, Swissroll
from equipoise.data.schema import Schema
from equipoise.plotting import plots

RNG = np.random.default_rng(0)
Drawn = Callable[..., Figure]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Drawn:
    """Draws samples and returns the figure, laid out."""
    figures: list[Figure] = []

    def keep(figure: Figure, dpi: int) -> bytes:
        figure.set_dpi(dpi)
        figure.draw_without_rendering()  # type: ignore[no-untyped-call]
        figures.append(figure)
        return b""

    def draw(
        values: np.ndarray,
        real: np.ndarray | None = None,
        distribution: Distribution | None = None,
        columns: tuple[str, ...] | None = None,
        title: str = "title",
        in_training: bool = False,
    ) -> Figure:
        schema = Schema(values.shape[1:], "ND", "float64", columns=columns)
        path = tmp_path / "x.png"
        plots.draw(path, values, schema, None, distribution, real, title, in_training=in_training)
        return figures[-1]

    monkeypatch.setattr(plots, "_png", keep)
    return draw


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
@pytest.mark.parametrize("in_training", [True, False])
def test_points_of_any_dimension_are_drawn(
    shape: tuple[int, ...],
    distribution: Distribution | None,
    with_real: bool,
    in_training: bool,
    tmp_path: Path,
) -> None:
    values, path = RNG.normal(size=(200, *shape)), tmp_path / "folder" / "x.png"
    real = RNG.normal(size=(100, *shape)) if with_real else None
    schema = Schema(shape, "ND", "float64")
    plots.draw(path, values, schema, None, distribution, real, "title", in_training=in_training)
    image = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert (image[..., 0] - image[..., 2] > 60).sum() > 100  # vermilion: the generated samples
    assert image.min() < 50
    assert image.max() == 255


def test_images_are_a_grid(tmp_path: Path) -> None:
    grey, schema = np.full((4, 1, 5, 3), 128.0), Schema((1, 5, 3), "NHW", "uint8")
    for in_training in (True, False):
        path = tmp_path / "x.png"
        plots.draw(path, grey, schema, (0, 255), None, None, "", in_training=in_training)
        assert (np.asarray(Image.open(path)) == 128).all()


def test_equal_samples_give_equal_bytes(tmp_path: Path) -> None:
    values, contents = RNG.normal(size=(50, 3)), set()
    for name in ("a.png", "b.png"):
        path = tmp_path / name
        schema = Schema((3,), "ND", "float64")
        plots.draw(path, values, schema, None, None, values[:20], "title", in_training=True)
        contents.add(path.read_bytes())
    assert len(contents) == 1


def test_axes_follow_the_real_samples_during_training_and_all_samples_otherwise(
    drawn: Drawn,
) -> None:
    real = RNG.normal(size=(500, 2))
    during = [drawn(real + shift, real, in_training=True).axes[0] for shift in (0, 100)]
    assert during[0].get_xlim() == during[1].get_xlim()
    assert during[0].get_ylim() == during[1].get_ylim()
    assert drawn(real + 100, real).axes[0].get_xlim()[1] > 100
    labels = [text.get_text() for text in during[1].figure.legends[0].get_texts()]
    assert labels == ["500 real", "500 generated, 100% outside"]


@pytest.mark.parametrize(("high", "aspect"), [(4e4, "auto"), (5.0, 1.0)])
def test_columns_of_other_units_fill_the_panel_and_those_of_one_stay_in_proportion(
    high: float, aspect: str | float, drawn: Drawn
) -> None:
    figure = drawn(RNG.uniform(0, (1.0, high), (300, 2)))
    axes = figure.axes[0]
    assert axes.get_aspect() == aspect
    width = axes.get_position().width
    assert (width > 0.6) == (aspect == "auto")


ULP = np.where(RNG.random((50, 2)) < 0.5, 1.7e15, np.nextafter(1.7e15, 2e15))


@pytest.mark.parametrize(
    "values",
    [
        np.full((50, 2), 3.0),
        np.full((50, 1), 0.0),
        np.full((50, 3), np.nan),
        np.full((50, 2), np.inf),
        RNG.normal(0, 1e300, (50, 2)),
        RNG.normal(0, 1e-30, (50, 3)),
        ULP,
        RNG.normal(size=(1, 2)),
    ],
)
def test_samples_that_do_not_vary_or_are_no_numbers_are_drawn_without_a_warning(
    values: np.ndarray, tmp_path: Path
) -> None:
    schema = Schema(values.shape[1:], "ND", "float64")
    real = RNG.normal(size=(20, values.shape[1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for beside in (None, real) if np.isfinite(values).all() else (real,):
            path = tmp_path / "x.png"
            plots.draw(path, values, schema, None, None, beside, "title", in_training=True)
            assert np.asarray(Image.open(path).convert("L")).min() < 100


TOLERANCE = 0.02  # inches
LONG = "a name of a column that is wide and long, WWWWWWWWWWW, $\\frac{$"


@pytest.mark.parametrize("in_training", [True, False])
@pytest.mark.parametrize("size", [1, 2, 6, 9])
@pytest.mark.parametrize("scale", [1.0, 30_000.0, 1e9])
def test_no_text_is_cut_off_and_no_numbers_of_an_axis_overlap(
    scale: float, size: int, in_training: bool, drawn: Drawn
) -> None:
    values = scale * RNG.normal(1, 1, (300, size))
    values[:50] *= 1e3
    columns, title = tuple(f"{i} {LONG}" for i in range(size)), "title " * 40
    figure = drawn(values, values[:100] / 2, None, columns, title, in_training)
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert -TOLERANCE <= box.x0 <= box.x1 <= width + TOLERANCE
    assert -TOLERANCE <= box.y0 <= box.y1 <= height + TOLERANCE
    for axes in figure.axes:
        low, high = axes.get_xlim()
        labels = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        boxes = [text.get_window_extent() for at, text in labels if low <= at <= high]
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize("scale", [1e-5, 5.0, 3e5])
@pytest.mark.parametrize("low", [0.0, 1e6, -1e6, 1.7e9, 0.001])
def test_ticks_differ(low: float, scale: float, drawn: Drawn) -> None:
    axes = drawn(low + scale * RNG.random((100, 1))).axes[0]
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert len(set(labels)) == len(labels) >= 3


def test_axes_have_the_names_of_the_columns(drawn: Drawn) -> None:
    axes = drawn(RNG.normal(size=(50, 2)), columns=("age", "income")).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("age", "income")
    panels = drawn(RNG.normal(size=(50, 4)), columns=("a", "b", "c", "d")).axes
    assert [axes.get_title() for axes in panels] == ["a", "b", "c", "d"]
    titles = drawn(RNG.normal(size=(50, 12))).get_suptitle()
    assert titles == "title; the first 9 of 12 columns"


def test_the_fewer_samples_are_drawn_over_the_more(
    monkeypatch: pytest.MonkeyPatch, drawn: Drawn
) -> None:
    labels: list[str] = []
    monkeypatch.setattr(plots, "scatter", lambda *given: labels.append(given[-1]))
    values = RNG.normal(size=(50, 2))
    for real in (values[:5], values):
        drawn(values, real)
    assert labels == ["50 generated", "5 real", "50 real", "50 generated"]


def test_drawing_neither_needs_pyplot_nor_is_matplotlib_imported_before() -> None:
    script = """
import sys, tempfile, pathlib
import numpy as np
from equipoise.plotting import plots
from equipoise.data.schema import Schema
assert "matplotlib" not in sys.modules
path = pathlib.Path(tempfile.mkdtemp()) / "x.png"
schema = Schema((2,), "ND", "float64")
plots.draw(path, np.eye(2), schema, None, None, None, "title")
assert path.is_file()
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
