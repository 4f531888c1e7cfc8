from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.tables.recognition import recognise

RNG = np.random.default_rng(0)
N = 200


@pytest.mark.parametrize(
    "cells",
    [
        [f"text number {i} in no order" for i in RNG.permutation(N)],
        [[i] for i in range(N)],
        RNG.normal(size=N) + 1j,
    ],
)
def test_columns_that_are_left_out_are_neither_learned_nor_made(cells: Any) -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=N), "x": cells, "b": range(N)})
    table, notes = recognise(frame)
    matrix = table.encode(frame, 0)
    assert [raw.name for raw in table.raw_columns] == ["a"]
    assert list(table.decode(matrix).columns) == ["a", "b"]
    assert any("samples are without columns" in note and "'x'" in note for note in notes)


def test_a_column_is_left_out_where_the_user_says_so() -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=N), "x": RNG.normal(size=N)})
    table, notes = recognise(frame, {"x": {"kind": "ignore"}})
    assert list(table.decode(table.encode(frame, 0)).columns) == ["a"]
    assert notes == ()
    table.check(frame[["a"]])


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([f"{i}" * 3 + "x" for i in "abcdefghijklmnopqrs"] * 2, "category"),
        ([f"a city that is called {i}" for i in range(19)], "category"),  # few rows
        ([f"words {i} and more words" for i in RNG.integers(0, 60, N)], "category"),
        ([f"words {i} and more" for i in RNG.integers(0, 10**6, N)], "ignore"),
        ([f"a sentence that goes on for a while about {i % 120}" for i in range(N)], "ignore"),
        ([f"short {i % 120} it is" for i in range(N)], "category"),
    ],
)
def test_text_is_free_where_nearly_every_cell_is_another(cells: Any, kind: str) -> None:
    frame = pd.DataFrame({"x": cells, "other": RNG.normal(size=len(cells))})
    assert recognise(frame)[0].columns[0].kind == kind
