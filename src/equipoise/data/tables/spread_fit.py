"""How numbers are split into a spread and spikes, and what bounds them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.coerce import raise_mistakes
from equipoise.data.tables.markers import far_values
from equipoise.data.tables.notes import rows_text
from equipoise.data.tables.spread import MAX_GRID, Spread
from equipoise.errors import RequestError

# Numbers have a step if all their distances are multiples of it. Among so many distinct
# ones, a common divisor by chance has a probability below 2**-10.
MIN_STEP_VALUES = 12
# Numbers have levels, as in `data.levels`, if there are few, with rows for each. Where
# they have a step or decimals, half of that grid must be empty: else the numbers in
# between are such as the column could have.
MAX_LEVELS, MIN_ROWS_PER_LEVEL, MIN_EMPTINESS = 1_000, 10, 2.0
# A continuous column meets its largest value once. So many rows on it are a cut.
MIN_EDGE_ROWS = 3
NEAR_ONE = 0.9  # shares and probabilities come near 1

Counts = NDArray[np.int64]
Show = Callable[[float], str]


@dataclass(frozen=True)
class Asked:
    """What the user says of the numbers; None for what they show."""

    minimum: float | None
    """-inf for no bound."""
    maximum: float | None
    spikes: tuple[float, ...] | None
    step: float | None
    levels: bool | None


def asked_of(options: Any, read: Callable[[str, Any], float]) -> Asked:
    """What the user says of a column.

    Args:
        options: Those of a kind, with the fields of `Asked` in the user's units.
        read: Makes a raw number of what was given for an option.

    Raises:
        RequestError: For a bound or a spike that is NaN.
    """
    ends = {
        name: None if (end := getattr(options, name)) is None else read(name, end)
        for name in ("minimum", "maximum")
    }
    spikes = options.spikes
    points = None if spikes is None else tuple(read("spikes", spike) for spike in spikes)
    if any(
        number is not None and math.isnan(number) for number in (*ends.values(), *(points or ()))
    ):
        raise RequestError("minimum, maximum and spikes must be numbers, not NaN")
    return Asked(**ends, spikes=points, step=options.step, levels=options.levels)


def fit_spread(
    values: NDArray[np.float64], counts: Counts, scale: float | None, asked: Asked, show: Show
) -> Spread:
    """The spread and the spikes of a column's numbers.

    Args:
        values: The distinct ones, sorted, (M,), perhaps with infinities.
        counts: Rows of each, (M,).
        scale: What makes them whole when it multiplies them: 100 for two decimals; None
            for real numbers.
        asked: What the user says.
        show: Writes a number as the user would, for messages.

    Raises:
        RequestError: If numbers contradict what the user says, or none is finite.
    """
    finite = np.isfinite(values)
    if not finite.any():
        raise RequestError("holds no finite number")
    spikes = asked.spikes
    if spikes is None:
        spikes = tuple(dict.fromkeys(far_values(values[finite], counts[finite])))
    rest = finite & ~np.isin(values, spikes)
    if not rest.any():
        spikes, rest = (), finite
    x, rows = values[rest], counts[rest]
    low, high = bounds_of(x, rows, scale)
    step = _step(x, scale) if asked.step is None else asked.step
    if step is not None and scale is not None and step * scale == 1:
        step = None
    levels = _levels(x, rows, step or (1 / scale if scale else None))
    if asked.levels is not None:
        levels = tuple(x.tolist()) if asked.levels else ()
    points = tuple(dict.fromkeys([*spikes, *values[~finite].tolist()]))
    found = Spread(low, high, _middle(x, rows), step, levels, points)
    wrong = _wrong_step(found, x, rows) if asked.step is not None else []
    return _with_asked_bounds(found, asked, (values[finite], counts[finite]), show, wrong)


def _middle(values: NDArray[np.float64], counts: Counts) -> float:
    """The median, one of the values."""
    return float(values[np.searchsorted(np.cumsum(counts), counts.sum() / 2)])


def bounds_of(
    values: NDArray[np.float64], counts: Counts, scale: float | None
) -> tuple[float | None, float | None]:
    """The least and the greatest number that samples may have; None for any.

    Whole numbers, decimals and dates keep to what was seen: ages do not exceed the
    oldest one, and days of a month end at 31. Of real numbers, positive ones stay
    positive, with the least as their bound, negative ones negative, and shares within
    1. A bound that several rows are on is a cut, and is kept. Otherwise there is none:
    the greatest income of a table is one person's, and a bound there would give it to
    everyone beyond.

    Args:
        values: The distinct ones, sorted, (M,).
        counts: Rows of each, (M,).
        scale: What makes them whole when it multiplies them; None for real numbers.
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


def _levels(values: NDArray[np.float64], counts: Counts, step: float | None) -> tuple[float, ...]:
    """The distinct values, if they are few; empty if not."""
    many = len(values) > MAX_LEVELS or MIN_ROWS_PER_LEVEL * len(values) > counts.sum()
    if many or 2 * int((counts == 1).sum()) > len(values) or len(values) < 2:
        return ()
    places = math.inf if step is None else (values[-1] - values[0]) / step + 1
    return tuple(values.tolist()) if places >= MIN_EMPTINESS * len(values) else ()


def _wrong_step(spread: Spread, values: NDArray[np.float64], counts: Counts) -> list[str]:
    """A message about values that are no multiples of a step that the user gave."""
    step = spread.step
    if step is None:
        return []
    if not 0 < step < math.inf:
        return [f"step = {step:.15g}: must be a positive number"]
    steps = (values - spread.typical) / step
    off = np.abs(steps - np.rint(steps)) > 1e-6
    if not off.any():
        return []
    rows = rows_text(int(counts[off].sum()))
    return [f"step = {step:.15g}: {rows} are not whole steps from the others; leave it out"]


def _with_asked_bounds(
    spread: Spread,
    asked: Asked,
    counted: tuple[NDArray[np.float64], Counts],
    show: Show,
    wrong: list[str],
) -> Spread:
    """The spread with the user's bounds. One that says what was seen changes nothing:
    the spikes are within it, and the bounds of the others stay closer."""
    values, counts = counted
    low, high = spread.low, spread.high
    if asked.minimum is not None and asked.minimum != spread.least:
        below = int(counts[values < asked.minimum].sum())
        low = asked.minimum if math.isfinite(asked.minimum) else None
        if below:
            wrong = [*wrong, _beyond("minimum", asked.minimum, below, values[0], show)]
    if asked.maximum is not None and asked.maximum != spread.greatest:
        above = int(counts[values > asked.maximum].sum())
        high = asked.maximum if math.isfinite(asked.maximum) else None
        if above:
            wrong = [*wrong, _beyond("maximum", asked.maximum, above, values[-1], show)]
    raise_mistakes(wrong)
    return replace(spread, low=low, high=high)


def _beyond(end: str, bound: float, rows: int, farthest: float, show: Show) -> str:
    """The message about values beyond a bound that the user gave."""
    side, other = ("below", "lower") if end == "minimum" else ("above", "higher")
    are = "is" if rows == 1 else "are"
    return (
        f"{end} = {show(bound)}: {rows_text(rows)} {are} {side} it, as far as {show(farthest)}; "
        f"give a {other} one, or name the wrong values as missing = [{show(farthest)}]"
    )
