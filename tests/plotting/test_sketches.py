"""Sketches hold what they should, in one place for one value whatever is drawn; the eye
does the rest."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from equipoise.data.distributions import Distribution, Gaussian, Ring, Swissroll
from equipoise.data.schema import Schema
from equipoise.plotting import plots, sketches
from equipoise.plotting.sketches import Frame, sketch

RNG = np.random.default_rng(0)


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def red(image: np.ndarray) -> np.ndarray:
    """Where generated samples are: the colour is far from grey."""
    return np.asarray(image[..., 0] - image[..., 2] > 30)


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
    shape: tuple[int, ...], distribution: Distribution | None, with_real: bool
) -> None:
    values, real = (
        RNG.normal(size=(200, *shape)),
        RNG.normal(size=(100, *shape)) if with_real else None,
    )
    image = opened(
        sketch(values, Schema(shape, "ND", "float64"), None, distribution, real, "title")
    )
    assert red(image).sum() > 100
    assert image.max() == 255


def test_images_are_the_grid() -> None:
    grey = np.full((4, 1, 5, 3), 128.0)
    assert (
        opened(sketch(grey, Schema((1, 5, 3), "NHW", "uint8"), (0, 255), None, None, "")) == 128
    ).all()


def test_a_frame_places_its_edges_at_its_corners() -> None:
    frame = Frame((10, 20, 110, 220), (-1.0, 0.0), (1.0, 4.0))
    x, y = frame.place(np.array([-1.0, 0.0, 1.0]), np.array([0.0, 2.0, 4.0]))
    assert x.tolist() == [10, 60, 110]
    assert y.tolist() == [220, 120, 20]


def test_axes_follow_the_real_samples_so_that_moments_can_be_compared() -> None:
    schema, real = Schema((2,), "ND", "float64"), RNG.normal(size=(500, 2))
    centres = []
    for at in (-1.0, 1.0):
        rows, columns = np.nonzero(
            red(opened(sketch(np.full((300, 2), at), schema, None, None, real, "")))[50:500, 70:500]
        )
        centres.append((columns.mean(), rows.mean()))
    (left, low), (right, high) = centres
    assert right > left + 50
    assert high < low - 50


@pytest.mark.parametrize(("high", "fills"), [(4e4, True), (5.0, False)])
def test_columns_of_other_units_fill_the_panel_and_those_of_one_stay_in_proportion(
    high: float, fills: bool
) -> None:
    values = RNG.uniform(0, (1.0, high), (300, 2))
    image = opened(sketch(values, Schema((2,), "ND", "float64"), None, None, values, ""))
    columns = np.nonzero(red(image[50 : sketches.TITLE + sketches.SIDE]).any(0))[0]
    assert (np.ptp(columns) > 0.6 * sketches.SIDE) == fills


def test_the_bars_of_a_uniform_distribution_fill_as_much_as_its_density() -> None:
    edges = np.linspace(0, 1, sketches.BARS + 1)
    assert plots.bars((np.arange(8000) + 0.5) / 4000, edges) == pytest.approx(
        np.full(sketches.BARS, 0.5)
    )


ULP = np.where(RNG.random((50, 2)) < 0.5, 1.7e15, np.nextafter(1.7e15, 2e15))


@pytest.mark.parametrize(
    "values",
    [
        np.full((50, 2), 3.0),
        np.full((50, 1), 0.0),
        np.full((50, 3), np.nan),
        ULP,
        RNG.normal(size=(1, 2)),
    ],
)
def test_samples_that_do_not_vary_or_are_no_numbers_are_drawn_too(values: np.ndarray) -> None:
    real = RNG.normal(size=(20, values.shape[1]))
    for beside in (None, real) if np.isfinite(values).all() else (real,):
        opened(
            sketch(values, Schema(values.shape[1:], "ND", "float64"), None, None, beside, "title")
        )


def test_the_number_of_points_outside_is_shown() -> None:
    frame = Frame((0, 0, 9, 9), (0.0, 0.0), (1.0, 1.0))
    assert (
        sketches._count(np.array([[0.5, 0.5], [2.0, 0.5]]), frame, "generated")
        == "2 generated, 50% of them outside"
    )
    assert sketches._count(np.array([[0.5, 0.5]]), frame, "generated") == "1 generated"


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 6, [0, 1, 2, 3, 4, 5, 6]),
        (-0.9, 8.7, [0, 2, 4, 6, 8]),
        (-1e5, 3e5, [-1e5, 0, 1e5, 2e5, 3e5]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert sketches._ticks(low, high) == ticks


@pytest.mark.parametrize("low", [0.0, 1e6, -1e6, 1.7e9, 0.001])
@pytest.mark.parametrize("reach", [1e-5, 5.0, 3e5])
def test_tick_labels_are_distinct_and_exact(low: float, reach: float) -> None:
    ticks = sketches._ticks(low, low + max(reach, 2e-6 * abs(low)))
    words = sketches._numbered(ticks)
    assert len(set(words)) == len(words)
    assert list(map(float, words)) == ticks


@pytest.mark.parametrize("size", [1, 2])
def test_axes_have_the_names_of_the_columns(size: int) -> None:
    values = RNG.normal(size=(50, size))
    images = []
    for names in (None, ("age", "income")[:size]):
        schema = Schema((size,), "ND", "float64", columns=names)
        images.append(opened(sketch(values, schema, None, None, None, "")))
    other = (images[0] != images[1]).any(2)
    assert other.any()
    rows, columns = np.nonzero(other)  # nothing but the names is another: below, and at the left
    assert ((rows > sketches.TITLE + 300) | (columns < sketches.NAME)).all()
