from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.constraints import Cells, constraints_from_json, learn_constraints
from equipoise.data.tables.recognition import constrained, recognise
from equipoise.data.tables.table import Table
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
N = 500
START = pd.Timestamp("2021-01-01") + pd.to_timedelta(RNG.integers(0, 700, N), "D")
GAP = pd.to_timedelta(RNG.integers(0, 60, N), "D")
PLAN = RNG.choice(["free", "pro"], N)
PRICE = RNG.lognormal(3, 1, N).round(2) + 0.01
FRAME = pd.DataFrame(
    {
        "start": START,
        "end": START + GAP,
        "price": PRICE,
        "quantity": RNG.integers(1, 9, N),
        "plan": PLAN,
        "country": np.where(PLAN == "pro", "US", RNG.choice(["US", "DE"], N)),
        "unit price": PRICE,
        "score": RNG.normal(size=N),
        "note": [f"{i} words in no order {RNG.integers(10**9)} at all" for i in range(N)],
        "id": [f"c-{i:05d}" for i in range(N)],
    }
)
COMPUTED: dict[str, Any] = {
    "total = price * quantity": (FRAME["price"] * FRAME["quantity"]).round(2),
    "half = price / 2 + 1": FRAME["price"] / 2 + 1,
    "days = (end - start) / '1 day'": GAP.days,
    "took = end - start": GAP,
    "due = end + '30 days'": FRAME["end"] + pd.Timedelta("30 days"),
    "before = start - '12 hours'": FRAME["start"] - pd.Timedelta("12 hours"),
    "later = start + quantity * '1 day'": START + pd.to_timedelta(FRAME["quantity"], "D"),
    "boxes = quantity // 3": FRAME["quantity"] // 3,
    "rest = quantity % 3": FRAME["quantity"] % 3,
    "square = quantity ** 2": FRAME["quantity"] ** 2,
    "minus = -score": -FRAME["score"],
    "same = plan": FRAME["plan"],
    "many = quantity >= 5": FRAME["quantity"] >= 5,
    "cents = price * 100": pd.array((FRAME["price"] * 100).round(), dtype="Int64"),
    "exact = price * 2": [Decimal(f"{2 * price:.2f}") for price in PRICE],
    "text = price + 1": [f"{price + 1:.2f}".replace(".", ",") for price in PRICE],
    "day = start": START.strftime("%d.%m.%Y"),
    "zoned = at + '1 h'": pd.Series(START).dt.tz_localize("UTC") + pd.Timedelta("1h"),
    "python = start": [date.date() for date in START],
    "kind = plan": pd.Categorical(FRAME["plan"]),
    "single = score": FRAME["score"].astype("float32"),
}


def table_of(frame: pd.DataFrame, *texts: str, **overrides: Any) -> Table:
    return constrained(recognise(frame, overrides)[0], frame, texts)


def refusal(ask: Callable[[], object]) -> str:
    """The message that something is refused with; empty where it is done."""
    try:
        ask()
    except RequestError as error:
        return str(error)
    return ""


def random_rows(table: Table, n: int = 3_000) -> pd.DataFrame:
    """Rows of a generator that has learned nothing, those that meet the constraints."""
    rng = np.random.default_rng(1)
    columns = [
        rng.integers(0, raw.size, n) if raw.kind == "code" else rng.normal(50, 300, n)
        for raw in table.raw_columns
    ]
    matrix = np.column_stack(columns).astype(np.float64)
    return table.decode(matrix[table.met(matrix)])


@pytest.mark.parametrize("text", COMPUTED)
def test_a_computed_column_is_not_learned_and_comes_back_as_it_was_fed(text: str) -> None:
    name = text.partition(" = ")[0]
    frame = FRAME.assign(**{name: COMPUTED[text]}, at=pd.Series(START).dt.tz_localize("UTC"))
    table = table_of(frame, text)
    assert name not in [raw.name for raw in table.raw_columns]
    matrix = table.encode(frame.drop(columns=name), seed=0)
    assert table.met(matrix).all()
    again = table.decode(matrix)
    expected = frame.drop(columns="note")
    assert list(again.columns) == list(expected.columns)
    assert again[name].dtype == expected[name].dtype
    pd.testing.assert_series_equal(again[name], expected[name], rtol=1e-6)


@pytest.mark.parametrize("text", COMPUTED)
def test_rows_that_are_kept_have_a_computed_column_that_is_right(text: str) -> None:
    name = text.partition(" = ")[0]
    frame = FRAME.assign(**{name: COMPUTED[text]}, at=pd.Series(START).dt.tz_localize("UTC"))
    table = table_of(frame, text)
    rows = random_rows(table)
    assert len(rows) > 100
    learn_constraints(table.columns, [text], Cells(len(rows), lambda c: rows[c.name]))


@pytest.mark.parametrize(
    ("text", "meets"),
    [
        ("start <= end", lambda f: f["start"] <= f["end"]),
        ("price > 5", lambda f: f["price"] > 5),
        ("5 < price <= 20", lambda f: (f["price"] > 5) & (f["price"] <= 20)),
        ("end - start <= '20 days'", lambda f: f["end"] - f["start"] <= pd.Timedelta("20 days")),
        ("start >= '2021-06-01'", lambda f: f["start"] >= "2021-06-01"),
        ("plan == 'pro'", lambda f: f["plan"] == "pro"),
        ("plan != country", lambda f: f["plan"] != f["country"]),
        ("quantity != 3", lambda f: f["quantity"] != 3),
        ("`unit price` * quantity < 60", lambda f: f["unit price"] * f["quantity"] < 60),
    ],
)
def test_rows_that_are_kept_meet_comparisons(text: str, meets: Any) -> None:
    table = table_of(FRAME[meets(FRAME)].reset_index(drop=True), text)
    of_all = replace(recognise(FRAME)[0], constraints=table.constraints)
    np.testing.assert_array_equal(of_all.met(of_all.encode(FRAME, seed=0)), meets(FRAME))
    rows = random_rows(table)
    assert len(rows) > 50
    assert meets(rows).all()


def test_only_combinations_of_the_data_are_kept_and_a_blank_is_a_value() -> None:
    frame = FRAME.assign(country=FRAME["country"].where(FRAME["plan"] == "pro", None))
    table = table_of(frame, "combinations(plan, country)")
    rows = random_rows(table)
    assert set(map(tuple, rows[["plan", "country"]].fillna("-").values)) == {
        ("pro", "US"),
        ("free", "-"),
    }


@given(st.data())
def test_combinations_kept_are_exactly_those_seen(data: st.DataObject) -> None:
    cells = st.tuples(st.sampled_from("ab"), st.sampled_from([1, 2, 3]), st.sampled_from("xyz"))
    seen = data.draw(st.lists(cells, min_size=8, max_size=20))
    frame = pd.DataFrame(seen, columns=["a", "b", "c"])
    kind = {"kind": "category"}
    if frame.nunique().min() < 2:
        return
    table = table_of(frame, "combinations(a, b, c)", a=kind, b=kind, c=kind)
    codes = np.indices([raw.size for raw in table.raw_columns]).reshape(3, -1).T.astype(float)
    rows = table.decode(codes[table.met(codes)])
    assert sorted(map(tuple, rows.to_numpy().tolist())) == sorted(set(seen))


def test_a_comparison_with_a_blank_holds() -> None:
    frame = FRAME.assign(end=FRAME["end"].where(FRAME["quantity"] > 2))
    table = table_of(frame, "start <= end", "0 < quantity < 9")
    rows = random_rows(table)
    assert rows["end"].isna().any()
    assert (rows["start"] <= rows["end"])[rows["end"].notna()].all()


def test_a_computed_column_is_blank_where_its_inputs_are() -> None:
    price = FRAME["price"].where(FRAME["quantity"] != 4)
    frame = FRAME.assign(price=price, total=(price * FRAME["quantity"]).round(2))
    table = table_of(frame, "total = price * quantity")
    rows = random_rows(table)
    assert rows["price"].isna().any()
    np.testing.assert_array_equal(rows["price"].isna(), rows["total"].isna())


def test_values_that_a_computed_column_cannot_hold_are_thrown_away() -> None:
    frame = FRAME.assign(small=(FRAME["quantity"] * 10).astype("int8"))
    frame["ratio"] = 1 / frame["quantity"]
    table = table_of(frame, "small = quantity * 10", "ratio = 1 / quantity")
    place = [raw.name for raw in table.raw_columns].index("quantity")
    matrix = table.encode(frame, seed=0)
    assert table.met(matrix).all()
    rows = random_rows(table)
    assert (rows["small"].astype(int) == rows["quantity"].astype(int) * 10).all()
    matrix[0, place] = np.nan  # is told elsewhere
    assert table.met(matrix).all()


def test_chains_of_computed_columns_are_computed_in_order() -> None:
    frame = FRAME.assign(total=(FRAME["price"] * FRAME["quantity"]).round(2))
    frame["tax"] = (frame["total"] * 0.19).round(2)
    frame["gross"] = (frame["total"] + frame["tax"]).round(2)
    texts = ["gross = total + tax", "tax = total * 0.19", "total = price * quantity", "tax > 0"]
    rows = random_rows(table_of(frame, *texts))
    assert np.allclose(rows["gross"], rows["total"] + rows["tax"])
    assert np.allclose(rows["tax"], rows["total"] * 0.19, atol=0.00501)
    assert (rows["tax"] > 0).all()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["prize > 0"], "no column 'prize': did you mean 'price'"),
        (["price > 9"], r"[\d,]+ of 500 rows break it, the first is row \d+"),
        (["price = quantity * 2"], r"rows break it, the first is row 0: it is .* computed"),
        (["end > start", "price > 9"], r"'end > start': .*; constraint 'price > 9'"),
        (["prize > 0", "price > 9"], r"'prize > 0': no column.*; .*'price > 9': [\d,]+ of 500"),
        (["start > price"], "dates > numbers cannot be compared"),
        (["end - start <= 30"], "give a span as '30 days' in quotes"),
        (["start >= 2021"], "give a date as '2021-05-01'"),
        (["start >= 'soon'"], "'soon' is not a date"),
        (["end - start > '30'"], "'30' is not a span of time"),
        (["plan < country"], "texts have no order"),
        (["plan == 3"], "cannot be compared: if the text is of numbers"),
        (["plan = price"], "'plan' is a column of text, and the value of numbers"),
        (["price = price"], "'price' is computed of itself"),
        (["`unit price` = price", "price = `unit price`"], "is computed of itself"),
        (["`unit price` = price", "`unit price` = price * 1"], "is assigned twice"),
        (["note == 'a'"], "column 'note' is left out of samples"),
        (["id == 'a'"], "column 'id' holds ids"),
        (["start + end > '1 day'"], r"dates \+ dates has no meaning"),
        (["-plan == 'a'"], "no - of text"),
        (["1 < 2"], "names no column"),
        (["combinations(plan, score)"], "'score' is of the kind 'number'"),
        (["combinations(plan, nothing)"], "no column 'nothing'"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(texts: list[str], message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        table_of(FRAME, *texts)
    assert "\n" not in str(caught.value)


def test_blanks_of_a_computed_column_that_its_inputs_do_not_explain_are_counted() -> None:
    total = (FRAME["price"] * FRAME["quantity"]).round(2)
    frame = FRAME.assign(total=total.where(np.arange(N) % 100 != 7))
    with pytest.raises(RequestError, match="5 of 500 rows break it, the first is row 7: it is bl"):
        table_of(frame, "total = price * quantity")
    frame = FRAME.assign(price=FRAME["price"].where(np.arange(N) != 3), total=total)
    with pytest.raises(RequestError, match="1 of 500 rows breaks it, the first is row 3: it is no"):
        table_of(frame, "total = price * quantity")


def test_a_table_without_anything_to_learn_is_refused() -> None:
    frame = pd.DataFrame({"a": ["x", "y"] * 50, "b": ["x", "y"] * 50})
    with pytest.raises(RequestError, match="is computed of itself"):
        table_of(frame, "a = b", "b = a")


def test_dates_of_any_type_and_unit_are_compared() -> None:
    frame = pd.DataFrame(
        {
            "text": START.strftime("%d/%m/%Y"),
            "python": [stamp.date() for stamp in START + GAP],
            "fine": (START + GAP + pd.Timedelta("1ns")).as_unit("ns"),
            "period": (START + GAP).to_period("D"),
            "far": pd.Series([datetime.datetime(9999, 12, 31)] * 3 + [*(START + GAP)][3:]),
        }
    )
    texts = ["text <= python", "python < fine", "period <= python", "text <= far"]
    table = table_of(frame, *texts)
    matrix = table.encode(frame, seed=0)
    assert table.met(matrix).all()
    with pytest.raises(RequestError, match="rows break it"):
        table_of(frame, "fine <= python")
    with pytest.raises(RequestError, match="holds periods"):
        table_of(frame, "period = python")


def test_a_date_with_a_time_zone_is_compared_with_others_that_have_one() -> None:
    berlin = pd.Series(START).dt.tz_localize("Europe/Berlin")
    frame = pd.DataFrame({"at": berlin, "utc": berlin.dt.tz_convert("UTC"), "naive": START})
    with pytest.raises(RequestError, match="dates with a time zone <= dates cannot be compared"):
        table_of(frame, "at <= naive")
    table = table_of(frame, "at >= '2021-01-01'", "utc = at")
    rows = random_rows(table)
    assert (rows["utc"] == rows["at"]).all()
    assert rows["utc"].dtype == frame["utc"].dtype


def test_constraints_come_back_from_json() -> None:
    table = table_of(FRAME, "start <= end", "combinations(plan, country)", "`unit price` = price")
    again = Table.from_dict(json.loads(json.dumps(table.to_dict())))
    assert again == table
    assert again.raw_columns == table.raw_columns


@pytest.mark.parametrize(
    "stored",
    [
        None,
        {},
        [1],
        [{}],
        [{"text": "a > 0"}],
        [{"text": 1, "seen": []}],
        [{"text": "a > 0", "seen": [], "x": 1}],
        [{"text": "a > 0", "seen": [1.5]}],
        [{"text": "a > 0", "seen": [2, 1]}],
        [{"text": "a > 0", "seen": [-1]}],
        [{"text": "a > 0", "seen": [2**63]}],
        [{"text": "a > 0", "seen": []}] * 101,
    ],
)
def test_stored_constraints_are_read_strictly(stored: Any) -> None:
    with pytest.raises(RequestError):
        constraints_from_json(stored)


def test_stored_constraints_on_other_columns_are_refused() -> None:
    stored = {**table_of(FRAME).to_dict(), "constraints": [{"text": "wages > 0", "seen": []}]}
    with pytest.raises(RequestError, match="no column 'wages'"):
        Table.from_dict(stored)


NAMES = st.sampled_from([*map(str, FRAME.columns), "x"])
OPERANDS = st.one_of(
    NAMES.map(lambda name: f"`{name}`"),
    st.sampled_from(["1", "0", "-2.5", "'pro'", "'2021-01-01'", "'1 day'", "True"]),
)
TREES = st.recursive(
    OPERANDS,
    lambda of: st.tuples(of, st.sampled_from(["+", "-", "*", "/", "//", "%", "**"]), of).map(
        lambda parts: f"({' '.join(parts)})"
    ),
    max_leaves=5,
)


@given(TREES, st.sampled_from(["<", "<=", "==", "!=", "="]), TREES)
def test_any_expression_is_checked_or_refused_in_one_line(left: str, sign: str, right: str) -> None:
    table, _ = recognise(FRAME)
    message = refusal(lambda: constrained(table, FRAME, [f"{left} {sign} {right}"]))
    assert "\n" not in message
