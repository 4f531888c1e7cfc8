"""Figures of a table's page: in words, clipped, as they were computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from equipoise.metrics.tables.worst import ColumnFigures, PairFigures
from equipoise.report.table_charts import SHOWN, figures_of, heat_maps
from equipoise.report.tables import TableComparison

FOUND = TableComparison(
    rows=1000,
    columns=[ColumnFigures("income", "Kolmogorov-Smirnov", 0.861, 0.974, 0.0, 0.0)] * 8,
    pairs=[
        PairFigures(("capital-gain", "income"), "correlation ratio", 0.864, 0.971, 0.1, 0.34),
        PairFigures(("x" * 100, "same"), "Cramér's V", 0.5, 0.9, float("nan"), 0.2),
    ],
    missing=[],
    names=["a", "b"],
    associations=np.array([[1.0, 0.25], [0.25, 1.0]]),
    real_associations=np.array([[1.0, -0.5], [-0.5, 1.0]]),
)


def test_pairs_have_their_names_trends_and_associations() -> None:
    _, pairs = figures_of(FOUND)
    first, second = pairs.rows
    assert tuple(first) == (
        "capital-gain and income",
        "0.86",
        "0.97",
        "correlation ratio 0.10, real 0.34",
    )
    assert tuple(second[-1:]) == ("Cramér's V not defined",)
    assert len(second[0]) < 60


def test_columns_have_their_shapes_and_blanks_only_where_there_are_some() -> None:
    columns, _ = figures_of(FOUND)
    assert len(columns.rows) == SHOWN
    assert tuple(columns.rows[0]) == ("income", "0.86", "0.97")
    blank = replace(FOUND.columns[0], blank=0.125, real_blank=0.2)
    with_blanks, _ = figures_of(replace(FOUND, columns=[blank, *FOUND.columns[:1]]))
    assert with_blanks.heads[-1] == "blank cells"
    assert [row[-1] for row in with_blanks.rows] == ["12.5%, real 20.0%", "none"]


def test_a_table_of_nothing_has_no_figures() -> None:
    assert figures_of(replace(FOUND, columns=[], pairs=[])) == []


def test_heat_maps_say_how_far_both_differ() -> None:
    image = heat_maps(FOUND)
    assert image is not None
    assert "They differ by 0.75 at most" in image.alt
    assert heat_maps(replace(FOUND, names=["a"])) is None
    undefined = replace(FOUND, associations=np.full((2, 2), np.nan))
    assert heat_maps(undefined) is not None
