from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from equipoise.data.tables.spread import Spread
from equipoise.data.tables.spread_fit import Asked, fit_spread
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
N = 2_000


def fitted(numbers: Any, scale: float | None = None, **asked: Any) -> Spread:
    """The spread of these numbers."""
    values, counts = np.unique(np.asarray(numbers, np.float64), return_counts=True)
    names = ("minimum", "maximum", "spikes", "step", "levels")
    said = Asked(**{name: asked.get(name) for name in names})
    return fit_spread(values, counts, scale, said, lambda x: f"{x:g}")


def mixed(share: float, value: Any, others: Any) -> Any:
    """Rows of which this share has this value."""
    return np.where(np.arange(N) < share * N, value, others)


def test_a_value_of_half_of_the_rows_is_one_of_the_numbers() -> None:
    spread = fitted(mixed(0.5, 0, RNG.lognormal(size=N)))
    assert (spread.spikes, spread.low) == ((), 0)


def test_a_value_far_from_all_others_is_a_spike_beside_them() -> None:
    others = RNG.integers(1, 100, N)
    spread = fitted(mixed(0.1, 9_999, others), 1)
    assert (spread.spikes, spread.high) == ((9_999,), others[N // 10 :].max())


@pytest.mark.parametrize(
    "numbers",
    [
        RNG.normal(size=N),
        RNG.integers(0, 100, N),
        RNG.poisson(3, N),  # each value has many rows
        RNG.integers(0, 15, N),
        np.round(RNG.normal(size=N), 1),
        mixed(0.015, 0, RNG.normal(size=N)),  # 30 of 2,000 rows
    ],
)
def test_columns_without_a_spike(numbers: Any) -> None:
    assert fitted(numbers, 10).spikes == ()


@pytest.mark.parametrize(
    ("rare", "spikes"), [([-999] * 5, (-999,)), ([-999] * 4, ()), ([99_999] * 9, (99_999,))]
)
def test_a_repeated_value_far_from_the_others_is_a_spike(rare: Any, spikes: Any) -> None:
    assert fitted([*RNG.integers(18, 90, N), *rare], 1).spikes == spikes


def test_infinities_are_points_of_their_own() -> None:
    spread = fitted([*RNG.normal(size=N), math.inf, -math.inf])
    assert set(spread.spikes) == {math.inf, -math.inf}
    assert spread.low is None
    with pytest.raises(RequestError, match="holds no finite number"):
        fitted([math.inf, -math.inf])


@pytest.mark.parametrize(
    ("numbers", "scale", "bounds"),
    [
        ([3, 8, 5], 1, (3, 8)),
        ([0.25, 9.75, 4], 100, (0.25, 9.75)),
        ([-1.5, 2.5], None, (None, None)),
        ([0.3, 2.5], None, (0.3, None)),
        ([0, 2.5], None, (0, None)),
        ([-0.3, -2.5], None, (None, -0.3)),
        ([0.01, 0.97], None, (0.01, 1)),
        ([0.01, 0.5], None, (0.01, None)),
        ([0.5, 1.5, 5, 5, 5], None, (0.5, 5)),  # cut off at 5
        ([-3, -3, -3, 1.5, 5], None, (-3, None)),
    ],
)
def test_bounds(numbers: Any, scale: float | None, bounds: Any) -> None:
    spread = fitted(numbers, scale)
    assert (spread.low, spread.high) == bounds


@pytest.mark.parametrize(
    ("numbers", "scale", "step"),
    [
        (np.arange(20) * 5 + 3, 1, 5),
        (np.arange(20) * 1000, 1, 1000),
        (np.arange(20) * 0.25, 100, 0.25),
        (np.arange(20), 1, None),
        (np.arange(5) * 5, 1, None),  # too few to tell
        (np.arange(20) * 5, None, None),
        (np.arange(20) * 2.0**60, 1, None),
    ],
)
def test_steps(numbers: Any, scale: float | None, step: float | None) -> None:
    assert fitted(numbers, scale).step == step


def test_few_values_far_apart_are_levels() -> None:
    sizes = RNG.choice([36, 41.5, 43, 57.25, 60, 71, 88], N)
    assert fitted(sizes, 100).levels == (36, 41.5, 43, 57.25, 60, 71, 88)
    assert fitted(RNG.choice(RNG.normal(size=50), N)).levels != ()
    assert fitted(RNG.integers(17, 90, N), 1).levels == (), "ages in between are possible"
    assert fitted(RNG.choice(10**6, 900)[RNG.integers(0, 900, N)], 1).levels == (), "2 rows each"
    assert fitted(RNG.normal(size=N)).levels == ()


def test_the_typical_number_is_a_median_that_occurs() -> None:
    numbers = RNG.normal(size=N)
    typical = fitted(numbers).typical
    assert typical in numbers
    assert abs((numbers < typical).mean() - 0.5) < 0.001


def test_what_the_user_says_is_kept() -> None:
    numbers = RNG.integers(10, 50, N)
    assert fitted(numbers, 1, minimum=0, maximum=99).low == 0
    assert fitted(numbers, 1, minimum=-math.inf).low is None
    assert fitted(mixed(0.5, 0, numbers), 1, spikes=()).spikes == ()
    assert fitted(numbers, 1, spikes=(12, 20)).spikes == (12, 20)
    assert len(fitted(numbers, 1, levels=True).levels) == 40
    assert fitted(numbers * 5, 1, step=5).step == 5
    assert fitted(np.arange(20) * 5, 1, step=1).step is None


def test_saying_what_is_so_anyway_changes_nothing() -> None:
    for numbers, scale in (
        (mixed(0.5, 0, RNG.integers(114, 9_000, N)), 1),
        (mixed(0.5, 0, RNG.lognormal(size=N)), None),
        (RNG.normal(size=N), None),
    ):
        spread = fitted(numbers, scale)
        again = fitted(
            numbers,
            scale,
            minimum=spread.least,
            maximum=spread.greatest,
            spikes=spread.spikes,
            levels=bool(spread.levels),
            step=spread.step,
        )
        assert again == spread


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"minimum": 12}, "minimum = 12: 2 rows are below it, as far as 10; give a lower one, or "
                          r"name the wrong values as missing = \[10\]"),
        ({"maximum": 18}, "maximum = 18: 1 row is above it, as far as 19"),
        ({"step": 3}, "step = 3: 7 rows are not whole steps from the others"),
        ({"step": 0}, "step = 0: must be a positive number"),
        ({"minimum": 11, "maximum": 11}, "minimum = 11: 1 row.*; maximum = 11: 8 rows"),
    ],
)  # fmt: skip
def test_what_contradicts_the_numbers_is_refused(asked: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        fitted(range(10, 20), 1, **asked)
