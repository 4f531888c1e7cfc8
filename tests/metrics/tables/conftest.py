"""Tables of mixed columns, real and generated, made from seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from equipoise.metrics.tables.raw_table import RawTable

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A table, and raw matrices of it, (M, R) and (N, R)."""

    table: RawTable
    real: Array
    fake: Array


def plain(rng: np.random.Generator, n: int, shift: float) -> Array:
    """Two numbers that depend on each other, and categories that depend on one; of the
    last column's 12 categories 0 to 3 occur only with a shift."""
    x = rng.normal(size=n)
    y = np.exp(0.7 * x + rng.normal(size=n)) + shift
    few = np.digitize(x + shift + rng.normal(size=n), [-1.0, 0.5])
    many = rng.integers(4 if shift == 0 else 0, 12, n)
    return np.stack([x, y, few, many], 1).astype(float)


def with_blanks(rng: np.random.Generator, n: int, shift: float) -> Array:
    """Two numbers with blanks, categories of which 0 is a blank, whole numbers."""
    x = rng.normal(size=n)
    y = x**2 + rng.normal(size=n)
    gone = (rng.random(n) < 0.2 + shift, rng.random(n) < 0.5)
    plan = rng.integers(0, 4, n)
    return np.stack([x, gone[0], y, gone[1], plan, np.round(9 * x + shift)], 1).astype(float)


def odd(rng: np.random.Generator, n: int, shift: float) -> Array:
    """A constant number, tenths, a constant category, numbers of which most are 0, and
    one that is mostly blank and else equals the tenths."""
    tenths = 0.1 * rng.integers(0, 8, n)
    spike = np.where(rng.random(n) < 0.8, 0.0, rng.exponential(size=n) + shift)
    gone = rng.random(n) < 0.95
    return np.stack(
        [np.full(n, 0.1), tenths, np.zeros(n), spike, np.where(gone, 0.0, tenths), gone], 1
    )


TABLES = {
    "plain": (plain, RawTable(("x", "y", "few", "many"), (0, 0, 3, 12))),
    "with blanks": (
        with_blanks,
        RawTable(
            ("x", "x", "y", "y", "plan", "whole"),
            (0, 2, 0, 2, 4, 0),
            (None, 1, None, 1, 0, None),
        ),
    ),
    "odd": (
        odd,
        RawTable(
            ("constant", "tenths", "one", "spike", "rare", "rare"),
            (0, 0, 1, 0, 0, 2),
            (None, None, None, None, None, 1),
        ),
    ),
}


@pytest.fixture(scope="session")
def pairs() -> Mapping[str, Pair]:
    """A pair for each table, of 400 real and 300 generated rows."""
    found = {}
    for seed, (name, (make, table)) in enumerate(TABLES.items()):
        rng = np.random.default_rng(seed)
        found[name] = Pair(table, make(rng, 400, 0.0), make(rng, 300, 0.3))
    return found


@pytest.fixture(scope="session")
def sdmetrics_details() -> Callable[[str, Pair], pd.DataFrame]:
    """The details of a property of SDMetrics' report, by its name; skips where that is
    not installed."""
    properties = pytest.importorskip("sdmetrics.reports.single_table._properties")

    def details(name: str, pair: Pair) -> pd.DataFrame:
        columns = pair.table.columns
        kinds = {c.name: {"sdtype": "categorical" if c.size else "numerical"} for c in columns}
        computed = getattr(properties, name)()
        computed.get_score(
            frame(pair.table, pair.real), frame(pair.table, pair.fake), {"columns": kinds}
        )
        return computed.details

    return details


def frame(table: RawTable, raw: Array) -> pd.DataFrame:
    """The table as a user has it: categories are strings, and blanks missing values."""
    return pd.DataFrame(
        {
            column.name: values
            if column.size == 0
            else pd.Series(
                [None if v == column.blank else f"{v:.0f}" for v in values], dtype=object
            )
            for column, values in zip(table.columns, table.values(raw).T, strict=True)
        }
    )
