from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.tables.kinds.number import NumberColumn
from equipoise.data.tables.recognition import recognise
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
N = 500
OTHER = RNG.normal(size=N)


def number(cells: Any, **override: Any) -> NumberColumn:
    """The column of numbers that these cells are."""
    table, _ = recognise(pd.DataFrame({"x": cells, "other": OTHER}), {"x": override})
    column = table.columns[0]
    assert isinstance(column, NumberColumn)
    return column


def made(column: NumberColumn, *numbers: float) -> list[Any]:
    """Cells of these numbers, in state 0."""
    values = np.column_stack([numbers, np.zeros(len(numbers))])
    return column.decode(values[:, : len(column.raw)]).tolist()


@pytest.mark.parametrize("decimals", range(7))
def test_decimals_are_the_fewest_that_represent_all_values(decimals: int) -> None:
    cells = np.round(RNG.normal(size=N) * 5, decimals)
    assert number(cells).decimals == decimals
    assert number(cells.astype("float32")).decimals in (decimals, None)


def test_real_numbers_have_no_decimals_to_round_to() -> None:
    assert number(RNG.normal(size=N)).decimals is None
    assert number(RNG.normal(size=N).astype("float32")).decimals is None
    assert number(np.round(RNG.normal(size=N), 7)).decimals is None


def test_noise_of_a_computation_is_no_decimal() -> None:
    cells = np.round(RNG.random(N) * 9, 1) + 0.1 + 0.2
    column = number(cells)
    assert column.decimals == 1
    assert made(column, 0.6000000000000001) == [0.6]


def test_whole_numbers_come_back_whole_and_within_their_bounds() -> None:
    cells = RNG.integers(1, 32, N)
    column = number(cells)
    assert made(column, -1e300, 0.4, 15.6, 31.4, 1e300) == [1, 1, 16, 31, 31]


def test_positive_numbers_stay_positive_and_have_no_upper_bound() -> None:
    cells = RNG.lognormal(size=N)
    column = number(cells)
    assert made(column, -3.0, 1e6) == [cells.min(), 1e6]


def test_there_is_no_negative_zero() -> None:
    cells = np.where(RNG.random(N) < 0.5, -0.0, np.round(RNG.normal(size=N), 1))
    column = number(cells, spikes=(0,))
    assert math.copysign(1, column.spread.spikes[0]) == 1
    (zero,) = made(column, -0.01)
    assert math.copysign(1, zero) == 1


def test_a_marker_comes_back_as_the_marker_that_was_there() -> None:
    cells = RNG.choice([*map(str, range(50)), "?", "NA"], N)
    column = number(cells)
    assert column.markers == tuple(dict.fromkeys(c for c in cells if c in ("?", "NA")))
    assert column.raw[1].size == 3
    values = column.encode(pd.Series(cells), RNG)
    assert column.decode(values).tolist() == list(cells)
    sentinel = np.where(RNG.random(N) < 0.1, -999, RNG.integers(0, 90, N))
    named = number(sentinel, missing=[-999])
    assert named.markers == (-999,)
    assert named.spread.least >= 0
    assert named.decode(named.encode(pd.Series(sentinel), RNG)).tolist() == sentinel.tolist()


def test_numbers_at_spikes_are_drawn_from_the_others() -> None:
    cells = np.where(RNG.random(N) < 0.5, 0, RNG.lognormal(size=N))
    values = number(cells, spikes=(0,)).encode(pd.Series(cells), RNG)
    assert set(values[:, 1]) == {0, 1}
    np.testing.assert_array_equal(values[:, 1] == 1, cells == 0)
    assert np.isin(values[cells == 0, 0], cells[cells != 0]).all()


def test_a_column_without_a_number_in_another_table_is_typical() -> None:
    cells = np.where(RNG.random(N) < 0.5, 0, RNG.lognormal(size=N))
    column = number(cells, spikes=(0,))
    values = column.encode(pd.Series([0.0, 0.0]), RNG)
    assert values.tolist() == [[column.spread.typical, 1]] * 2


def test_numbers_beyond_2_to_the_53_are_exact() -> None:
    cells = 2**62 + RNG.integers(0, 50, N)
    column = number(cells)
    values = column.encode(pd.Series(cells), RNG)
    assert values.min() >= 0
    assert values.max() < 50
    assert column.decode(values).tolist() == cells.tolist()
    with_minimum = number(cells, minimum=2**62 - 7)
    assert made(with_minimum, -1e300) == [2**62 - 7]


def test_numbers_of_python_keep_their_types() -> None:
    whole = pd.Series([*range(N)], dtype=object) * 3
    assert {type(cell) for cell in made(number(whole, kind="number"), 1.0, 2.0)} == {int}
    exact = pd.Series([Decimal(f"{x:.2f}") for x in OTHER], dtype=object)
    (cell,) = made(number(exact), 0.123456)
    assert cell == Decimal("0.12")
    assert isinstance(cell, Decimal)


def test_what_the_user_says_of_numbers() -> None:
    cells = RNG.integers(10, 60, N)
    assert made(number(cells, minimum=0, maximum=100), -5.0, 500.0) == [0, 100]
    real = number(cells + 0.0, kind="real")
    assert real.label == "number"
    assert made(real, 12.34567) == [12.34567]
    assert made(number(OTHER, kind="integer"), 0.6) == [1]
    assert made(number(OTHER, decimals=2), 0.666666) == [0.67]
    assert made(number(cells, levels=True), 30.2)[0] in cells
    assert number(RNG.integers(0, 2, N), kind="integer").label == "integer"
    with pytest.raises(RequestError, match="column 'x': is not of numbers: it holds 'a', 'b'"):
        number(["a", "b"] * 250, kind="number")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (RNG.integers(17, 91, N).clip(17, 90), "17 to 90"),
        (OTHER, "about "),
        (np.exp(OTHER), "from "),
        (-np.exp(OTHER), "up to -"),
        (RNG.integers(0, 60, N) * 5, "0 to 295, in steps of 5"),
        (np.where(RNG.random(N) < 0.1, 9_999, RNG.integers(100, 900, N)), ", often 9,999"),
        (pd.Series(RNG.integers(0, 90, N)).mask(OTHER > 1), "0 to 89, or blank"),
        (RNG.choice([*map(str, range(90)), "?"], N), "0 to 89, or '?'"),
    ],
)
def test_a_column_is_summed_up_in_words(cells: Any, words: str) -> None:
    assert words in number(cells).summary()
