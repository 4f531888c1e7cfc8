from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from equipoise.data.tables.base import Column
from equipoise.data.tables.recognition import recognise
from equipoise.errors import RequestError

ROWS = 400
RNG = np.random.default_rng(0)
REALS = RNG.normal(size=ROWS)
ADULT = Path(os.environ.get("EQUIPOISE_DATA", "")) / "adult.csv"


def frame_of(**columns: Any) -> pd.DataFrame:
    """A table with a column of real numbers beside these."""
    return pd.DataFrame({**columns, "other": REALS})


def recognised(cells: Any, **override: Any) -> Column:
    """The column that these cells are recognised as."""
    table, _ = recognise(frame_of(x=cells), {"x": override})
    return table.columns[0]


def notes_of(cells: Any, **override: Any) -> str:
    """What the user is told of these cells."""
    return "\n".join(recognise(frame_of(x=cells), {"x": override})[1])


def one_of(values: Any) -> Any:
    """Rows drawn from these values."""
    return [values[i] for i in RNG.integers(0, len(values), ROWS)]


@pytest.mark.parametrize(
    ("cells", "label"),
    [
        (REALS, "number"),
        (REALS.round(2), "number"),
        (RNG.integers(0, 90, ROWS), "integer"),
        (RNG.integers(0, 90, ROWS) + 0.0, "integer"),
        (one_of([0, 1]), "category"),
        (one_of([1.5, 2.0, 9.25]), "category"),
        (one_of([*range(10)]), "category"),
        (one_of([*range(11)]), "integer"),
        ([True, False] * 200, "category"),
        (one_of(["yes", "no"]), "category"),
        (one_of([f"city {i}" for i in range(300)]), "category"),
        (one_of([f"{i:05d}" for i in range(30)]), "category"),  # postal codes
        (one_of([str(i) for i in range(30)]), "category"),  # codes, since given as text
        ([str(i) for i in RNG.permutation(5 * ROWS)[:ROWS]], "integer"),
        ([f"{x:.3f}" for x in REALS], "number"),
        (one_of(["?", *map(str, range(60))]), "integer"),
        (one_of([*map(str, pd.date_range("2020-01-31", periods=50).date)]), "date"),
        (pd.date_range("2020", periods=ROWS), "date"),
        (RNG.integers(0, 10**6, ROWS).astype("m8[s]"), "duration"),
        ([f"{i % 24:02d}:{i % 60:02d}" for i in range(ROWS)], "duration"),
        (["x"] * ROWS, "constant"),
        ([None] * ROWS, "constant"),
        (range(ROWS), "id"),
        (RNG.permutation(ROWS) + 1000, "id"),
        ([f"C-{i:05d}" for i in range(ROWS)], "id"),
        ([f"INV-2024-{i:04d}" for i in RNG.permutation(ROWS)], "id"),
        ([f"{i:07d}" for i in RNG.permutation(10**5)[:ROWS]], "id"),
        ([str(uuid.UUID(bytes=RNG.bytes(16), version=4)) for _ in range(ROWS)], "id"),
        ([RNG.bytes(20).hex() for _ in range(ROWS)], "id"),
        ([f"person.{i}@mail.org" for i in range(ROWS)], "id"),
        (RNG.integers(2**53, 2**62, ROWS), "id"),
        ([f"a few words about case {i}, in no form" for i in RNG.permutation(ROWS)], "ignore"),
        ([f"{a} {b}" for a, b in zip(one_of("ABCDEFGH"), RNG.permutation(ROWS), strict=True)],
         "ignore"),
        ([[1, 2]] * ROWS, "ignore"),
        ([{"a": 1}] * ROWS, "ignore"),
        (REALS + 1j, "ignore"),
    ],
)  # fmt: skip
def test_columns_are_what_people_take_them_for(cells: Any, label: str) -> None:
    assert recognised(cells).label == label


@pytest.mark.parametrize(
    ("name", "label"),
    [("customer_id", "id"), ("userId", "id"), ("ID", "id"), ("key", "id"), ("width", "integer"),
     ("idle", "integer"), ("paid", "integer")],
)  # fmt: skip
def test_whole_numbers_with_gaps_are_ids_where_they_are_called_so(name: str, label: str) -> None:
    numbers = RNG.permutation(10**6)[:ROWS]
    table, _ = recognise(pd.DataFrame({name: numbers, "other": REALS}))
    assert table.columns[0].label == label


@pytest.mark.skipif(not ADULT.is_file(), reason="adult.csv is not in $EQUIPOISE_DATA")
def test_the_adult_table_is_recognised_and_comes_back() -> None:
    frame = pd.read_csv(ADULT, skipinitialspace=True)
    table, notes = recognise(frame)
    kinds = {column.name: column.label for column in table.columns}
    integers = ["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
    assert kinds == {name: "integer" if name in integers else "category" for name in frame.columns}
    pd.testing.assert_frame_equal(table.decode(table.encode(frame, seed=0)), frame)
    assert len(notes) == 2
    assert "'workclass' ('?' in 1,836 rows)" in notes[0]
    assert "'capital-gain' (99,999 in 159 rows, others 0 to 41,310)" in notes[1]


@pytest.mark.parametrize(
    "load",
    [datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer, datasets.load_diabetes,
     datasets.load_digits, datasets.load_linnerud],
)  # fmt: skip
def test_the_tables_of_scikit_learn_come_back(load: Any) -> None:
    frame = load(as_frame=True).frame
    table, _ = recognise(frame)
    pd.testing.assert_frame_equal(table.decode(table.encode(frame, seed=0)), frame)
    made = table.decode(RNG.normal(size=(100, len(table.raw_columns))) * 50)
    for column in table.columns:
        cells, fed = made[column.name], frame[column.name]
        assert cells.min() >= fed.min() or fed.min() < 0
        assert cells.max() <= fed.max() or getattr(column, "decimals", 0) is None


def test_everything_that_is_wrong_is_in_one_message() -> None:
    frame = frame_of(age=RNG.integers(-5, 90, ROWS), plan=one_of(["pro", "free"]), day=one_of("ab"))
    with pytest.raises(RequestError) as error:
        recognise(
            frame,
            {
                "age": {"kind": "integer", "minimum": 0},
                "plan": {"kind": "categori"},
                "day": {"kind": "date"},
                "ag": {},
                "other": {"minimun": 0, "decimals": "x"},
            },
        )
    below = int((frame["age"] < 0).sum())
    message = str(error.value)
    assert message.startswith("5 problems: ")
    for part in (
        "column 'plan': 'categori' is no kind of column: did you mean 'category'?",
        "no column 'ag': did you mean 'age'?",
        f"column 'age': minimum = 0: {below} rows are below it, as far as -5; give a lower one, or "
        "name the wrong values as missing = [-5]",
        f"column 'day': is not of dates: it holds {frame['day'][0]!r}, ",
        "column 'other': 'minimun' is no option of the kind 'number': did you mean 'minimum'?; "
        "decimals = 'x': must be a whole number or 'all'",
    ):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"x": []}), "the table has no rows, and 1 columns"),
        (pd.DataFrame(index=range(3)), "nothing to learn: 3 rows and 0 columns"),
        (pd.DataFrame({"x": [1.5], "y": ["a"]}), "nothing to learn: 1 row and 2 columns"),
        (pd.DataFrame({"x": [1, 1], "t": [[1], [2]]}),
         r"nothing to learn: 2 rows and 2 columns \(1 column the same in all rows, 1 column left"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "several columns are named 'x': give each"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), "several columns are named '1': give each"),
        (pd.DataFrame([[1, 2]], columns=[1.5, "a"]),
         "1 column has a name that is no text or whole number: 1.5; name them"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),
         "2 columns have names that are no text or whole numbers, the first"),
        (pd.DataFrame([[1]], columns=pd.Index(["\ud800"], dtype=object)), "1 column has a name"),
    ],
)  # fmt: skip
def test_a_table_without_anything_to_learn_is_refused_in_a_line(
    frame: pd.DataFrame, message: str
) -> None:
    with pytest.raises(RequestError, match=message) as error:
        recognise(frame)
    assert "\n" not in str(error.value)


def test_many_problems_are_counted_and_the_first_are_said() -> None:
    frame = pd.DataFrame({f"c{i}": ["a", "b"] for i in range(400)})
    with pytest.raises(RequestError) as error:
        recognise(frame, {name: {"kind": "date"} for name in frame.columns})
    assert str(error.value).startswith("400 problems: column 'c0': is not of dates")
    assert len(str(error.value)) <= 1003


@pytest.mark.parametrize(
    "override",
    [3, [], "category", {1: 2}, {"kind": 3}, {"kind": []}, {"kind": "id", "minimum": 3},
     {"missing": 3}, {"missing": [[1]]}, {"missing": {"a": 1}}, {"minimum": "a"}, {"spikes": 3},
     {"decimals": -1}, {"decimals": True}, {"step": 0}, {"step": -1.0}, {"step": float("inf")},
     {"kind": "category", "categories": [1]}, {"kind": "constant"},
     {"kind": "date", "format": "%Q"},
     {"minimum": 5, "maximum": 3}, {"kind": "duration"}, {"minimum": float("nan")}],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused_in_a_line(override: Any) -> None:
    with pytest.raises(RequestError) as error:
        recognise(frame_of(x=REALS), {"x": override})
    assert "\n" not in str(error.value)
    assert "'x'" in str(error.value)


def test_notes_say_what_to_type() -> None:
    ages = np.where(RNG.random(ROWS) < 0.05, -999, RNG.integers(18, 90, ROWS))
    count = int((ages == -999).sum())
    assert notes_of(ages) == (
        "a number that may stand for a missing value is learned as it is, apart from the others, "
        f"in: 'x' (-999 in {count} rows, others 18 to 89); if it means missing: "
        "columns={'x': {'missing': [-999]}}"
    )
    assert notes_of(ages, missing=[-999]) == ""
    work = one_of(["?", "private", "state"])
    assert "learned as a category in: 'x' ('?' in " in notes_of(work)
    assert notes_of(work, missing=["?"]) == ""
    cells = one_of(["?", *map(str, range(60))])
    assert "to learn the column as a category: columns={'x': {'kind': 'category'}}" in notes_of(
        cells
    )
    assert "samples are without columns of free text" in notes_of(
        [f"words {a} of {b}" for a, b in zip(RNG.permutation(ROWS), range(ROWS), strict=True)]
    )
    assert "ids are made anew" in notes_of(range(ROWS))
    days = [(y, m, d) for y in range(2024, 2028) for m in range(1, 11) for d in range(2, 12)]
    assert notes_of([f"{m:02d}/{d:02d}/{y}" for y, m, d in days]) == (
        "dates can be read in two ways, in: 'x' ('01/02/2024', ... as %m/%d/%Y); for the other: "
        "columns={'x': {'format': '%d/%m/%Y'}}"
    )


def test_a_thing_that_concerns_many_columns_is_one_line() -> None:
    constant = pd.DataFrame({f"c{i}": [1, 1] for i in range(300)} | {"x": [1.5, 2.5]})
    _, notes = recognise(constant)
    assert len(notes) == 1
    assert notes[0].endswith("'c5' (1) and 294 more columns")


def test_a_missing_marker_that_does_not_occur_is_told() -> None:
    assert notes_of(REALS, missing=[-999, "?"]) == (
        "markers that are given as missing do not occur in: 'x' (-999, '?')"
    )
    assert "do not occur in: 'x' ('NA')" in notes_of(one_of(["a", "b", "?"]), missing=["?", "NA"])


def test_ten_thousand_categories_are_one_code() -> None:
    cells = [f"k{i % 10_000}" for i in range(20_000)]
    table, notes = recognise(pd.DataFrame({"x": cells}))
    assert [(raw.kind, raw.size) for raw in table.raw_columns] == [("code", 10_000)]
    assert "there are many in: 'x' (10,000)" in notes[0]
    assert table.decode(table.encode(pd.DataFrame({"x": cells}), 0))["x"].tolist() == cells
