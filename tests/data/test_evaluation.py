"""Other data: found by its columns' names, whatever their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.evaluation import open_for_evaluation, samples_of
from equipoise.data.factory import open_source
from equipoise.data.schema import Schema
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {"a": RNG.normal(size=60), "b": RNG.normal(size=60) + 50, "kind": ["x", "y"] * 30}
)


def schema(*columns: str | int) -> Schema:
    """Of a generator of plain numbers."""
    dtypes = ("float64",) * len(columns)
    return Schema((len(columns),), "ND", "float64", "frame", columns, dtypes)


def test_tables_of_flags_beside_numbers_have_samples() -> None:
    table = pd.DataFrame({"a": [0.5, 1.5], "b": [True, False]})
    np.testing.assert_array_equal(samples_of(table), [[0.5, 1.0], [1.5, 0.0]])


@pytest.mark.parametrize("order", [["a", "b"], ["b", "a"], ["kind", "b", "a"], ["a", "kind", "b"]])
@pytest.mark.parametrize("suffix", ["", ".csv", ".parquet"])
def test_columns_are_found_by_their_names(order: list[str], suffix: str, tmp_path: Path) -> None:
    table, path = TABLE[order], tmp_path / f"other{suffix}"
    if suffix:
        getattr(table, f"to_{suffix[1:]}")(path, index=False)
    source = open_for_evaluation(path if suffix else table, None, "kind", schema("a", "b"))
    assert source.schema.columns == ("a", "b")
    assert source.schema.classes == (("x", "y") if "kind" in order else None)
    assert source.held_out(99, 0)[:, 1].min() > 40
    if "kind" not in order:
        np.testing.assert_allclose(
            samples_of(path if suffix else table, schema("a", "b")), TABLE[["a", "b"]]
        )


def test_labels_that_are_handed_over_go_before_the_column_of_the_training() -> None:
    assert open_for_evaluation(
        TABLE[["a", "b"]], [1, 2, 3] * 20, "kind", schema("a", "b")
    ).schema.classes == (1, 2, 3)


@pytest.mark.parametrize("columns", [("a", "c"), ("a", "b", "c"), ("a",)])
def test_columns_of_other_names_are_refused(columns: tuple[str, ...]) -> None:
    with pytest.raises(
        RequestError,
        match=f"data has the columns a, b, the generator has {', '.join(columns)}: give those",
    ):
        open_for_evaluation(TABLE[["a", "b"]], None, None, schema(*columns))


def test_columns_that_have_only_numbers_are_taken_as_they_come(tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("1.5,50.5\n2.5,51.5\n3.5,52.5\n")
    assert open_for_evaluation(
        tmp_path / "bare.csv", None, None, schema("a", "b")
    ).schema.shape == (2,)
    assert open_for_evaluation(TABLE[["b", "a"]], None, None, schema(0, 1)).schema.columns == (
        "b",
        "a",
    )
    assert samples_of(TABLE[["b", "a"]].to_numpy(), schema("a", "b")).shape == (60, 2)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (np.inf, r"1 NaN or infinite values, the first \(infinity\) at row 2, column 'b'"),
        (2**60, r"column 'b', has the whole number 1152921504606846976, beyond 2\*\*53"),
        ("x", "column 'b' holds 'x' in row 2, which is not a number"),
    ],
)
def test_a_generator_of_plain_numbers_is_compared_with_such_only(cell: Any, message: str) -> None:
    other = pd.DataFrame({"a": [0.5, 1.5, 2.5], "b": [1, 2, cell]})
    with pytest.raises(RequestError, match=message):
        open_for_evaluation(other, None, None, schema("a", "b"))


def test_rows_of_a_table_are_read_as_the_generators_columns(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.linspace(0, 1, 60), "plan": ["a", "b", "c"] * 20})
    known = open_source(frame).schema
    other = frame[["plan", "x"]].iloc[:30].replace({"plan": {"c": "a"}})
    source = open_for_evaluation(other, None, None, known)
    assert source.schema.table is known.table
    other.to_csv(tmp_path / "other.csv", index=False)
    np.testing.assert_array_equal(
        samples_of(tmp_path / "other.csv", known)[:3], [[0, 0], [1 / 59, 1], [2 / 59, 0]]
    )
