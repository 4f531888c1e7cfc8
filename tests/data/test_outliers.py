from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.distributions import DISTRIBUTIONS, training_draws

from equipoise import GAN
from equipoise.data.factory import open_source
from equipoise.data.outliers import notes_of_outliers

Draw = Callable[[np.random.Generator, int], np.ndarray[Any, Any]]
ADVICE = (
    "; a network cannot tell the other rows apart at that scale: correct or "
    "remove these rows, or take the logarithm if they are right"
)


def spoilt(rows: int = 300, *values: float) -> np.ndarray[Any, Any]:
    """A table of two columns with extreme values in the second."""
    x = np.random.default_rng(0).standard_normal((rows, 2))
    x[7 * np.arange(1, len(values) + 1), 1] = values
    return x


def test_three_rows_of_1e18_are_named_at_the_start(tiny: dict[str, Any]) -> None:
    with pytest.warns(UserWarning, match="3 of 300 rows of column 1 are extreme outliers: row 7"):
        GAN(**tiny).fit(spoilt(300, 1e18, -1e18, 1e18))


def test_a_note_says_which_column_how_many_rows_the_first_ones_and_what_to_do(
    tmp_path: Path,
) -> None:
    x = spoilt(300, 1e18, -1e18, 1e18, 2e18)
    frame = pd.DataFrame(x, columns=["age", "income"])
    frame.to_csv(tmp_path / "x.csv", index=False)
    message = (
        "4 of 300 rows of column 'income' are extreme outliers: row 7 (1e+18), row 14 "
        "(-1e+18), row 21 (1e+18), ..."
    )
    for data in (frame, tmp_path / "x.csv"):
        assert open_source(data).notes == [message + ADVICE]
    assert open_source(x[:, 1]).notes == [message.replace(" of column 'income'", "") + ADVICE]
    assert message.replace("'income'", "1") + ADVICE in open_source([x]).notes


@pytest.mark.parametrize(
    "values", [(1e6,), (-1e6,), (1e5, 1e5), (1e308,), (1.7e308, -1.7e308), (1e300,) * 20]
)
def test_rows_that_dominate_the_scale_have_a_note(values: tuple[float, ...]) -> None:
    x = spoilt(300, *values)
    (note,) = notes_of_outliers(x, ("a", "b"))
    assert note.startswith(f"{len(values)} of 300 rows of column 'b' are extreme outliers: row 7 (")
    mostly_zero = np.where(
        (np.abs(x) < 9) & (np.random.default_rng(1).random((300, 1)) < 0.6), 0, x
    )
    (note,) = notes_of_outliers(mostly_zero, None)
    assert "of column 1" in note


def test_of_many_columns_three_are_named() -> None:
    x = np.random.default_rng(0).standard_normal((300, 9))
    x[5] = 1e18
    notes = notes_of_outliers(x, None)
    assert ["of column" in note for note in notes] == [True, True, True, False]
    assert notes[-1] == "6 more columns have extreme outliers"


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions_that_are_learned_are_not_called_extreme(name: str) -> None:
    for seed in range(3):
        assert notes_of_outliers(training_draws(name, seed)[:, None], None) == []


TAILS: dict[str, Draw] = {
    "Student t 2": lambda rng, n: rng.standard_t(2, n),
    "lognormal 1.5": lambda rng, n: rng.lognormal(0, 1.5, n),
    "one in 20 is not 0": lambda rng, n: rng.exponential(size=n) * (rng.random(n) < 0.05),
    "half is not 0": lambda rng, n: rng.exponential(size=n) * (rng.random(n) < 0.5),
    "one in 100 is 1": lambda rng, n: (rng.random(n) < 0.01) * 1.0,
    "constant": lambda _, n: np.full(n, 3.0),
    "zero": lambda _, n: np.zeros(n),
    "far from 0": lambda rng, n: 1e12 + rng.standard_normal(n),
}


@pytest.mark.parametrize("rows", [10, 300, 20_000])
@pytest.mark.parametrize("name", TAILS)
def test_heavy_tails_and_columns_of_mostly_one_value_are_not_called_extreme(
    name: str, rows: int
) -> None:
    for seed in range(10):
        assert (
            notes_of_outliers(TAILS[name](np.random.default_rng(seed), rows)[:, None], None) == []
        )
