"""How numbers are split into a spread and spikes, and what bounds them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from equipoise.coerce import raise_mistakes
from equipoise.data.tables.markers import far_values
from equipoise.data.tables.notes import rows_text
from equipoise.data.tables.spread import MAX_GRID, Spread
from equipoise.errors import RequestError

# A value is a spike if it has this share of the rows. Made as a continuous number, it would
# be missed in up to so many rows, and 1 - KS loses up to this share: .02 is about what the
# best generators lose in all.
SPIKE_SHARE = 0.02
MIN_SPIKE_ROWS = 20  # fewer cannot tell a share of .02 from chance
# And if it has 10 times the rows of the middle value. Among counts, where every value has
# many rows, none stands out.
SPIKE_RATIO = 10
MIN_OTHERS = 20  # other distinct values; fewer are no spread
MAX_SPIKES = 10  # each is one more output of a network
# Numbers have a step if all their distances are multiples of it. Among so many distinct
# ones, a common divisor by chance has a probability below 2**-10.
MIN_STEP_VALUES = 12
# Numbers have levels, as in `data.levels`, if there are few, with rows for each. Where they
# have a step or decimals, half of that grid must be empty: in between lie numbers that the
# column could have, and has not, only by chance.
MAX_LEVELS, MIN_ROWS_PER_LEVEL, MIN_EMPTINESS = 1_000, 10, 2.0
# A continuous column meets its largest value once. So many rows on it are a cut.
MIN_EDGE_ROWS = 3
NEAR_ONE = 0.9  # shares and probabilities come near 1


@dataclass(frozen=True)
class Asked:
    """What the user says of the numbers; None for what they show."""

    minimum: float | None = None
    """-inf for no bound."""
    maximum: float | None = None
    spikes: tuple[float, ...] | None = None
    step: float | None = None
    levels: bool | None = None


def as_number(number: float) -> str:
    """A number as the user would write it."""
    return f"{number:.15g}"


def fit_spread(
    numbers: NDArray[np.float64],
    scale: float | None,
    asked: Asked,
    show: Callable[[float], str] = as_number,
) -> Spread:
    """The spread and the spikes of a column's numbers.

    Args:
        numbers: All of them, (n,), perhaps with infinities.
        scale: What makes them whole when it multiplies them: 100 for two decimals; None
            for real numbers.
        asked: What the user says.
        show: Writes a number as the user would, for messages.

    Raises:
        RequestError: If numbers lie beyond a bound that the user gave, or none is
            finite.
    """
    values, counts = np.unique(numbers + 0.0, return_counts=True)  # -0.0 + 0.0 is 0.0
    finite = np.isfinite(values)
    if not finite.any():
        raise RequestError("holds no finite number")
    spikes = _spikes(values[finite], counts[finite]) if asked.spikes is None else asked.spikes
    rest = finite & ~np.isin(values, spikes)
    if not rest.any():
        spikes, rest = (), finite
    low, high = _bounds(values[rest], counts[rest], scale)
    step = _step(values[rest], scale) if asked.step is None else asked.step
    if step is not None and scale is not None and step * scale <= 1:
        step = None
    levels = _levels(values[rest], counts[rest], step or (1 / scale if scale else None))
    if asked.levels is not None:
        levels = tuple(values[rest].tolist()) if asked.levels else ()
    points = tuple(dict.fromkeys([*map(float, spikes), *values[~finite].tolist()]))
    found = Spread(low, high, _middle(values[rest], counts[rest]), step, levels, points)
    return _with_asked_bounds(found, asked, (values[finite], counts[finite]), show)


def _spikes(values: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[float, ...]:
    """The values that are points of their own, of the distinct ones, sorted, (M,)."""
    far = far_values(values, counts)
    least = max(SPIKE_SHARE * counts.sum(), MIN_SPIKE_ROWS, SPIKE_RATIO * np.median(counts))
    many = np.flatnonzero(counts >= least)
    many = many[np.argsort(-counts[many], kind="stable")][:MAX_SPIKES]
    if len(values) - len(many) < MIN_OTHERS:
        many = many[:0]
    return tuple(dict.fromkeys([*values[many].tolist(), *far]))


def _middle(values: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    """The median, one of the values."""
    return float(values[np.searchsorted(np.cumsum(counts), counts.sum() / 2)])


def _bounds(
    values: NDArray[np.float64], counts: NDArray[np.int64], scale: float | None
) -> tuple[float | None, float | None]:
    """The least and the greatest number that samples may have.

    Whole numbers, decimals and dates keep to what was seen: ages do not exceed the
    oldest one, and days of a month end at 31. Of real numbers, positive ones stay
    positive, with the least as their bound, negative ones negative, and shares within
    1. A bound that several rows are on is a cut, and is kept. Otherwise there is none:
    the greatest income of a table is one person's, and a bound there would give it to
    everyone beyond.
    """
    low, high = float(values[0]), float(values[-1])
    if scale is not None:
        return low, high
    share = low >= 0 and NEAR_ONE < high <= 1
    has_low = low >= 0 or counts[0] >= MIN_EDGE_ROWS
    has_high = high <= 0 or share or counts[-1] >= MIN_EDGE_ROWS
    return low if has_low else None, (1.0 if share else high) if has_high else None


def _step(values: NDArray[np.float64], scale: float | None) -> float | None:
    """What the distances of the distinct values are whole multiples of, if it is more
    than their last digit."""
    if scale is None or len(values) < MIN_STEP_VALUES:
        return None
    grid = np.rint(values * scale)
    if np.abs(grid).max() > MAX_GRID:
        return None
    divisor = int(np.gcd.reduce(np.diff(grid).astype(np.int64)))
    return divisor / scale if divisor > 1 else None


def _levels(
    values: NDArray[np.float64], counts: NDArray[np.int64], step: float | None
) -> tuple[float, ...]:
    """The distinct values, if they are few; empty if not."""
    many = len(values) > MAX_LEVELS or MIN_ROWS_PER_LEVEL * len(values) > counts.sum()
    if many or 2 * int((counts == 1).sum()) > len(values) or len(values) < 2:
        return ()
    places = math.inf if step is None else (values[-1] - values[0]) / step + 1
    return tuple(values.tolist()) if places >= MIN_EMPTINESS * len(values) else ()


def _with_asked_bounds(
    spread: Spread,
    asked: Asked,
    counted: tuple[NDArray[np.float64], NDArray[np.int64]],
    show: Callable[[float], str],
) -> Spread:
    """The spread with the user's bounds. One that says what was seen changes nothing:
    the spikes are within it, and the bounds of the others stay closer."""
    values, counts = counted
    low, high = spread.low, spread.high
    wrong = []
    if asked.minimum is not None and asked.minimum != spread.least:
        if (values < asked.minimum).any():
            rows = int(counts[values < asked.minimum].sum())
            wrong.append(_beyond("minimum", asked.minimum, rows, values[0], show))
        low = asked.minimum if math.isfinite(asked.minimum) else None
    if asked.maximum is not None and asked.maximum != spread.greatest:
        if (values > asked.maximum).any():
            rows = int(counts[values > asked.maximum].sum())
            wrong.append(_beyond("maximum", asked.maximum, rows, values[-1], show))
        high = asked.maximum if math.isfinite(asked.maximum) else None
    raise_mistakes(wrong)
    return replace(spread, low=low, high=high)


def _beyond(
    end: str, bound: float, rows: int, farthest: float, show: Callable[[float], str]
) -> str:
    """The message about values beyond a bound that the user gave."""
    side, other = ("below", "lower") if end == "minimum" else ("above", "higher")
    return (
        f"{end} = {show(bound)}: {rows_text(rows)} are {side} it, as far as {show(farthest)}; "
        f"give a {other} one, or name the wrong values as missing = [{show(farthest)}]"
    )
