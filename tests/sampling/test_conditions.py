from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise import GAN
from equipoise.data.frames import TableOptions, from_frame
from equipoise.errors import RequestError
from equipoise.sampling import conditions
from equipoise.sampling.conditions import Conditions, where_of_texts

N = 400


def customers() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    plan = rng.choice(["free", "pro"], N, p=[0.8, 0.2])
    frame = pd.DataFrame(
        {
            "id": [f"c-{row:05d}" for row in range(N)],
            "age": rng.integers(18, 90, N),
            "plan": plan,
            "size": pd.Categorical(rng.choice(["S", "M", "L"], N), ["S", "M", "L"], ordered=True),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), "D"),
            "visits": pd.array(rng.poisson(np.where(plan == "pro", 30, 5)), dtype="Int64"),
            "paid": rng.choice(["no", "yes"], N, p=[0.9, 0.1]),
        }
    )
    frame.loc[::5, "visits"] = pd.NA
    return frame


@pytest.fixture(scope="module")
def gan() -> GAN:
    settings: dict[str, Any] = {"samples": 2048, "threads": 1, "label_column": "paid"}
    return GAN(**settings).fit(customers())


@pytest.fixture(scope="module")
def plain(gan: GAN) -> pd.DataFrame:
    """Rows without conditions."""
    drawn = gan.sample(20_000, seed=1)
    assert isinstance(drawn, pd.DataFrame)
    return drawn


@pytest.mark.parametrize(
    ("where", "meets"),
    [
        ({"plan": "pro"}, lambda f: f["plan"] == "pro"),
        ({"age": (60, 70)}, lambda f: f["age"].between(60, 70)),
        ({"age": 40}, lambda f: f["age"] == 40),
        ({"age": (None, 30)}, lambda f: f["age"] <= 30),
        ({"plan": ["pro"], "visits": None}, lambda f: (f["plan"] == "pro") & f["visits"].isna()),
        ({"visits": float("nan")}, lambda f: f["visits"].isna()),
        ({"visits": (20, None)}, lambda f: (f["visits"] >= 20).fillna(False)),
        ({"since": ("2021-01-01", "2021-03-01")}, lambda f: f["since"].between("2021", "2021-03")),
        ({"since": pd.Timestamp("2021-05-01")}, lambda f: f["since"] == "2021-05-01"),
        ({"size": ("M", None)}, lambda f: f["size"].isin(["M", "L"])),
        ({"size": {"S", "L"}}, lambda f: f["size"] != "M"),
    ],
)
def test_rows_are_those_of_plain_draws_that_meet_the_conditions(
    gan: GAN, plain: pd.DataFrame, where: Any, meets: Any
) -> None:
    expected = plain[meets(plain)].head(15)
    assert len(expected) == 15
    rows = gan.sample(15, seed=1, where=where)
    assert rows.attrs["drawn"] == expected.index[-1] + 1
    pd.testing.assert_frame_equal(
        rows.drop(columns="id"),
        expected.drop(columns="id").reset_index(drop=True),
        check_flags=False,
    )
    assert rows["id"].is_unique


def test_a_rare_label_costs_nothing_and_has_its_own_distribution(
    gan: GAN, plain: pd.DataFrame
) -> None:
    rows = gan.sample(2_000, seed=3, where={"paid": "yes"})
    assert (rows["paid"] == "yes").all()
    assert rows.attrs["drawn"] == 2_000
    alone = plain[plain["paid"] == "yes"]
    assert rows["plan"].eq("pro").mean() == pytest.approx(alone["plan"].eq("pro").mean(), abs=0.05)
    assert rows["age"].mean() == pytest.approx(alone["age"].mean(), abs=2.5)


def test_several_labels_come_at_their_training_frequencies(gan: GAN) -> None:
    rows = gan.sample(4_000, seed=3, where={"paid": ["no", "yes"]})
    share = customers()["paid"].eq("yes").mean()
    assert rows["paid"].eq("yes").mean() == pytest.approx(share, abs=0.02)


def test_batches_are_what_sample_returns(gan: GAN) -> None:
    where = {"plan": "pro", "paid": "no"}
    whole = gan.sample(100, seed=2, where=where)
    parts = [*gan.sample_batches(100, 30, seed=2, where=where)]
    assert [len(part) for part in parts] == [30, 30, 30, 10]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole, check_flags=False)
    assert parts[-1].attrs == whole.attrs


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"plam": "pro"}, "no column 'plam': did you mean 'plan'"),
        ({"plan": "prp"}, "'plan': 'prp': did you mean 'pro'"),
        ({"age": 200}, "200 is never there: it is 18 to 89"),
        ({"age": (70, 60)}, "the first must be at most the second"),
        ({"age": (1, 2, 3)}, "give a value, a pair"),
        ({"age": "old"}, "'old' is not a number"),
        ({"age": None}, "is never blank"),
        ({"since": "soon"}, "'soon' is no date: give one such as 2021-05-01"),
        ({"id": "c-1"}, "is made anew: leave it out"),
        ({"plan": ("free", "pro")}, "have no order: give a list"),
        ({"plan": []}, "no value is given"),
        ({"paid": "maybe"}, "label 'maybe' is not among the classes"),
        ({"plan": "prp", "plam": 1}, "'prp'.*; where: no column 'plam'"),
    ],
)
def test_conditions_that_cannot_be_met_get_one_line(gan: GAN, where: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        gan.sample(5, where=where)


def test_a_hopeless_condition_ends_with_how_often_it_was_met(
    gan: GAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "MAX_HOPELESS", 4_000)
    monkeypatch.setattr(conditions, "HOPELESS", 0.5)
    with pytest.raises(RequestError, match=r"plan = 'pro': met by [\d,]+ of 4,096 rows drawn"):
        gan.sample(10_000, where={"plan": "pro"}, seed=0)


def test_a_label_and_a_condition_on_labels_are_refused(gan: GAN) -> None:
    with pytest.raises(RequestError, match="ask for labels: give one of them"):
        gan.sample(5, label="yes", where={"paid": "no"})


def test_conditions_are_read_as_they_are_typed(gan: GAN) -> None:
    texts = ["plan=pro", "age=60..70", "since=2021-01-01..", "visits=", "size=S,L"]
    where = where_of_texts(gan.schema, texts)
    assert where == {
        "plan": "pro",
        "age": ("60", "70"),
        "since": ("2021-01-01", None),
        "visits": None,
        "size": ["S", "L"],
    }
    rows = gan.sample(5, seed=0, where={name: where[name] for name in ("plan", "age", "size")})
    assert rows["age"].between(60, 70).all()
    for text, message in (
        ("plam=x", "did you mean 'plan'"),
        ("plan", "must be COLUMN=VALUE"),
    ):
        with pytest.raises(RequestError, match=message):
            where_of_texts(gan.schema, [text])
    with pytest.raises(RequestError, match="asked for twice"):
        where_of_texts(gan.schema, ["plan=pro", "plan=free"])


def met(
    frame: pd.DataFrame, asked: str | dict[str, Any], **overrides: dict[str, Any]
) -> pd.Series[bool]:
    """Which rows of a table meet a condition, typed or in Python."""
    rows = from_frame(frame, None, "a table", TableOptions(overrides=overrides or None))
    where = where_of_texts(rows.schema, [asked]) if isinstance(asked, str) else asked
    (condition,) = Conditions.of(rows.schema, where).conditions
    return pd.Series(condition.met(rows.values.astype(np.float64)))


def marks(dtype: str) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    mark = pd.Series(rng.permutation([1, 2, 3, 4, 5] * 12), dtype=dtype)
    return pd.DataFrame({"mark": mark, "group": rng.choice(["a", "b"], len(mark))})


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_categories_that_are_numbers_take_typed_numbers_and_ranges(dtype: str) -> None:
    frame, kind = marks(dtype), {"kind": "category"}
    assert met(frame, "mark=3", mark=kind).equals(frame["mark"] == 3)
    assert met(frame, "mark=3..5", mark=kind).equals(frame["mark"] >= 3)
    assert met(frame, "mark=..2", mark=kind).equals(frame["mark"] <= 2)
    assert met(frame, "mark=1,5", mark=kind).equals(frame["mark"].isin([1, 5]))


def test_ordered_categories_take_typed_ranges_and_dots_in_names_are_names() -> None:
    frame = customers()
    assert met(frame, "size=S..M").equals(frame["size"] != "L")
    assert met(frame, "size=M..").equals(frame["size"] != "S")
    frame["size"] = frame["size"].cat.rename_categories(["0..9", "10..19", "20.."])
    assert met(frame, "size=20..").equals(frame["size"] == "20..")
    assert met(frame, "size=0..9,20..").equals(frame["size"] != "10..19")
    with pytest.raises(RequestError, match=r"'fre\.\.pro'"):
        met(frame, "plan=fre..pro")


@pytest.mark.parametrize("is_plain", [True, False])
def test_huge_whole_numbers_are_met_exactly(is_plain: bool) -> None:
    rng = np.random.default_rng(0)
    number = 10**12 + rng.integers(0, 200, 200)
    frame = pd.DataFrame({"number": number, "x": rng.normal(size=200)})
    if not is_plain:
        frame["group"] = rng.choice(["a", "b"], 200)
    kinds = {} if is_plain else {"number": {"kind": "number"}}
    assert met(frame, {"number": number[0]}, **kinds).equals(frame["number"] == number[0])
    assert met(frame, f"number={number[0]}", **kinds).equals(frame["number"] == number[0])


def test_typed_whole_numbers_that_no_float_has_are_met() -> None:
    rng = np.random.default_rng(0)
    number = 2**53 + 2 * rng.integers(0, 100, 200) + 1
    frame = pd.DataFrame({"number": number, "group": rng.choice(["a", "b"], 200)})
    kind = {"kind": "number"}
    assert met(frame, f"number={number[0]}", number=kind).equals(frame["number"] == number[0])


def test_infinity_is_met_where_the_column_has_it() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=200), "group": rng.choice(["a", "b"], 200)})
    frame.loc[::10, "x"] = np.inf
    assert met(frame, {"x": np.inf}).equals(frame["x"] == np.inf)
    assert met(frame, "x=100..").equals(frame["x"] == np.inf)


def test_floats_of_32_bits_are_met_as_they_are_typed() -> None:
    x = np.tile(np.array([0.1, 0.2, 0.3], np.float32), 20)
    frame = pd.DataFrame({"x": x, "y": np.random.default_rng(0).normal(size=60)})
    assert met(frame, "x=0.1").equals(frame["x"] == np.float32(0.1))
    assert met(frame, "x=0.2..0.3").equals(frame["x"] > 0.15)


def test_tables_of_plain_numbers_take_conditions_and_arrays_do_not() -> None:
    x = np.random.default_rng(0).normal(size=(200, 2))
    settings: dict[str, Any] = {"samples": 64, "batch_size": 16, "width": 8, "threads": 1}
    table = GAN(**settings).fit(pd.DataFrame(x, columns=["a", "b"]))
    rows, plain = table.sample(20, seed=0, where={"a": (0, 1)}), table.sample(2_000, seed=0)
    expected = plain[plain["a"].between(0, 1)].head(20).reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, expected, check_flags=False)
    with pytest.raises(RequestError, match="where: is for tables"):
        GAN(**settings).fit(x).sample(5, where={"a": 1})


def test_labels_that_were_not_learned_cannot_be_asked_for() -> None:
    settings: dict[str, Any] = {"samples": 64, "batch_size": 16, "width": 8, "threads": 1}
    gan = GAN(label_column="paid", conditional=False, **settings).fit(customers())
    rows = gan.sample(5, seed=0)
    assert isinstance(rows, pd.DataFrame)
    assert "paid" not in rows.columns
    assert gan.sample(0).columns.tolist() == rows.columns.tolist()
    with pytest.raises(RequestError, match="column of labels was not learned"):
        gan.sample(5, where={"paid": "yes"})
