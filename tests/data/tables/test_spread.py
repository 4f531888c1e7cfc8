from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.spread import Spread


def snapped(spread: Spread, *numbers: float) -> list[float]:
    found: list[float] = spread.snap(np.array(numbers)).tolist()
    return found


def test_numbers_are_clipped_to_their_bounds() -> None:
    assert snapped(Spread(-1, 2, 0), -5, 0.3, 5) == [-1, 0.3, 2]
    assert snapped(Spread(0, None, 1), -5, 7e300) == [0, 7e300]
    assert snapped(Spread(None, None, 1), -5, 7) == [-5, 7]


def test_numbers_become_whole_steps_within_their_bounds() -> None:
    spread = Spread(3, 22, 13, step=5)
    assert snapped(spread, -100, 4, 11, 15.4, 15.6, 1e300) == [3, 3, 13, 13, 18, 18]
    assert snapped(Spread(None, None, 1, step=0.5), 1.3, -0.1) == [1.5, 0]


def test_numbers_become_the_nearest_level() -> None:
    spread = Spread(1, 40, 2, levels=(1, 2, 40))
    assert snapped(spread, -5, 1.4, 1.6, 20, 22, 1e300) == [1, 1, 2, 2, 40, 40]
    assert snapped(Spread(1, 1, 1, levels=(1,)), -5, 5) == [1, 1]


@given(
    low=st.integers(-1000, 1000),
    places=st.integers(0, 500),
    step=st.sampled_from([0.01, 0.1, 0.25, 1, 5, 60]),
    numbers=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=5),
    data=st.data(),
)
def test_a_step_reaches_both_bounds_and_never_passes_them(
    low: int, places: int, step: float, numbers: list[float], data: st.DataObject
) -> None:
    ends = low * step, (low + places) * step
    middle = (low + data.draw(st.integers(0, places))) * step
    spread = Spread(*ends, middle, step=step)
    made = spread.snap(np.array(numbers))
    slack = 1e-9 * max(map(abs, ends)) + 1e-9
    assert ((made >= ends[0] - slack) & (made <= ends[1] + slack)).all()
    reached = spread.snap(np.array([-1e300, 1e300]))
    np.testing.assert_allclose(reached, ends, rtol=1e-12, atol=1e-9)


def test_the_ends_of_a_column_have_its_spikes_among_them() -> None:
    spread = Spread(1, 50, 20, spikes=(0, 99, math.inf))
    assert (spread.least, spread.greatest) == (0, 99)
    free = Spread(None, None, 20, spikes=(0,))
    assert (free.least, free.greatest) == (-math.inf, math.inf)


@pytest.mark.parametrize(
    "spread",
    [Spread(2, 1, 1), Spread(math.nan, 1, 1), Spread(0, math.inf, 1), Spread(0, 1, math.nan),
     Spread(0, 1, 1, step=0), Spread(0, 1, 1, step=-1), Spread(0, 1, 1, step=math.inf),
     Spread(0, 1, 1, levels=(2, 1)), Spread(0, 1, 1, levels=(1, 1)),
     Spread(0, 1, 1, levels=(0, math.nan)), Spread(0, 1, 1, spikes=(math.nan,))],
)  # fmt: skip
def test_a_spread_that_contradicts_itself_is_not_valid(spread: Spread) -> None:
    assert not spread.is_valid
    assert Spread(0, 1, 1, step=0.5, levels=(0, 1), spikes=(math.inf,)).is_valid
