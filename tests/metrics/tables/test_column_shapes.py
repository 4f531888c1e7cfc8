"""Column shapes equal SDMetrics' own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.metrics.tables.column_shapes import (
    column_shapes,
    missing_values,
    shapes_of,
    total_variation,
)
from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.raw_table import Column, RawTable

RNG = np.random.default_rng(0)
# By SDMetrics 0.32.0: ColumnShapes.get_score and its details, of conftest's tables.
SDMETRICS = {
    "plain": (
        0.8312500025,
        [0.9433333333333334, 0.7816666666666667, 0.9233333333333333, 0.6766666766666666],
    ),
    "with blanks": (
        0.9192265773618811,
        [0.8503162619873496, 0.9364048649762935, 0.9826851824838814, 0.9075],
    ),
    "odd": (
        0.9167795698924731,
        [1.0, 0.9141666666666667, 1.0, 0.9741666666666666, 0.6955645161290323],
    ),
}


@pytest.mark.parametrize("name", SDMETRICS)
def test_shapes_are_those_of_sdmetrics(name: str, pairs: Mapping[str, Any]) -> None:
    pair = pairs[name]
    reference = MixedReference(pair.real, pair.table)
    rows = reference.prepare(pair.fake)
    mean, each = SDMETRICS[name]
    np.testing.assert_allclose(shapes_of(reference.columns, reference.real, rows), each, atol=1e-9)
    found = column_shapes(reference, rows)
    assert found["column_shapes"] == pytest.approx(mean, abs=1e-9)
    assert found["worst_column_shape"] == pytest.approx(min(each), abs=1e-9)
    first = reference.columns[0].name
    assert found[f"column_shape/{first}"] == pytest.approx(each[0], abs=1e-9)


@pytest.mark.filterwarnings("ignore")  # its own
@pytest.mark.parametrize("name", SDMETRICS)
def test_shapes_are_those_that_an_installed_sdmetrics_computes(
    name: str, pairs: Mapping[str, Any], sdmetrics_details: Any
) -> None:
    pair = pairs[name]
    details = sdmetrics_details("ColumnShapes", pair)
    real, fake = (pair.table.values(raw) for raw in (pair.real, pair.fake))
    np.testing.assert_allclose(
        shapes_of(pair.table.columns, real, fake), details["Score"], atol=1e-9
    )


def test_shapes_have_closed_forms() -> None:
    columns = (Column("x", 0, 0), Column("plan", 1, 3))
    real = np.array([[1.0, 0], [2, 0], [3, 1], [4, 1]])
    fake = np.array([[3.0, 0], [4, 2], [5, 2], [6, 2]])
    np.testing.assert_allclose(shapes_of(columns, real, real), [1, 1])
    shapes = shapes_of(columns, real, fake)
    assert shapes[0] == pytest.approx(0.5)  # half of both are below 3, and half above 4
    assert shapes[1] == pytest.approx(0.25, abs=1e-6)


def test_total_variation_is_that_of_the_frequencies() -> None:
    real, fake = RNG.integers(0, 5, 4000), RNG.integers(0, 5, 3000)
    expected = (
        pd.Series(real)
        .value_counts(normalize=True)
        .sub(pd.Series(fake).value_counts(normalize=True), fill_value=0)
        .abs()
        .sum()
        / 2
    )
    assert total_variation(real, fake, 5) == pytest.approx(expected)


@pytest.mark.parametrize("unit", [1e-30, 1e-5, 1e30, 1e300])
def test_a_shape_does_not_depend_on_the_unit(unit: float) -> None:
    columns = RawTable(("x",), (0,)).columns
    real, fake = RNG.normal(size=(300, 1)), RNG.normal(0.5, 1, size=(300, 1))
    assert shapes_of(columns, real * unit, fake * unit) == pytest.approx(
        shapes_of(columns, real, fake)
    )


def test_blanks_are_compared_by_their_shares_and_only_where_there_may_be_any() -> None:
    table = RawTable(("x", "x", "plan", "z"), (0, 2, 3, 0), (None, 1, 0, None))
    real = np.array([[1.0, 0, 0, 1], [1, 1, 1, 1], [1, 1, 2, 1], [1, 0, 0, 1]])
    fake = np.array([[1.0, 0, 0, 1], [1, 0, 1, 1], [1, 0, 2, 1], [1, 1, 1, 1]])
    reference = MixedReference(real, table)
    found = missing_values(reference, reference.prepare(fake))
    assert found == {"missing_value_similarity": pytest.approx(1 - (0.25 + 0.25) / 2)}
    whole = MixedReference(real[:, 3:], RawTable(("z",), (0,)))
    assert missing_values(whole, whole.prepare(fake[:, 3:])) == {}
