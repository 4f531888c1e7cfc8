"""Outliers so extreme that the other values, of their column or of images, cannot be
told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.limits import CONVENTIONS, MIN_SPREAD
from equipoise.data.schema import Schema
from equipoise.errors import clipped

MAX_DISTANCE = 100.0  # interquartile ranges
QUARTILE_ROWS = 50_000  # rows that quartiles are computed from
MAX_SHOWN = 3  # rows of a column, and columns, in the notes
# Of images: the quantiles between which most values are; how many times as far others
# are that are extreme.
MOST, FAR = (0.02, 0.98), 3.0
QUANTILE_IMAGES, QUANTILE_VALUES = 256, 2**20  # that these are computed from


def notes_of_outliers(points: NDArray[Any], columns: Sequence[str | int] | None) -> list[str]:
    """Notes on extreme rows of points, (N, D): a line for each column that has any,
    with how many, the first ones, and what to do.

    Networks see points divided by their standard deviation. A column has a note if the
    root mean square distance from its median is over 100 interquartile ranges: then the
    middle half of its rows lies within a hundredth of that scale. The rows named are
    those farther than 100 interquartile ranges from the median.

    Heavy tails that can be learned stay far below 100: for 20,000 draws, a lognormal
    distribution with sigma 1 gives 1.7, Student's t with 3 degrees of freedom 1.4, a
    mixture of scales 1 and 30 gives 5.7. The Cauchy distribution, where the rest is
    lost too, has a note in 2% of tables of 300 rows and in 40% of 20,000. Where half of
    a column is one value, its quartiles are those of the other values.

    Args:
        points: (N, D), raw.
        columns: Their names, if they have any.
    """
    found = [(number, rows) for number, x in enumerate(points.T) if len(rows := _extreme(x))]
    notes = []
    for number, rows in found[:MAX_SHOWN]:
        named = number if columns is None else columns[number]
        alone = points.shape[1] == 1 and columns is None
        where = "" if alone else f" of column {clipped(repr(named))}"
        first = ", ".join(f"row {row} ({points[row, number]:.6g})" for row in rows[:MAX_SHOWN])
        more = ", ..." if len(rows) > MAX_SHOWN else ""
        notes.append(
            f"{len(rows):,} of {len(points):,} rows{where} are extreme outliers: {first}{more}; "
            "a network cannot tell the other rows apart at that scale: correct or remove these "
            "rows, or take the logarithm if they are right"
        )
    if len(found) > MAX_SHOWN:
        notes.append(f"{len(found) - MAX_SHOWN:,} more columns have extreme outliers")
    return notes


def _extreme(x: NDArray[Any]) -> NDArray[np.int64]:
    """The numbers of the extreme rows of a column, (N,)."""
    x = x.astype(np.float64)
    largest = float(max(abs(float(x.max())), abs(float(x.min()))))
    if largest == 0:
        return np.empty(0, np.int64)
    some = (
        x[:: max(len(x) // QUARTILE_ROWS, 1)] / largest
    )  # so that squares stay within what floats hold
    low, median, high = np.quantile(some, (0.25, 0.5, 0.75))
    if low == high and len(rest := some[some != median]):
        low, high = np.quantile(rest, (0.25, 0.75))
    distances = np.abs(x / largest - median)
    if not 0 < MAX_DISTANCE * (high - low) < np.sqrt(np.square(distances).mean()):
        return np.empty(0, np.int64)
    return np.flatnonzero(distances > MAX_DISTANCE * (high - low))


def notes_of_extreme_values(
    images: NDArray[Any],
    schema: Schema,
    limits: tuple[float, float],
    name_of: Callable[[int], str] | None = None,
) -> list[str]:
    """A note on images, (n, C, H, W), of which a few values are so extreme that the
    rest is nearly one grey: how many images have any, the first one, and what to do.
    None where there are none, and for images of 8 bit.

    Black and white are the ends of the range. So the note is given where 96% of the
    values take less than a tenth of it, and others are farther from these than three
    times their spread. Where half of the values are one, as the ground of drawings is,
    the quantiles are those of the others.

    Args:
        images: All of them, or some.
        schema: Theirs. Transparency is not looked at.
        limits: Black and white.
        name_of: The name of an image by its number; None where `images` are some that
            cannot be named.
    """
    unit = max(abs(limits[0]), abs(limits[1]))
    if schema.dtype == "uint8" or unit == 0:
        return []
    images = images[:, :-1] if schema.alpha else images
    low, high = _most(images, unit)
    spread = high - low
    if not 0 < spread < MIN_SPREAD * (limits[1] / unit - limits[0] / unit):
        return []
    found: list[tuple[int, float]] = []  # images, and an extreme value of each
    least, greatest = low, high  # of all values that are not extreme
    for number, image in enumerate(images):
        x = image.astype(np.float64) / unit
        extreme = (x < low - FAR * spread) | (x > high + FAR * spread)
        if extreme.any():
            found.append((number, float(x[extreme][0] * unit)))
        if not extreme.all():
            least, greatest = min(least, x[~extreme].min()), max(greatest, x[~extreme].max())
    if found:
        named = "" if name_of is None else f" in {clipped(name_of(found[0][0]))}"
        which = f"{len(found):,} of {len(images):,} images have extreme values, the first "
        which += f"{found[0][1]:.6g}{named}"
    elif name_of is None and limits not in CONVENTIONS:  # in others than these
        which = "some images have extreme values"
    else:
        return []
    low, high, least, greatest = (float(one) * unit for one in (low, high, least, greatest))
    return [
        f"{which}, and most values are {low:.6g} to {high:.6g}: as black is {limits[0]:.6g} and "
        f"white {limits[1]:.6g}, these are nearly one grey; leave such images out, clip all by "
        f"np.clip(x, {least:.6g}, {greatest:.6g}), or take the logarithm if they are right"
    ]


def _most(images: NDArray[Any], unit: float) -> tuple[float, float]:
    """The ends of what most values of images keep to, in this unit."""
    count = min(len(images), QUANTILE_IMAGES)
    rows = np.linspace(0, len(images) - 1, count).round().astype(int)
    step = max(count * images[0].size // QUANTILE_VALUES, 1)
    x = np.concatenate([images[row].reshape(-1)[::step] for row in rows]).astype(np.float64) / unit
    low, middle, high = np.quantile(x, (MOST[0], 0.5, MOST[1]))
    rest = x[x != middle]
    if 0 < len(rest) <= len(x) / 2:
        low, high = np.quantile(rest, MOST)
    return float(min(low, middle)), float(max(high, middle))
