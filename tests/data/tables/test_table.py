from __future__ import annotations

import datetime
import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.recognition import recognise
from equipoise.data.tables.table import Table
from equipoise.errors import RequestError

ROWS = 60
RNG = np.random.default_rng(0)


def assert_one_line(error: RequestError) -> None:
    assert "\n" not in str(error)


def some(values: Any, n: int = ROWS) -> Any:
    """Rows drawn from few values."""
    return [values[i] for i in RNG.integers(0, len(values), n)]


def blanked(series: pd.Series[Any]) -> pd.Series[Any]:
    """A column with some blanks."""
    series = series.copy()
    series.iloc[::7] = None
    return series


def day(n: int) -> pd.Timestamp:
    return pd.Timestamp("2021-03-01") + pd.Timedelta(n, "D")


DAYS = pd.Series(day(0) + pd.to_timedelta(RNG.integers(0, 900, ROWS), unit="D"))
SECONDS = pd.Series(day(0) + pd.to_timedelta(RNG.integers(0, 10**8, ROWS), unit="s"))
INTEGERS = pd.Series(RNG.integers(-40, 90, ROWS))
REALS = pd.Series(RNG.normal(size=ROWS))
COLUMNS: dict[str, Any] = {
    "real": REALS,
    "positive": np.exp(REALS),
    "float32": REALS.astype("float32"),
    "float16": REALS.astype("float16"),
    "decimals of float32": REALS.round(2).astype("float32"),
    "money": (REALS.abs() * 1000).round(2),
    "int64": INTEGERS,
    "int8": INTEGERS.astype("int8"),
    "uint16": INTEGERS.abs().astype("uint16"),
    "whole floats": blanked(INTEGERS.astype(float)),
    "beyond 2**53": pd.Series(RNG.integers(2**60, 2**60 + 50, ROWS)),
    "uint64": pd.Series(RNG.integers(2**62, 2**62 + 50, ROWS).astype("uint64") * np.uint64(2)),
    "Int64": blanked(INTEGERS.astype("Int64")),
    "UInt8": blanked(INTEGERS.abs().astype("UInt8")),
    "Float64": blanked(REALS.astype("Float64")),
    "Float32": blanked(REALS.astype("Float32")),
    "boolean": blanked(pd.Series(some([True, False]), dtype="boolean")),
    "bool": some([True, False]),
    "booleans with blanks": pd.Series(some([True, False, None]), dtype=object),
    "arrow integers": blanked(INTEGERS.astype("int64[pyarrow]")),
    "arrow floats": blanked(REALS.astype("double[pyarrow]")),
    "arrow booleans": blanked(pd.Series(some([True, False])).astype("bool[pyarrow]")),
    "arrow dates": blanked(DAYS.astype("timestamp[us][pyarrow]")),
    "sparse": pd.Series(pd.arrays.SparseArray(some([0.0, 0.0, 1.5]), fill_value=0.0)),
    "zeros": np.where(RNG.random(ROWS) < 0.5, 0, np.exp(REALS)),
    "infinities": np.where(RNG.random(ROWS) < 0.1, np.inf, REALS),
    "text of numbers": pd.Series(some([*map(str, range(18, 90)), "?"])),
    "text of objects": pd.Series([f"{x:.2f}" for x in REALS + 5], dtype=object),
    "German numbers": [f"{x:,.2f}".translate(str.maketrans(",.", ".,")) for x in np.exp(REALS + 5)],
    "dollars": [f"${x:,.2f}" for x in np.exp(REALS + 9)],
    "percent": [f"{x:.1f} %" for x in REALS + 9],
    "numbers and a word": pd.Series([1.5, 2.25, "?", *REALS.tolist()], dtype=object)[:ROWS],
    "objects of int": pd.Series([None, *INTEGERS.tolist()][:ROWS], dtype=object),
    "Decimal": pd.Series([Decimal(f"{x:.2f}") for x in REALS], dtype=object),
    "mixed": pd.Series(some([1, "1", True, 2.5, None]), dtype=object),
    "text": some(["a", "b", "c"]),
    "text with blanks": pd.Series(some(["a", "b", None])),
    "string": pd.Series(some(["a", "b", None]), dtype="string"),
    "string of Python": pd.Series(some(["a", "b", None]), dtype="string[python]"),
    "objects of text": pd.Series(some(["a", "b", None]), dtype=object),
    "arrow text": pd.Series(some(["a", "b", None]), dtype="string[pyarrow]"),
    "category": pd.Categorical(some(["lo", "hi"]), categories=["lo", "hi", "unused"], ordered=True),
    "category of numbers": pd.Categorical(some([3, 1, 2])),
    "category of dates": pd.Series(some([day(0), day(1)])).astype("category"),
    "category with blanks": pd.Series(some(["x", "y", None])).astype("category"),
    "intervals": pd.cut(REALS, 4),
    "days": DAYS,
    "seconds with blanks": blanked(SECONDS),
    "nanoseconds": SECONDS.astype("datetime64[ns]") + pd.Timedelta(123_456, "us"),
    "months": [pd.Timestamp(2000 + i // 12, i % 12 + 1, 1) for i in range(ROWS)],
    "midnights of a zone": pd.Series(pd.date_range("2021-03-01", periods=ROWS, tz="Europe/Berlin")),
    "hours of a zone": pd.Series(
        pd.date_range("2021-10-30", periods=ROWS, freq="h", tz="Europe/Berlin")
    ),
    "an offset": pd.Series(pd.date_range("2021-10-30", periods=ROWS, freq="h", tz="+02:00")),
    "periods": blanked(pd.Series(pd.period_range("2001-01", periods=ROWS, freq="M"))),
    "date": pd.Series([stamp.date() for stamp in DAYS], dtype=object),
    "datetime": pd.Series([stamp.to_pydatetime() for stamp in SECONDS], dtype=object),
    "Timestamp": pd.Series([None, *SECONDS.tolist()][:ROWS], dtype=object),
    "few dates": some([day(0), day(40), day(90)]),
    "ISO dates": DAYS.dt.strftime("%Y-%m-%d"),
    "ISO times": SECONDS.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "American dates": DAYS.dt.strftime("%m/%d/%Y"),
    "dates without zeros": [f"{stamp.month}/{stamp.day}/{stamp.year}" for stamp in DAYS],
    "German dates": [*DAYS.dt.strftime("%d.%m.%Y")[1:], "-"],
    "SAS dates": DAYS.dt.strftime("%d%b%Y").str.upper(),
    "clock of 12 hours": SECONDS.dt.strftime("%m/%d/%Y %I:%M %p"),
    "milliseconds": (SECONDS + pd.Timedelta(5, "ms")).dt.strftime("%Y-%m-%d %H:%M:%S.%f").str[:-3],
    "days of digits": DAYS.dt.strftime("%Y%m%d").astype(int),
    "days of digits with blanks": blanked(DAYS.dt.strftime("%Y%m%d").astype(float)),
    "spans": blanked(pd.Series(pd.to_timedelta(RNG.integers(0, 10**6, ROWS), unit="s"))),
    "spans as text": pd.Series(pd.to_timedelta(RNG.integers(0, 10**6, ROWS), unit="s")).astype(str),
    "spans as objects": pd.Series(
        [datetime.timedelta(seconds=int(x)) for x in RNG.integers(0, 10**6, ROWS)], dtype=object
    ),
    "times of day": [f"{x // 60:02d}:{x % 60:02d}" for x in RNG.integers(0, 1440, ROWS)],
    "constant": "x",
    "constant date": pd.Timestamp("2020", tz="UTC"),
    "constant category": pd.Categorical(["a"] * ROWS, categories=["a", "b"]),
    "blank": np.nan,
    "blank objects": pd.Series([None] * ROWS, dtype=object),
    "flags": some([0, 1]),
    "flags with blanks": blanked(pd.Series(some([0.0, 1.0]))),
    "marks": some([1, 2, 3, 4]),
    "name 'with' \"quotes\"\n\x1b[31m\u202e": REALS,
    "": REALS,
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_back_as_it_was_fed(name: str) -> None:
    frame = pd.DataFrame({name: COLUMNS[name], "other": RNG.normal(size=ROWS)})
    table, _ = recognise(frame)
    matrix = table.encode(frame, seed=0)
    assert matrix.dtype == np.float64
    assert np.isfinite(matrix).all()
    assert matrix.shape == (ROWS, len(table.raw_columns))
    pd.testing.assert_frame_equal(table.decode(matrix), frame)


@pytest.mark.parametrize("name", COLUMNS)
def test_any_finite_numbers_become_cells_that_the_column_could_have(name: str) -> None:
    frame = pd.DataFrame({name: COLUMNS[name], "other": RNG.normal(size=ROWS)})
    table, _ = recognise(frame)
    shape = (100, len(table.raw_columns))
    for scale in (10.0, 1e300):
        made = table.decode(RNG.normal(size=shape) * scale)
        assert made.dtypes.tolist() == frame.dtypes.tolist()
        assert list(made.columns) == list(frame.columns)
        assert not table.unseen(made).any()
        if name not in ("float16", "float32", "Float32") or scale < 1e4:
            again = table.decode(table.encode(made, seed=1))
            pd.testing.assert_frame_equal(again, made)


@pytest.mark.parametrize("name", COLUMNS)
def test_codes_and_numbers_keep_to_their_kinds(name: str) -> None:
    frame = pd.DataFrame({name: COLUMNS[name], "other": RNG.normal(size=ROWS)})
    table, _ = recognise(frame)
    matrix = table.encode(frame, seed=0)
    for raw, values in zip(table.raw_columns, matrix.T, strict=True):
        if raw.kind == "code":
            assert raw.size >= 2
            assert set(values) == set(range(raw.size)), "every code is one that was seen"


@pytest.mark.parametrize("name", COLUMNS)
def test_a_table_survives_json(name: str) -> None:
    frame = pd.DataFrame({name: COLUMNS[name], "other": RNG.normal(size=ROWS)})
    table, _ = recognise(frame)
    stored = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert Table.from_dict(stored) == table


@pytest.fixture(scope="module")
def wide() -> pd.DataFrame:
    """All of these columns in one table."""
    return pd.DataFrame(COLUMNS)


def test_all_columns_together_come_back_as_they_were_fed(wide: pd.DataFrame) -> None:
    table, _ = recognise(wide)
    pd.testing.assert_frame_equal(table.decode(table.encode(wide, seed=3)), wide)


def test_a_table_made_in_parts_is_the_same_as_one_made_at_once(wide: pd.DataFrame) -> None:
    frame = wide.assign(id=[f"C-{i:05d}" for i in range(ROWS)], code=RNG.bytes(16).hex())
    frame["code"] = [RNG.bytes(8).hex() for _ in range(ROWS)]
    table, _ = recognise(frame)
    matrix = RNG.normal(size=(90, len(table.raw_columns))) * 100
    whole = table.decode(matrix, seed=5)
    parts = [table.decode(matrix[i : i + 40], seed=5, start=i) for i in range(0, 90, 40)]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    assert whole["id"].is_unique
    assert whole["code"].is_unique


def test_the_same_seed_encodes_the_same_matrix_and_another_seed_other_fillings() -> None:
    frame = pd.DataFrame({"x": blanked(REALS), "y": REALS})
    table, _ = recognise(frame)
    first, again, other = (table.encode(frame, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    blank = frame["x"].isna().to_numpy()
    assert (first[blank, 0] != other[blank, 0]).any()
    np.testing.assert_array_equal(first[~blank], other[~blank])


def test_what_stands_at_blanks_is_drawn_from_the_observed_numbers() -> None:
    x = pd.Series(np.random.default_rng(1).normal(size=20_000))
    x[::2] = np.nan
    table, _ = recognise(pd.DataFrame({"x": x}))
    matrix = table.encode(pd.DataFrame({"x": x}), seed=0)
    observed = x.dropna().to_numpy()
    filled = matrix[::2, 0]
    assert np.isin(filled, observed).all()
    assert abs(filled.mean() - observed.mean()) < 4 * observed.std() / 100


def test_columns_named_by_numbers_come_back_so() -> None:
    frame = pd.DataFrame({0: REALS, "a": REALS, 7: INTEGERS})
    table, _ = recognise(frame)
    made = table.decode(table.encode(frame, seed=0))
    assert made.columns.tolist() == [0, "a", 7]
    from_file = frame.rename(columns=str)
    np.testing.assert_array_equal(table.encode(from_file, 0), table.encode(frame, 0))


def test_another_table_with_the_same_columns_is_encoded_alike() -> None:
    frame = pd.DataFrame({"plan": some(["pro", "free"]), "x": REALS, "id": range(ROWS)})
    table, _ = recognise(frame)
    other = frame.iloc[::-1].reset_index(drop=True)[["x", "id", "plan"]].assign(more=1)
    np.testing.assert_array_equal(table.encode(other, 0), table.encode(frame, 0)[::-1])


def test_all_that_another_table_lacks_is_said_in_one_message() -> None:
    frame = pd.DataFrame(
        {"plan": some(["pro", "free"]), "x": REALS, "n": INTEGERS, "when": DAYS, "c": "one"}
    )
    table, _ = recognise(frame)
    other = frame.drop(columns="n").assign(plan="basic", c="two")
    other.loc[3, "x"] = np.nan
    with pytest.raises(RequestError) as error:
        table.check(other)
    message = str(error.value)
    assert message.startswith("4 problems: 1 column is missing: 'n'; column 'plan' holds 'basic'")
    assert "60 rows in all" in message
    assert "column 'x' holds nan in row 3, and 1 row in all" in message
    assert "column 'c' holds 'two'" in message
    assert "\n" not in message
    with pytest.raises(RequestError, match="4 problems"):
        table.encode(other, 0)
    unseen = table.unseen(frame.assign(plan=["basic", *frame["plan"][1:]]))
    assert unseen.tolist() == [True] + [False] * (ROWS - 1)


def test_a_table_checks_what_it_is_fed() -> None:
    frame = pd.DataFrame({"x": REALS})
    table, _ = recognise(frame)
    table.check(frame)
    with pytest.raises(RequestError, match=r"shape \(3, 2\): must be \(N, 1\)"):
        table.decode(np.zeros((3, 2)))
    with pytest.raises(RequestError, match="NaN or infinite"):
        table.decode(np.array([[np.nan]]))


@pytest.mark.parametrize("cells", [["a", "b"], [[1], [2]], [True, False], [day(0), day(1)]])
def test_a_column_of_another_kind_is_refused_in_a_line(cells: list[Any]) -> None:
    table, _ = recognise(pd.DataFrame({"x": REALS}))
    with pytest.raises(RequestError, match=r"column 'x' holds .* did not hold in training"):
        table.encode(pd.DataFrame({"x": cells}), 0)


def test_raw_columns_say_what_lies_between_two_numbers() -> None:
    frame = pd.DataFrame(
        {"real": REALS, "n": INTEGERS, "fives": INTEGERS * 5, "money": REALS.round(2), "day": DAYS}
    )
    table, _ = recognise(frame)
    assert [raw.step for raw in table.raw_columns] == [None, 1, 5, 0.01, 1]
    sizes = pd.DataFrame({"size": some([36.0, 41.5, 43, 60, 71, 88, 90, 91, 95, 99, 130], 600)})
    (raw,) = recognise(sizes)[0].raw_columns
    assert raw.levels == (36, 41.5, 43, 60, 71, 88, 90, 91, 95, 99, 130)


def test_a_table_is_described_in_rows() -> None:
    frame = pd.DataFrame({"n": INTEGERS, "x": blanked(REALS.round(1)), "p": some(["b", "a"])})
    table, _ = recognise(frame)
    n, x, p = table.describe(frame)
    low, high = int(INTEGERS.min()), int(INTEGERS.max())
    assert (n.name, n.kind, n.seen, n.blanks) == ("n", "integer", f"{low} to {high}", 0)
    assert x.kind == "number"
    assert x.seen.endswith("or blank")
    assert x.blanks == pytest.approx(9 / 60)
    assert (p.kind, p.seen) == ("category", "2 values: 'a', 'b'")
    assert sorted(p.examples.split(", ")) == ["'a'", "'b'"]


OTHERS: dict[str, Any] = {"lists": [[1]] * ROWS, "complex": REALS + 1j, "ids": range(ROWS)}


@pytest.mark.parametrize("kind", ["number", "integer", "real", "category", "date", "duration",
                                  "constant", "id", "ignore"])  # fmt: skip
def test_every_kind_of_every_column_is_a_table_or_one_line(kind: str) -> None:
    for name, cells in {**COLUMNS, **OTHERS}.items():
        frame = pd.DataFrame({name: cells, "other": REALS})
        try:
            table, _ = recognise(frame, {name: {"kind": kind}})
        except RequestError as error:
            assert_one_line(error)
            continue
        column = table.columns[0]
        assert column.kind == ("number" if kind in ("integer", "real") else kind)
        made = table.decode(table.encode(frame, seed=0))
        if kind in ("number", "category", "constant"):
            pd.testing.assert_frame_equal(made, frame)
        stored = json.loads(json.dumps(table.to_dict(), allow_nan=False))
        assert Table.from_dict(stored) == table


def test_no_rows_are_a_table_too(wide: pd.DataFrame) -> None:
    table, _ = recognise(wide)
    matrix = table.encode(wide.iloc[:0], seed=0)
    assert matrix.shape == (0, len(table.raw_columns))
    pd.testing.assert_frame_equal(table.decode(matrix), wide.iloc[:0])


def test_a_table_with_two_columns_of_one_name_is_refused() -> None:
    table, _ = recognise(pd.DataFrame({"x": REALS}))
    twice = pd.DataFrame([[1.5, 2.5]], columns=["x", "x"])
    for use in (table.check, table.unseen, lambda frame: table.encode(frame, 0)):
        with pytest.raises(RequestError, match="several columns are named 'x'"):
            use(twice)


def test_importing_a_table_knows_all_kinds_and_imports_no_pandas() -> None:
    lines = [
        "import sys",
        "from equipoise.data.tables.table import Table",
        "from equipoise.data.tables.base import KINDS",
        "print(len(KINDS), 'pandas' in sys.modules)",
    ]
    out = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == ["7", "False"]


WORDS = st.text(max_size=4)
CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), WORDS, st.dates()
)
KINDS = st.one_of(
    st.lists(WORDS, min_size=6, max_size=6),
    st.lists(st.floats(), min_size=6, max_size=6),
    st.lists(st.floats(width=32).map(np.float32), min_size=6, max_size=6),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=6, max_size=6),
    st.lists(st.integers(0, 3).map(str), min_size=6, max_size=6),
    st.lists(st.datetimes(), min_size=6, max_size=6),
    st.lists(st.one_of(st.none(), st.dates()), min_size=6, max_size=6),
    st.lists(st.timedeltas(), min_size=6, max_size=6),
    st.lists(CELLS, min_size=6, max_size=6),
    st.lists(st.sampled_from(["?", "1", "2.50", "NA", "-3", "1e5", "x"]), min_size=6, max_size=6),
)


@given(columns=st.dictionaries(WORDS, KINDS, min_size=1, max_size=4), data=st.data())
def test_any_cells_make_a_table_or_one_line(columns: dict[str, Any], data: st.DataObject) -> None:
    frame = pd.DataFrame({name: pd.Series(cells) for name, cells in columns.items()})
    try:
        table, notes = recognise(frame)
    except RequestError as error:
        assert_one_line(error)
        return
    assert all(note.isprintable() or note for note in notes)
    matrix = table.encode(frame, seed=0)
    assert np.isfinite(matrix).all()
    made = table.decode(matrix)
    kept = [column.name for column in table.columns if column.kept]
    assert made.dtypes.tolist() == frame[kept].dtypes.tolist()
    stored = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert Table.from_dict(stored) == table
    scale = data.draw(st.sampled_from([1.0, 1e10, 1e300]))
    table.decode(np.random.default_rng(0).normal(size=matrix.shape) * scale)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(data=st.data())
def test_a_hostile_file_is_refused_in_a_line_or_makes_cells(data: st.DataObject) -> None:
    """One value anywhere in a stored column is replaced by another."""
    names = data.draw(st.sampled_from([*COLUMNS]))
    table, _ = recognise(pd.DataFrame({"x": COLUMNS[names], "other": REALS}))
    stored = json.loads(json.dumps(table.to_dict()))
    at: Any = stored["columns"][0]
    while True:
        key = data.draw(st.sampled_from([*at] if isinstance(at, dict) else [*range(len(at))]))
        if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = data.draw(JSON)
    try:
        hostile = Table.from_dict(stored)
    except RequestError as error:
        assert_one_line(error)
        return
    hostile.decode(np.random.default_rng(0).normal(size=(20, len(hostile.raw_columns))) * 1e6)


@pytest.mark.parametrize(
    "stored",
    [None, [], {}, {"columns": []}, {"columns": [1]}, {"columns": [{}]}, {"columns": {}, "x": 1},
     {"columns": [{"kind": "number"}]}, {"columns": [{"kind": ["number"]}]}],
)  # fmt: skip
def test_a_file_without_columns_is_refused(stored: Any) -> None:
    with pytest.raises(RequestError):
        Table.from_dict(stored)


def test_a_file_with_two_columns_of_one_name_is_refused() -> None:
    table, _ = recognise(pd.DataFrame({"x": REALS}))
    twice = {"columns": table.to_dict()["columns"] * 2}
    with pytest.raises(RequestError, match="several columns of one name"):
        Table.from_dict(twice)
